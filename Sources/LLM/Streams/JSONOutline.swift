/// Copies JSON and leaves out what is long: the rest of a string beyond some bytes, the rest of a list of numbers beyond some
/// dozens. What remains is JSON of the same shape. Fed in pieces cut anywhere.
struct JSONOutline {
    static let stringLimit = 1 << 10
    static let numberLimit = 64

    /// A string longer than this is cut there (between characters and escapes).
    let stringLimit: Int

    private var state = State.outside
    /// Bytes of the open string that were copied.
    private var stringCount = 0
    /// Of the open escape, how many bytes are to come.
    private var escapeLeft = 0
    /// Commas since the last bracket, colon or string.
    private var scalars = 0

    private enum State: UInt8 {
        case outside
        /// Behind the last number of a list that is kept.
        case skippingNumbers
        case string
        /// Behind what is kept of a string.
        case skippingString
        /// The last byte of what is left out of a string was a backslash.
        case skippingEscape
    }

    init(stringLimit: Int) { self.stringLimit = stringLimit }

    mutating func append(_ piece: RawSpan, to sink: inout ByteStore) {
        var at = 0
        while at < piece.byteCount {
            let start = at
            switch state {
            case .outside, .string:
                while at < piece.byteCount, keeps(piece.byte(at)) { at += 1 }
                sink.append(piece.extracting(start..<at))
            case .skippingNumbers: skipNumbers(piece, &at, &sink)
            case .skippingString: skipString(piece, &at)
            case .skippingEscape:
                at += 1
                state = .skippingString
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
            scalars = 0
        case UInt8(ascii: ","):
            scalars += 1
            if scalars >= Self.numberLimit {
                state = .skippingNumbers
                return false
            }
        case UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: ":"): scalars = 0
        default: break
        }
        return true
    }

    private mutating func keepsInString(_ byte: UInt8) -> Bool {
        if escapeLeft > 0 {
            // `\u` is followed by four digits, any other letter by nothing.
            escapeLeft = escapeLeft == 5 ? (byte == UInt8(ascii: "u") ? 4 : 0) : escapeLeft - 1
        } else if byte == UInt8(ascii: "\"") {
            state = .outside
        } else if stringCount >= stringLimit, byte & 0xC0 != 0x80 {
            state = .skippingString
            return false
        } else if byte == UInt8(ascii: "\\") {
            escapeLeft = 5
        }
        stringCount += 1
        return true
    }

    /// From a comma on, until the list ends or has something else in it.
    private mutating func skipNumbers(_ piece: RawSpan, _ at: inout Int, _ sink: inout ByteStore) {
        while at < piece.byteCount {
            switch piece.byte(at) {
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                state = .outside
                return
            case UInt8(ascii: "\""), UInt8(ascii: "["), UInt8(ascii: "{"):
                // The comma before it was left out.
                let comma: StaticString = ","
                // Sound: a static string's bytes live for ever.
                sink.append(unsafe UnsafeRawBufferPointer(start: comma.utf8Start, count: 1).bytes)
                state = .outside
                return
            default: at += 1
            }
        }
    }

    /// Up to the closing quote, which stays, or behind a backslash.
    private mutating func skipString(_ piece: RawSpan, _ at: inout Int) {
        at += piece.extracting(from: at).firstQuoteOrBackslash()
        guard at < piece.byteCount else { return }
        if piece.byte(at) == UInt8(ascii: "\"") {
            state = .string
        } else {
            at += 1
            state = .skippingEscape
        }
    }
}
