/// Copies JSON and leaves out what is long: the rest of a string beyond some bytes, the rest of a list beyond some elements. What
/// remains is JSON of the same shape, whose size goes by the shape and not by what is in it: the answers to 2,048 embeddings, or a
/// thousand tokens with their twenty likeliest, come to some dozens of KiB, with both ends whole. Fed in pieces cut anywhere.
struct JSONOutline {
    static let stringLimit = 1 << 10

    /// Of a list: of calls, choices or messages nobody keeps more. What lies in
    /// the lists' lists of lists says nothing about a call as a whole.
    private static let elementLimits: [3 of UInt8] = [128, 128, 4]
    /// Once `budget` bytes have been copied.
    private static let tightElementLimits: [3 of UInt8] = [128, 1, 1]
    private static let tightStringLimit = 256

    /// A string longer than this is cut there (between characters and escapes).
    let stringLimit: Int
    /// So much is copied before everything that can be is cut short.
    var budget: Int { max(512 << 10, stringLimit + 256 << 10) }

    private var state = State.outside
    /// Bytes copied.
    private var count = 0
    /// Bytes of the open string that were copied, and how many may be.
    private var stringCount = 0
    private var openLimit = 0
    /// Of the open escape, how many bytes are to come.
    private var escapeLeft = 0
    /// Containers open, and how many of them are lists.
    private var depth = 0
    private var lists = 0
    /// A bit for each open container, the innermost lowest: 1 is a list. Deeper than `elements` goes nothing is counted: no reader
    /// follows there.
    private var isList: UInt128 = 0
    /// Elements begun in each open container that is a list, by its depth; at most 255.
    private var elements = [128 of UInt8](repeating: 0)
    /// Containers open in what is left out of a list.
    private var droppedDepth = 0

    private enum State: UInt8 {
        case outside
        case string
        /// Behind what is kept of a string.
        case skippingString
        /// The last byte of what is left out of a string was a backslash.
        case skippingEscape
        /// Behind the last element of a list that is kept; the same three again.
        case dropping
        case droppingString
        case droppingEscape
    }

    init(stringLimit: Int) { self.stringLimit = stringLimit }

    mutating func append(_ piece: RawSpan, to sink: inout ByteStore) {
        var at = 0
        while at < piece.byteCount {
            let start = at
            switch state {
            case .outside, .string:
                while at < piece.byteCount, keeps(piece.byte(at)) { at += 1 }
                count += at - start
                sink.append(piece.extracting(start..<at))
            case .skippingString: skipString(piece, &at, end: .string, escape: .skippingEscape)
            case .skippingEscape:
                at += 1
                state = .skippingString
            case .dropping: drop(piece, &at)
            case .droppingString:
                skipString(piece, &at, end: .dropping, escape: .droppingEscape)
                if state == .dropping { at += 1 }  // the quote goes as well
            case .droppingEscape:
                at += 1
                state = .droppingString
            }
        }
    }

    /// Whether the next byte stays; if not, the state says what is to be done with it.
    private mutating func keeps(_ byte: UInt8) -> Bool { state == .string ? keepsInString(byte) : keepsOutside(byte) }

    private mutating func keepsOutside(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "\""):
            state = .string
            stringCount = 0
            openLimit = max(min(stringLimit, budget - count), Self.tightStringLimit)
        case UInt8(ascii: "["), UInt8(ascii: "{"): open(isList: byte == UInt8(ascii: "["))
        case UInt8(ascii: "]"), UInt8(ascii: "}"): close()
        case UInt8(ascii: ","):
            guard !keepsElement() else { break }
            state = .dropping
            droppedDepth = 0
            return false
        default: break
        }
        return true
    }

    private mutating func open(isList opensList: Bool) {
        depth += 1
        guard depth <= elements.count else { return }
        isList = isList << 1 | (opensList ? 1 : 0)
        lists += opensList ? 1 : 0
        elements[depth - 1] = 1
    }

    private mutating func close() {
        guard depth > 0 else { return }
        depth -= 1
        guard depth < elements.count else { return }
        lists -= isList & 1 == 1 ? 1 : 0
        isList >>= 1
    }

    /// Behind a comma: whether what follows stays.
    private mutating func keepsElement() -> Bool {
        guard depth > 0, depth <= elements.count, isList & 1 == 1 else { return true }
        let level = min(lists, Self.elementLimits.count) - 1
        let limit = count < budget ? Self.elementLimits[level] : Self.tightElementLimits[level]
        guard elements[depth - 1] < limit else { return false }
        elements[depth - 1] += 1
        return true
    }

    private mutating func keepsInString(_ byte: UInt8) -> Bool {
        if escapeLeft > 0 {
            // `\u` is followed by four digits, any other letter by nothing.
            escapeLeft = escapeLeft == 5 ? (byte == UInt8(ascii: "u") ? 4 : 0) : escapeLeft - 1
        } else if byte == UInt8(ascii: "\"") {
            state = .outside
        } else if stringCount >= openLimit, byte & 0xC0 != 0x80 {
            state = .skippingString
            return false
        } else if byte == UInt8(ascii: "\\") {
            escapeLeft = 5
        }
        stringCount += 1
        return true
    }

    /// From a comma on, up to the bracket that closes the list, which stays.
    private mutating func drop(_ piece: RawSpan, _ at: inout Int) {
        while at < piece.byteCount {
            switch piece.byte(at) {
            case UInt8(ascii: "\""):
                at += 1
                state = .droppingString
                return
            case UInt8(ascii: "["), UInt8(ascii: "{"): droppedDepth += 1
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                guard droppedDepth > 0 else {
                    state = .outside
                    return
                }
                droppedDepth -= 1
            default: break
            }
            at += 1
        }
    }

    /// Up to the closing quote, or behind a backslash.
    private mutating func skipString(_ piece: RawSpan, _ at: inout Int, end: State, escape: State) {
        at += piece.extracting(at..<piece.byteCount).firstQuoteOrBackslash()
        guard at < piece.byteCount else { return }
        if piece.byte(at) == UInt8(ascii: "\"") {
            state = end
        } else {
            at += 1
            state = escape
        }
    }
}
