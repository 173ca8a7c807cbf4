private import Glibc

/// The few ways this room looks at bytes; every offset is checked by the span.
extension RawSpan {
    @inline(__always) func byte(_ at: Int) -> UInt8 { unsafe unsafeLoad(fromByteOffset: at, as: UInt8.self) }

    func firstIndex(of byte: UInt8) -> Int? {
        unsafe withUnsafeBytes { bytes in
            // Sound: `memchr` stays inside the bytes it is given.
            guard let base = bytes.baseAddress, let found = unsafe memchr(base, Int32(byte), bytes.count) else { return nil }
            return unsafe UnsafeRawPointer(found) - base
        }
    }

    func begins(with text: StaticString) -> Bool { byteCount >= text.utf8CodeUnitCount && matches(text, at: 0) }

    func ends(with text: StaticString) -> Bool {
        byteCount >= text.utf8CodeUnitCount && matches(text, at: byteCount - text.utf8CodeUnitCount)
    }

    func equals(_ text: StaticString) -> Bool { byteCount == text.utf8CodeUnitCount && matches(text, at: 0) }

    private func matches(_ text: StaticString, at start: Int) -> Bool {
        // Sound: the callers have checked that `text` fits; a static string's bytes live for ever.
        unsafe withUnsafeBytes { unsafe $0.count == 0 || memcmp($0.baseAddress! + start, text.utf8Start, text.utf8CodeUnitCount) == 0 }
    }

    func equals(_ other: RawSpan) -> Bool {
        guard byteCount == other.byteCount else { return false }
        // Sound: both have as many bytes as are compared.
        return unsafe withUnsafeBytes { left in
            unsafe other.withUnsafeBytes { right in
                unsafe left.count == 0 || memcmp(left.baseAddress!, right.baseAddress!, left.count) == 0
            }
        }
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
