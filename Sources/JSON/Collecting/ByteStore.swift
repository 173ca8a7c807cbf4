/// Bytes one after the other, in storage that is kept when they are forgotten: an array whose `removeAll` and `append` cost next to
/// nothing, which matters where both are done for every exchange.
@frozen public struct ByteStore {
    @usableFromInline var storage: [UInt8] = []
    @usableFromInline var used = 0

    @inlinable public init() {}

    @inlinable public var count: Int { used }

    @inlinable public var isEmpty: Bool { used == 0 }

    /// Forgets all bytes; storage that something unusual has grown is given back.
    @inlinable public mutating func removeAll() {
        used = 0
        if storage.count > 16 << 10 { storage = [] }
    }

    @inlinable public mutating func append(_ bytes: RawSpan) {
        let end = used + bytes.byteCount
        if end > storage.count { grow(to: end) }
        let start = used
        // Sound: there is room for all of `bytes` behind `start`, and an array's bytes are not those of a borrowed span.
        unsafe storage.withUnsafeMutableBytes { storage in
            unsafe bytes.withUnsafeBytes { unsafe UnsafeMutableRawBufferPointer(rebasing: storage[start...]).copyMemory(from: $0) }
        }
        used = end
    }

    /// Keeps the first `count` bytes.
    public mutating func truncate(to count: Int) { used = min(used, count) }

    /// All bytes.
    @inlinable public var span: RawSpan {
        @_lifetime(borrow self) borrowing get {
            // Sound: bytes have no padding; `used` is never more than the storage has.
            unsafe storage.span.bytes.extracting(0..<used)
        }
    }

    @usableFromInline mutating func grow(to size: Int) {
        storage.append(contentsOf: repeatElement(0, count: max(112, size, storage.count * 2) - storage.count))
    }
}
