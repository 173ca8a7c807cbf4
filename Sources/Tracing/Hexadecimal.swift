/// Lower-case hexadecimal, eight digits at a time within one machine word: ids are read and written for every hop, and digit by
/// digit they cost a thousand instructions a request.
///
/// A word holds eight characters, the first of them in its highest byte. Every step works on all eight bytes at once; none can
/// carry into its neighbour, because all are below 0x80 before anything is added.
enum Hexadecimal {
    /// `byte` eight times.
    @inline(__always)
    private static func every(_ byte: UInt64) -> UInt64 { 0x0101_0101_0101_0101 &* byte }

    /// The value of eight digits `0-9a-f`; nil where one is anything else, upper case included (W3C Trace Context Level 2 §3.2.1).
    @inline(__always)
    static func decode(_ digits: UInt64) -> UInt64? {
        guard digits & every(0x80) == 0 else { return nil }
        // Adding 0x80 - c to a byte sets its high bit exactly when the byte is c or above.
        let decimal = (digits &+ every(0x80 - 0x30)) & ~(digits &+ every(0x80 - 0x3A))
        let letter = (digits &+ every(0x80 - 0x61)) & ~(digits &+ every(0x80 - 0x67))
        guard (decimal | letter) & every(0x80) == every(0x80) else { return nil }
        // Letters have bit 6, decimals have not: 'a' & 15 is 1, and stands for 10.
        var value = (digits & every(0x0F)) &+ ((digits >> 6) & every(1)) &* 9
        value = (value | value >> 4) & 0x00FF_00FF_00FF_00FF
        value = (value | value >> 8) & 0x0000_FFFF_0000_FFFF
        return (value | value >> 16) & 0xFFFF_FFFF
    }

    /// The eight digits of the low 32 bits.
    @inline(__always)
    static func encode(_ value: UInt64) -> UInt64 {
        var digits = value & 0xFFFF_FFFF
        digits = (digits | digits << 16) & 0x0000_FFFF_0000_FFFF
        digits = (digits | digits << 8) & 0x00FF_00FF_00FF_00FF
        digits = (digits | digits << 4) & every(0x0F)
        let isLetter = ((digits &+ every(6)) >> 4) & every(1)
        return digits &+ every(0x30) &+ isLetter &* 0x27
    }

    /// Sixteen digits at `offset`. Traps when they are not all there.
    @inline(__always)
    static func decode16(_ text: RawSpan, at offset: Int) -> UInt64? {
        // Sound: any eight bytes are a UInt64, and both loads are checked against the span's bounds.
        guard
            let high = decode(UInt64(bigEndian: unsafe text.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))),
            let low = decode(UInt64(bigEndian: unsafe text.unsafeLoadUnaligned(fromByteOffset: offset + 8, as: UInt64.self)))
        else { return nil }
        return high << 32 | low
    }

    /// Two digits at `offset`. Traps when they are not both there.
    @inline(__always)
    static func decode2(_ text: RawSpan, at offset: Int) -> UInt8? {
        // Sound: any two bytes are a UInt16, and the load is checked. Six zeros stand before them.
        let pair = UInt16(bigEndian: unsafe text.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self))
        return decode(0x3030_3030_3030_0000 | UInt64(pair)).map { UInt8(truncatingIfNeeded: $0) }
    }

    @inline(__always)
    static func encode16(_ value: UInt64, into text: inout MutableRawSpan, at offset: Int) {
        text.storeBytes(of: encode(value >> 32).bigEndian, toByteOffset: offset, as: UInt64.self)
        text.storeBytes(of: encode(value).bigEndian, toByteOffset: offset + 8, as: UInt64.self)
    }

    @inline(__always)
    static func encode2(_ value: UInt8, into text: inout MutableRawSpan, at offset: Int) {
        text.storeBytes(of: UInt16(truncatingIfNeeded: encode(UInt64(value))).bigEndian, toByteOffset: offset, as: UInt16.self)
    }
}

extension TraceID: CustomStringConvertible {
    /// 32 lower-case hex digits; nil when they are anything else. The zero id is read, though it is not valid.
    public init?(hex: RawSpan) {
        guard hex.byteCount == 32, let high = Hexadecimal.decode16(hex, at: 0), let low = Hexadecimal.decode16(hex, at: 16) else {
            return nil
        }
        self.init(high: high, low: low)
    }

    public init?(hex: String) {
        self.init(hex: unsafe hex.utf8Span.span.bytes)  // sound: a UInt8 has no padding
    }

    /// The 32 digits, without allocation; `.span.bytes` lends them.
    public var hex: [32 of UInt8] {
        var digits = [32 of UInt8](repeating: 0)
        var text = digits.mutableSpan
        var bytes = unsafe text.mutableBytes  // sound: whatever is stored, a byte is a UInt8
        Hexadecimal.encode16(high, into: &bytes, at: 0)
        Hexadecimal.encode16(low, into: &bytes, at: 16)
        return digits
    }

    public var description: String {
        let digits = hex
        return String(copying: unsafe UTF8Span(unchecked: digits.span))  // sound: ASCII
    }
}

extension SpanID: CustomStringConvertible {
    /// 16 lower-case hex digits; nil when they are anything else. The zero id is read, though it is not valid.
    public init?(hex: RawSpan) {
        guard hex.byteCount == 16, let value = Hexadecimal.decode16(hex, at: 0) else { return nil }
        self.init(value)
    }

    public init?(hex: String) {
        self.init(hex: unsafe hex.utf8Span.span.bytes)  // sound: a UInt8 has no padding
    }

    /// The 16 digits, without allocation; `.span.bytes` lends them.
    public var hex: [16 of UInt8] {
        var digits = [16 of UInt8](repeating: 0)
        var text = digits.mutableSpan
        var bytes = unsafe text.mutableBytes  // sound: whatever is stored, a byte is a UInt8
        Hexadecimal.encode16(value, into: &bytes, at: 0)
        return digits
    }

    public var description: String {
        let digits = hex
        return String(copying: unsafe UTF8Span(unchecked: digits.span))  // sound: ASCII
    }
}
