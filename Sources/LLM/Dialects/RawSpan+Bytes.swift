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

    /// The first quote or backslash, eight bytes at a time; the count where there is none.
    func firstQuoteOrBackslash() -> Int {
        var at = 0
        let ones: UInt64 = 0x0101_0101_0101_0101
        while at &+ 8 <= byteCount {
            let word = unsafe UInt64(littleEndian: unsafeLoadUnaligned(fromUncheckedByteOffset: at, as: UInt64.self))  // checked above
            let quotes = word ^ (ones &* UInt64(UInt8(ascii: "\"")))
            let slashes = word ^ (ones &* UInt64(UInt8(ascii: "\\")))
            // The lowest high bit that is set is a byte looked for; a borrow can set false ones only above it.
            let marks = ((quotes &- ones) & ~quotes | (slashes &- ones) & ~slashes) & (ones &* 0x80)
            if marks != 0 { return at &+ marks.trailingZeroBitCount >> 3 }
            at &+= 8
        }
        while at < byteCount, byte(at) != UInt8(ascii: "\""), byte(at) != UInt8(ascii: "\\") { at += 1 }
        return at
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
