/// Reads what `PackedBytes` wrote. Bytes from a damaged file never trap: past the end every read gives zero or nothing, and
/// `isBroken` says so; ask it once, at the end.
public struct PackedReader: ~Escapable {
    private let bytes: RawSpan
    public private(set) var offset = 0
    public private(set) var isBroken = false

    @_lifetime(copy bytes)
    public init(_ bytes: RawSpan) { self.bytes = bytes }

    public var isAtEnd: Bool { offset >= bytes.byteCount }

    public mutating func byte() -> UInt8 {
        guard offset < bytes.byteCount else { return broken() }
        // Sound: the offset was just compared.
        let value = unsafe bytes.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
        offset += 1
        return value
    }

    public mutating func fixed() -> UInt64 {
        guard bytes.byteCount - offset >= 8 else {
            offset = bytes.byteCount
            return UInt64(broken())
        }
        // Sound: eight bytes are there.
        let value = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
        offset += 8
        return UInt64(littleEndian: value)
    }

    public mutating func varint() -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let next = byte()
            value |= UInt64(next & 0x7F) << shift
            if next < 0x80 { return value }
            shift += 7
            if shift > 63 { return UInt64(broken()) }
        }
    }

    /// A count or length; one that cannot be an `Int` breaks the reader.
    public mutating func count() -> Int {
        let value = varint()
        guard let count = Int(exactly: value) else { return Int(broken()) }
        return count
    }

    public mutating func zigzag() -> Int64 {
        let value = varint()
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    public mutating func wide() -> Int128 {
        var value: UInt128 = 0
        var shift: UInt128 = 0
        while true {
            let next = byte()
            value |= UInt128(next & 0x7F) << shift
            if next < 0x80 { return Int128(bitPattern: value >> 1) ^ -Int128(bitPattern: value & 1) }
            shift += 7
            if shift > 127 { return Int128(broken()) }
        }
    }

    /// The next `length` bytes; empty, and the reader broken, where fewer are left.
    @_lifetime(copy self)
    public mutating func take(_ length: Int) -> RawSpan {
        guard length >= 0, bytes.byteCount - offset >= length else {
            offset = bytes.byteCount
            isBroken = true
            return bytes.extracting(0..<0)
        }
        let taken = bytes.extracting(offset..<offset + length)
        offset += length
        return taken
    }

    private mutating func broken() -> UInt8 {
        isBroken = true
        return 0
    }
}

extension String {
    /// UTF-8; what is not is mended.
    package init(utf8 bytes: RawSpan) {
        // Sound: the bytes are read inside the closure only.
        self = unsafe bytes.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
    }
}

extension [UInt8] {
    /// These bytes, as the readers take them.
    package var raw: RawSpan {
        @_lifetime(borrow self)
        get { unsafe span.bytes }  // sound: a byte has no padding
    }
}
