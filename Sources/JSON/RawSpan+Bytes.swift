/// The few ways this room touches bytes. Each is given an offset that its caller has checked against `byteCount`; that is what
/// makes the unchecked loads sound.
extension RawSpan {
    @inline(__always) func byte(_ at: Int) -> UInt8 {
        assert(at >= 0 && at < byteCount)
        return unsafe unsafeLoad(fromUncheckedByteOffset: at, as: UInt8.self)
    }

    /// Two bytes, the first in the lower place; 0 where there are no two.
    @inline(__always) func pair(_ at: Int) -> UInt16 {
        guard at &+ 2 <= byteCount else { return 0 }
        return unsafe UInt16(littleEndian: unsafeLoadUnaligned(fromUncheckedByteOffset: at, as: UInt16.self))
    }

    /// Eight bytes, the first in the lowest place.
    @inline(__always) func word(_ at: Int) -> UInt64 {
        assert(at >= 0 && at + 8 <= byteCount)
        return unsafe UInt64(littleEndian: unsafeLoadUnaligned(fromUncheckedByteOffset: at, as: UInt64.self))
    }

    /// The value of four hexadecimal digits, already checked.
    func hexUnit(_ at: Int) -> UInt32 {
        var unit: UInt32 = 0
        for index in at..<at + 4 {
            let byte = byte(index)
            unit = unit << 4 | UInt32(byte < 0x40 ? byte & 0xF : (byte & 0xF) + 9)
        }
        return unit
    }

    /// The first `\` at or after `from`, or the end.
    func firstBackslash(from: Int) -> Int {
        var at = from
        while at < byteCount, byte(at) != UInt8(ascii: "\\") { at += 1 }
        return at
    }

    func isEqual(to other: RawSpan) -> Bool {
        guard byteCount == other.byteCount else { return false }
        for at in 0..<byteCount where byte(at) != other.byte(at) { return false }
        return true
    }

    func append(to sink: inout [UInt8]) {
        unsafe withUnsafeBytes { unsafe sink.append(contentsOf: $0) }
    }

    func append(_ range: Range<Int>, to sink: inout [UInt8]) {
        extracting(range).append(to: &sink)
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

    /// Whether `text` stands at `start`.
    func begins(with text: StaticString, at start: Int) -> Bool {
        guard byteCount - start >= text.utf8CodeUnitCount else { return false }
        // Sound: a static string's bytes live for ever, and there are as many as are looked at.
        for at in 0..<text.utf8CodeUnitCount where unsafe byte(start + at) != text.utf8Start[at] { return false }
        return true
    }
}
