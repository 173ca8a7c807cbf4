/// Header values are read in place, as bytes.
extension RawSpan {
    /// Traps outside the span.
    @inline(__always)
    func byte(at offset: Int) -> UInt8 {
        // Sound: any byte is a UInt8, and the load is checked.
        unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self)
    }

    /// Without the spaces and tabs at either end (RFC 9110 §5.6.3).
    @_lifetime(copy self)
    func trimmingOptionalWhitespace() -> RawSpan {
        var start = 0
        var end = byteCount
        while start < end, byte(at: start).isOptionalWhitespace { start += 1 }
        while end > start, byte(at: end - 1).isOptionalWhitespace { end -= 1 }
        return extracting(start..<end)
    }

    /// Where `byte` next stands at or after `start`; the end when it does not.
    func firstOffset(of byte: UInt8, from start: Int = 0) -> Int {
        var offset = start
        while offset < byteCount, self.byte(at: offset) != byte { offset += 1 }
        return offset
    }
}

extension UInt8 {
    var isOptionalWhitespace: Bool { self == UInt8(ascii: " ") || self == UInt8(ascii: "\t") }

    /// `tchar` of RFC 9110 §5.6.2.
    var isTokenCharacter: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"), UInt8(ascii: "'"),
            UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "^"), UInt8(ascii: "_"),
            UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
            true
        default: false
        }
    }
}

extension [UInt8] {
    mutating func append(_ bytes: RawSpan) {
        // Sound: the bytes are copied before the closure returns.
        unsafe bytes.withUnsafeBytes { unsafe append(contentsOf: $0) }
    }
}
