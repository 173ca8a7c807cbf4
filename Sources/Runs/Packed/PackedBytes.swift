/// A growing list of bytes in the form the store's rows have: base-128 varints (least significant group first), little-endian
/// fixed words, and plain bytes. Reused from row to row (`removeAll` keeps the memory). Not shared between threads.
@safe public struct PackedBytes: ~Copyable {
    @usableFromInline var storage: UnsafeMutableRawBufferPointer
    @usableFromInline var used = 0

    /// Bytes written so far.
    @inlinable public var count: Int { used }

    public init(capacity: Int = 256) {
        unsafe storage = .allocate(byteCount: capacity, alignment: 8)
    }

    deinit { unsafe storage.deallocate() }

    /// Empty again; memory that one huge row has grown is given back beyond `keeping` bytes.
    public mutating func removeAll(keeping limit: Int = 1 << 20) {
        used = 0
        guard unsafe storage.count > limit else { return }
        unsafe storage.deallocate()
        unsafe storage = .allocate(byteCount: limit, alignment: 8)
    }

    /// The bytes so far.
    public func withBytes<Result, Failure: Error>(_ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result {
        // Sound: `used` bytes are initialised, and `self` is borrowed for the call.
        try body(unsafe UnsafeRawBufferPointer(rebasing: storage[..<used]).bytes)
    }

    @inlinable @inline(__always) public mutating func append(byte: UInt8) {
        // Sound, here and below: the room was just made.
        unsafe room(for: 1).storeBytes(of: byte, as: UInt8.self)
        used &+= 1
    }

    @inlinable public mutating func append(fixed word: UInt64) {
        unsafe room(for: 8).storeBytes(of: word.littleEndian, as: UInt64.self)
        used &+= 8
    }

    /// Most take one byte.
    @inlinable @inline(__always) public mutating func append(varint value: UInt64) {
        guard value < 0x80 else { return appendLong(varint: value) }
        append(byte: UInt8(truncatingIfNeeded: value))
    }

    @usableFromInline @inline(never) mutating func appendLong(varint value: UInt64) {
        let place = unsafe room(for: 10)
        var rest = value
        var length = 0
        while rest >= 0x80 {
            unsafe place.storeBytes(of: UInt8(truncatingIfNeeded: rest) | 0x80, toByteOffset: length, as: UInt8.self)
            rest >>= 7
            length &+= 1
        }
        unsafe place.storeBytes(of: UInt8(truncatingIfNeeded: rest), toByteOffset: length, as: UInt8.self)
        used &+= length &+ 1
    }

    /// A count: 0 where it is negative.
    @inlinable @inline(__always) public mutating func append(varint value: Int) { append(varint: UInt64(clamping: value)) }
    @inlinable @inline(__always) public mutating func append(varint value: Int64) { append(varint: UInt64(clamping: value)) }

    /// Signed, small magnitudes short (zigzag).
    @inlinable @inline(__always) public mutating func append(zigzag value: Int64) {
        append(varint: UInt64(bitPattern: (value << 1) ^ (value >> 63)))
    }

    /// A 128-bit signed number as a zigzag varint: an amount of money takes eight or nine bytes.
    public mutating func append(wide value: Int128) {
        let place = unsafe room(for: 19)
        let zigzag = UInt128(bitPattern: (value << 1) ^ (value >> 127))
        // Half a word at a time: 56 bits are eight groups.
        var length = 0
        var rest = zigzag
        while rest >> 56 != 0 {
            var groups = UInt64(truncatingIfNeeded: rest)
            for _ in 0..<8 {
                unsafe place.storeBytes(of: UInt8(truncatingIfNeeded: groups) | 0x80, toByteOffset: length, as: UInt8.self)
                groups >>= 7
                length &+= 1
            }
            rest >>= 56
        }
        used &+= length
        append(varint: UInt64(truncatingIfNeeded: rest))
    }

    public mutating func append(_ bytes: RawSpan) {
        guard bytes.byteCount > 0 else { return }
        let target = unsafe UnsafeMutableRawBufferPointer(start: room(for: bytes.byteCount), count: bytes.byteCount)
        unsafe bytes.withUnsafeBytes { unsafe target.copyMemory(from: $0) }
        used += bytes.byteCount
    }

    /// Where the next bytes go; there is room for as many.
    @inlinable @inline(__always) mutating func room(for bytes: Int) -> UnsafeMutableRawPointer {
        if unsafe bytes > storage.count &- used { grow(by: bytes) }
        return unsafe storage.baseAddress.unsafelyUnwrapped + used
    }

    @usableFromInline @inline(never) mutating func grow(by bytes: Int) {
        let larger = unsafe UnsafeMutableRawBufferPointer.allocate(byteCount: max(storage.count * 2, used + bytes), alignment: 8)
        unsafe larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: storage[..<used]))
        unsafe storage.deallocate()
        unsafe storage = larger
    }
}
