/// The few ways this room looks at bytes; every offset is checked by the span.
extension RawSpan {
    @inline(__always) func byte(_ at: Int) -> UInt8 { unsafe unsafeLoad(fromByteOffset: at, as: UInt8.self) }

    func firstIndex(of byte: UInt8) -> Int? {
        for at in 0..<byteCount where self.byte(at) == byte { return at }
        return nil
    }

    func begins(with text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard byteCount >= count else { return false }
        // Sound: a static string's bytes live for ever, and `at` stays inside them.
        for at in 0..<count where unsafe byte(at) != text.utf8Start[at] { return false }
        return true
    }

    func ends(with text: StaticString) -> Bool {
        byteCount >= text.utf8CodeUnitCount && extracting(from: byteCount - text.utf8CodeUnitCount).begins(with: text)
    }

    func equals(_ text: StaticString) -> Bool { byteCount == text.utf8CodeUnitCount && begins(with: text) }

    func equals(_ other: RawSpan) -> Bool {
        guard byteCount == other.byteCount else { return false }
        for at in 0..<byteCount where byte(at) != other.byte(at) { return false }
        return true
    }

    @_lifetime(copy self) func extracting(first count: Int) -> RawSpan { extracting(0..<count) }
    @_lifetime(copy self) func extracting(from start: Int) -> RawSpan { extracting(start..<byteCount) }

    /// The longest beginning of at most `limit` bytes that does not end inside a UTF-8 character.
    @_lifetime(copy self) func cut(to limit: Int) -> RawSpan {
        guard byteCount > limit else { return extracting(first: byteCount) }
        var end = limit
        while end > 0, byte(end) & 0xC0 == 0x80 { end -= 1 }
        return extracting(first: end)
    }
}
