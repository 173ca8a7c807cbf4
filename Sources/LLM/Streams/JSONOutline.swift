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

    mutating func append(_ piece: RawSpan, to sink: inout [UInt8]) {
        for at in 0..<piece.byteCount {
            let byte = piece.byte(at)
            switch state {
            case .outside: outside(byte, &sink)
            case .skippingNumbers:
                switch byte {
                case UInt8(ascii: "]"), UInt8(ascii: "}"):
                    outside(byte, &sink)
                case UInt8(ascii: "\""), UInt8(ascii: "["), UInt8(ascii: "{"):
                    sink.append(UInt8(ascii: ","))
                    outside(byte, &sink)
                default: break
                }
            case .string: string(byte, &sink)
            case .skippingString:
                if byte == UInt8(ascii: "\"") {
                    sink.append(byte)
                    state = .outside
                } else if byte == UInt8(ascii: "\\") {
                    state = .skippingEscape
                }
            case .skippingEscape: state = .skippingString
            }
        }
    }

    private mutating func outside(_ byte: UInt8, _ sink: inout [UInt8]) {
        switch byte {
        case 0x20, 0x09, 0x0A, 0x0D: return
        case UInt8(ascii: "\""):
            state = .string
            stringCount = 0
            scalars = 0
        case UInt8(ascii: ","):
            scalars += 1
            if scalars >= Self.numberLimit {
                state = .skippingNumbers
                return
            }
        case UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: ":"):
            state = .outside
            scalars = 0
        default: break
        }
        sink.append(byte)
    }

    private mutating func string(_ byte: UInt8, _ sink: inout [UInt8]) {
        if escapeLeft > 0 {
            // `\u` is followed by four digits, any other letter by nothing.
            escapeLeft = escapeLeft == 5 ? (byte == UInt8(ascii: "u") ? 4 : 0) : escapeLeft - 1
        } else if byte == UInt8(ascii: "\"") {
            state = .outside
        } else if stringCount >= stringLimit, byte & 0xC0 != 0x80 {
            state = byte == UInt8(ascii: "\\") ? .skippingEscape : .skippingString
            return
        } else if byte == UInt8(ascii: "\\") {
            escapeLeft = 5
        }
        stringCount += 1
        sink.append(byte)
    }
}
