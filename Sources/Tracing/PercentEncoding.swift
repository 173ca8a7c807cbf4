/// `%41` for `A` (RFC 3986 §2.1), as baggage and `OTEL_*` variables use it.
public enum PercentEncoding {
    /// Appends the bytes that `text` stands for. A `%` without two hex digits after it stands for itself; `+` is no space.
    public static func decode(_ text: RawSpan, into decoded: inout [UInt8]) {
        var offset = 0
        while offset < text.byteCount {
            let byte = text.byte(at: offset)
            if byte == UInt8(ascii: "%"), offset + 2 < text.byteCount,
                let high = digit(text.byte(at: offset + 1)), let low = digit(text.byte(at: offset + 2))
            {
                decoded.append(high << 4 | low)
                offset += 3
            } else {
                decoded.append(byte)
                offset += 1
            }
        }
    }

    /// Both cases of hex digits are legal here.
    public static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
