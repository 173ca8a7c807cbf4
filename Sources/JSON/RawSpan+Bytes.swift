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
}
