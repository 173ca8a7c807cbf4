/// Bytes one after the other, in storage that is kept when they are forgotten: an array whose `removeAll` and `append` cost next to
/// nothing, which matters where both are done for every exchange.
struct ByteStore {
    private var storage: [UInt8] = []
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    /// Forgets all bytes; storage that something unusual has grown is given back.
    mutating func removeAll() {
        count = 0
        if storage.count > 16 << 10 { storage = [] }
    }

    mutating func append(_ bytes: RawSpan) {
        let end = count + bytes.byteCount
        if end > storage.count { grow(to: end) }
        let start = count
        // Sound: there is room for all of `bytes` behind `start`, and an array's bytes are not those of a borrowed span.
        unsafe storage.withUnsafeMutableBytes { storage in
            unsafe bytes.withUnsafeBytes { unsafe UnsafeMutableRawBufferPointer(rebasing: storage[start...]).copyMemory(from: $0) }
        }
        count = end
    }

    /// Keeps the first `count` bytes.
    mutating func truncate(to count: Int) { self.count = min(self.count, count) }

    /// All bytes.
    var span: RawSpan {
        @_lifetime(borrow self) borrowing get {
            // Sound: bytes have no padding; `count` is never more than the storage has.
            unsafe storage.span.bytes.extracting(0..<count)
        }
    }

    private mutating func grow(to size: Int) {
        storage.append(contentsOf: repeatElement(0, count: max(256, size, storage.count * 2) - storage.count))
    }
}
