private import Glibc

// Comparing and searching bytes, as heads need it.
extension RawSpan {
    @inlinable public subscript(byte offset: Int) -> UInt8 {
        precondition(offset >= 0 && offset < byteCount)
        // Sound: checked above.
        return unsafe unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
    }

    /// Byte for byte. The loads of a literal fold to constants.
    @inlinable @inline(__always) public func equals(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard byteCount == count else { return false }
        // Sound: every load lies inside both texts, which are `count` long.
        let other = unsafe UnsafeRawPointer(text.utf8Start)
        if count >= 8 {
            var at = 0
            while at &+ 8 < count {
                guard unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: at, as: UInt64.self)
                        == other.loadUnaligned(fromByteOffset: at, as: UInt64.self) else { return false }
                at &+= 8
            }
            return unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: count &- 8, as: UInt64.self)
                == other.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
        }
        if count >= 4 {
            return unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: 0, as: UInt32.self) == other.loadUnaligned(fromByteOffset: 0, as: UInt32.self)
                && unsafeLoadUnaligned(fromUncheckedByteOffset: count &- 4, as: UInt32.self)
                    == other.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self)
        }
        for at in 0..<count {
            guard unsafe unsafeLoad(fromUncheckedByteOffset: at, as: UInt8.self) == other.load(fromByteOffset: at, as: UInt8.self) else { return false }
        }
        return true
    }

    public func equals(_ other: RawSpan) -> Bool {
        let count = byteCount
        guard count == other.byteCount else { return false }
        guard count > 0 else { return true }
        return unsafe withUnsafeBytes { mine in unsafe other.withUnsafeBytes { unsafe memcmp(mine.baseAddress!, $0.baseAddress!, count) == 0 } }
    }

    /// ASCII letters of either case are the same. For tokens (RFC 9110 §5.6.2) of letters, digits and hyphens; `lowercase` must be in
    /// lower case. Eight bytes at a time: with bit 5 set, no two token characters but the cases of one letter become such a text's.
    public func equalsIgnoringCase(_ lowercase: StaticString) -> Bool {
        let count = lowercase.utf8CodeUnitCount
        guard byteCount == count else { return false }
        return unsafe withUnsafeBytes { bytes in
            // Sound: every load lies inside both texts, which are `count` long.
            let theirs = unsafe UnsafeRawPointer(lowercase.utf8Start)
            guard let mine = bytes.baseAddress else { return true }
            var offset = 0
            while offset + 8 <= count {
                let word = unsafe mine.loadUnaligned(fromByteOffset: offset, as: UInt64.self) | 0x2020_2020_2020_2020
                if unsafe word != theirs.loadUnaligned(fromByteOffset: offset, as: UInt64.self) { return false }
                offset += 8
            }
            while offset < count {
                if unsafe mine.load(fromByteOffset: offset, as: UInt8.self) | 0x20 != theirs.load(fromByteOffset: offset, as: UInt8.self) { return false }
                offset += 1
            }
            return true
        }
    }

    public func equalsIgnoringCase(_ other: RawSpan) -> Bool {
        guard byteCount == other.byteCount else { return false }
        return unsafe withUnsafeBytes { mine in
            unsafe other.withUnsafeBytes { theirs in
                for index in 0..<mine.count {
                    var a = unsafe mine[index]
                    var b = unsafe theirs[index]
                    if a &- 0x41 < 26 { a |= 0x20 }
                    if b &- 0x41 < 26 { b |= 0x20 }
                    if a != b { return false }
                }
                return true
            }
        }
    }

    /// `prefix` must be in lower case.
    public func starts(ignoringCase prefix: StaticString) -> Bool {
        byteCount >= prefix.utf8CodeUnitCount && extracting(first: prefix.utf8CodeUnitCount).equalsIgnoringCase(prefix)
    }

    public func starts(with prefix: StaticString) -> Bool {
        byteCount >= prefix.utf8CodeUnitCount && extracting(first: prefix.utf8CodeUnitCount).equals(prefix)
    }

    /// Offset of the first such byte at or after `from`; nil without.
    public func firstIndex(of byte: UInt8, from: Int = 0) -> Int? {
        guard from < byteCount else { return nil }
        return unsafe withUnsafeBytes { bytes in
            let base = bytes.baseAddress!
            guard let found = unsafe memchr(base + from, Int32(byte), bytes.count - from) else { return nil }
            return unsafe UnsafeRawPointer(found) - base
        }
    }

    /// Without spaces and tabs at either end (OWS, RFC 9110 §5.6.3).
    @_lifetime(copy self)
    public func trimmingOWS() -> RawSpan {
        var first = 0
        var end = byteCount
        while first < end, self[byte: first] == 0x20 || self[byte: first] == 0x09 { first += 1 }
        while end > first, self[byte: end - 1] == 0x20 || self[byte: end - 1] == 0x09 { end -= 1 }
        return extracting(first..<end)
    }

    /// The next element of a comma-separated list (RFC 9110 §5.6.1), trimmed; `offset` moves past it. Nil at the end.
    @_lifetime(copy self)
    public func nextListElement(_ offset: inout Int) -> RawSpan? {
        guard offset <= byteCount, byteCount > 0, offset < byteCount || offset == 0 else { return nil }
        let comma = firstIndex(of: UInt8(ascii: ","), from: offset) ?? byteCount
        let element = extracting(offset..<comma).trimmingOWS()
        offset = comma + 1
        return element
    }

    /// Copies out as text; what is not UTF-8 is mended.
    public var string: String { unsafe withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) } }

    /// A decimal number of ASCII digits and nothing else; nil when it is anything else or exceeds `Int`.
    public var decimal: Int? {
        guard byteCount > 0, byteCount <= 19 else { return nil }
        var value = 0
        for offset in 0..<byteCount {
            let digit = self[byte: offset] &- 0x30
            guard digit < 10 else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(Int(digit))
            guard !overflow, !carry else { return nil }
            value = sum
        }
        return value
    }
}

extension StaticString {
    /// Its UTF-8.
    public var bytes: RawSpan {
        @_lifetime(immortal) get {
            // Sound: a static string's bytes live for ever.
            let span = unsafe UnsafeRawBufferPointer(start: utf8Start, count: utf8CodeUnitCount).bytes
            return unsafe _overrideLifetime(span, borrowing: ())
        }
    }
}
