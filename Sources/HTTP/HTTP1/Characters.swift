/// Which bytes may stand where.
enum Characters {
    private static let token = table { byte in
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }

    /// Two 64-bit masks a half: bit n of the table is byte n.
    private static func table(_ belongs: (UInt8) -> Bool) -> (UInt64, UInt64) {
        var low: UInt64 = 0
        var high: UInt64 = 0
        for byte in UInt8(0)..<64 where belongs(byte) { low |= 1 << UInt64(byte) }
        for byte in UInt8(64)..<128 where belongs(byte) { high |= 1 << UInt64(byte - 64) }
        return (low, high)
    }

    /// `tchar` of RFC 9110 §5.6.2.
    @inline(__always) static func isToken(_ byte: UInt8) -> Bool {
        byte < 64 ? tokenLow & (1 << UInt64(byte)) != 0 : byte < 128 && tokenHigh & (1 << UInt64(byte & 63)) != 0
    }

    // The table as constants, so that no lazy initialiser is asked on every byte; a test compares them with `table`.
    static let tokenMasks = token
    @inline(__always) private static var tokenLow: UInt64 { 0x03FF_6CFA_0000_0000 }
    @inline(__always) private static var tokenHigh: UInt64 { 0x57FF_FFFF_C7FF_FFFE }

    /// A letter, a digit or a hyphen.
    @inline(__always) static func isPlain(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 || byte == 0x2D }

    /// Field values: visible characters, space, tab and obs-text (RFC 9110 §5.5).
    @inline(__always) static func isValue(_ byte: UInt8) -> Bool { (byte >= 0x20 && byte != 0x7F) || byte == 0x09 }

    /// Eight bytes at a time: a control character has its top three bits clear, DEL is the one byte that adding 1 makes negative.
    static func areValue(_ bytes: RawSpan) -> Bool {
        unsafe bytes.withUnsafeBytes { bytes in
            var offset = 0
            while offset + 8 <= bytes.count {
                // Sound: inside the buffer.
                let word = unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                let high = word & 0x8080_8080_8080_8080
                // Of bytes below 0x80: below 0x20, or 0x7F. Bytes above count as neither.
                let low = word & 0x7F7F_7F7F_7F7F_7F7F
                let isPrintable = low &+ 0x6060_6060_6060_6060 | high
                let isDelete = (low &+ 0x0101_0101_0101_0101) & ~high
                if (isPrintable & 0x8080_8080_8080_8080) != 0x8080_8080_8080_8080 || isDelete & 0x8080_8080_8080_8080 != 0 {
                    // A tab is allowed after all.
                    for index in offset..<offset + 8 where unsafe !isValue(bytes[index]) { return false }
                }
                offset += 8
            }
            while offset < bytes.count {
                if unsafe !isValue(bytes[offset]) { return false }
                offset += 1
            }
            return true
        }
    }

    /// The first offset from `from` on that is no `tchar`; `to` when all are.
    static func endOfToken(in bytes: RawSpan, from: Int, to: Int) -> Int {
        precondition(from >= 0 && to <= bytes.byteCount)
        return unsafe bytes.withUnsafeBytes { bytes in
            var offset = from
            // Sound: checked above.
            let base = unsafe bytes.baseAddress.unsafelyUnwrapped
            while offset < to, isToken(unsafe base.load(fromByteOffset: offset, as: UInt8.self)) { offset += 1 }
            return offset
        }
    }

    /// Visible ASCII; a fragment has no place in a request target.
    @inline(__always) static func isTarget(_ byte: UInt8) -> Bool { byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "#") }

    /// Of a host with its port (RFC 3986 §3.2.2), without what no name in use has.
    @inline(__always) static func isHost(_ byte: UInt8) -> Bool {
        byte < 64 ? hostLow & (1 << UInt64(byte)) != 0 : byte < 128 && hostHigh & (1 << UInt64(byte & 63)) != 0
    }

    // Digits, letters and `.-_:[]~%`, in the same way.
    @inline(__always) private static var hostLow: UInt64 { 0x07FF_6020_0000_0000 }
    @inline(__always) private static var hostHigh: UInt64 { 0x47FF_FFFE_AFFF_FFFE }
}
