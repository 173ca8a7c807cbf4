import HTTP

extension RawSpan {
    /// Whether a path has a segment that is, or that a server might take for, `..` (RFC 3986 §3.3): dots and slashes may be percent-encoded,
    /// some take `\\` for `/`, and some drop what follows a `;`.
    var leadsUp: Bool {
        // Nearly no path has either.
        guard firstIndex(of: UInt8(ascii: "%")) != nil || firstIndex(of: UInt8(ascii: ".")) != nil else { return false }
        // How many dots the segment has so far; -1 where it has anything else.
        var dots = 0
        var inParameters = false
        var at = 0
        while at < byteCount {
            var byte = self[byte: at]
            at += 1
            if byte == UInt8(ascii: "%"), at + 2 <= byteCount {
                let digits = (self[byte: at], self[byte: at + 1] | 0x20)
                switch digits {
                case (UInt8(ascii: "2"), UInt8(ascii: "e")): byte = UInt8(ascii: ".")
                case (UInt8(ascii: "2"), UInt8(ascii: "f")), (UInt8(ascii: "5"), UInt8(ascii: "c")): byte = UInt8(ascii: "/")
                default: break
                }
                if byte != UInt8(ascii: "%") { at += 2 }
            }
            switch byte {
            case UInt8(ascii: "/"), UInt8(ascii: "\\"):
                if dots == 2 { return true }
                dots = 0
                inParameters = false
            case _ where inParameters: break
            case UInt8(ascii: ";"): inParameters = true
            case UInt8(ascii: "."): dots = dots < 0 || dots == 2 ? -1 : dots + 1
            default: dots = -1
            }
        }
        return dots == 2
    }
}
