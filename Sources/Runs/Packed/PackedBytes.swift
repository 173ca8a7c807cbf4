/// A growing list of bytes in the form the store's rows have: base-128 varints (least significant group first), little-endian
/// fixed words, and plain bytes. Reused from row to row (`removeAll` keeps the memory). Not shared between threads.
@safe public struct PackedBytes: ~Copyable {
    private var storage: UnsafeMutableRawBufferPointer
    /// Bytes written so far.
    public private(set) var count: Int

    public init(capacity: Int = 256) {
        unsafe storage = .allocate(byteCount: capacity, alignment: 8)
        count = 0
    }

    deinit { unsafe storage.deallocate() }

    /// Empty again; memory that one huge row has grown is given back beyond `keeping` bytes.
    public mutating func removeAll(keeping limit: Int = 1 << 20) {
        count = 0
        guard unsafe storage.count > limit else { return }
        unsafe storage.deallocate()
        unsafe storage = .allocate(byteCount: limit, alignment: 8)
    }

    /// The bytes so far.
    public func withBytes<Result, Failure: Error>(_ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result {
        // Sound: `count` bytes are initialised, and `self` is borrowed for the call.
        try body(unsafe UnsafeRawBufferPointer(rebasing: storage[..<count]).bytes)
    }

    public mutating func append(byte: UInt8) {
        room(for: 1)
        unsafe storage.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count += 1
    }

    public mutating func append(fixed word: UInt64) {
        room(for: 8)
        unsafe storage.storeBytes(of: word.littleEndian, toByteOffset: count, as: UInt64.self)
        count += 8
    }

    public mutating func append(varint value: UInt64) {
        room(for: 10)
        var rest = value
        var offset = count
        while rest >= 0x80 {
            unsafe storage.storeBytes(of: UInt8(truncatingIfNeeded: rest) | 0x80, toByteOffset: offset, as: UInt8.self)
            rest >>= 7
            offset += 1
        }
        unsafe storage.storeBytes(of: UInt8(truncatingIfNeeded: rest), toByteOffset: offset, as: UInt8.self)
        count = offset + 1
    }

    /// A count: 0 where it is negative.
    public mutating func append(varint value: Int) { append(varint: UInt64(clamping: value)) }
    public mutating func append(varint value: Int64) { append(varint: UInt64(clamping: value)) }

    /// Signed, small magnitudes short (zigzag).
    public mutating func append(zigzag value: Int64) {
        append(varint: UInt64(bitPattern: (value << 1) ^ (value >> 63)))
    }

    /// A 128-bit signed number as a zigzag varint: an amount of money takes eight or nine bytes.
    public mutating func append(wide value: Int128) {
        room(for: 19)
        var rest = UInt128(bitPattern: (value << 1) ^ (value >> 127))
        var offset = count
        while rest >= 0x80 {
            unsafe storage.storeBytes(of: UInt8(truncatingIfNeeded: rest) | 0x80, toByteOffset: offset, as: UInt8.self)
            rest >>= 7
            offset += 1
        }
        unsafe storage.storeBytes(of: UInt8(truncatingIfNeeded: rest), toByteOffset: offset, as: UInt8.self)
        count = offset + 1
    }

    public mutating func append(_ bytes: RawSpan) {
        room(for: bytes.byteCount)
        let target = unsafe UnsafeMutableRawBufferPointer(rebasing: storage[count...])
        // Sound: `room` made the target at least as long as the source.
        unsafe bytes.withUnsafeBytes { unsafe target.copyMemory(from: $0) }
        count += bytes.byteCount
    }

    private mutating func room(for bytes: Int) {
        if unsafe count + bytes > storage.count { grow(to: count + bytes) }
    }

    private mutating func grow(to size: Int) {
        let larger = unsafe UnsafeMutableRawBufferPointer.allocate(byteCount: max(storage.count * 2, size), alignment: 8)
        unsafe larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: storage[..<count]))
        unsafe storage.deallocate()
        unsafe storage = larger
    }
}
