/// Memory for the messages of one span or one request: taken by moving an offset, given back all at once.
///
/// After the first few spans it has one block of the right size, and neither takes nor gives memory any more.
@safe struct Arena: ~Copyable {
    private var block: UnsafeMutableRawBufferPointer
    private var used = 0
    /// Blocks that ran full since the last reset; what was taken from them is still in use.
    private var full: [UnsafeMutableRawBufferPointer] = unsafe []

    init(capacity: Int = 4096) {
        unsafe block = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit {
        for index in unsafe full.indices { unsafe full[index].deallocate() }
        unsafe block.deallocate()
    }

    /// Everything that was taken is invalid from now on.
    mutating func reset() {
        used = 0
        guard unsafe !full.isEmpty else { return }
        var size = unsafe block.count
        unsafe block.deallocate()
        while let last = unsafe full.popLast() {
            size += last.count
            unsafe last.deallocate()
        }
        unsafe block = .allocate(byteCount: size, alignment: 16)
    }

    /// Uninitialised bytes, aligned to 16, valid until the next `reset`.
    mutating func bytes(_ count: Int) -> UnsafeMutableRawBufferPointer {
        let size = (count + 15) & ~15
        if unsafe used + size > block.count {
            unsafe full.append(block)
            unsafe block = .allocate(byteCount: max(block.count * 2, size), alignment: 16)
            used = 0
        }
        defer { used += size }
        // Sound: the room was just made; rebasing checks it.
        return unsafe UnsafeMutableRawBufferPointer(rebasing: block[used..<used + count])
    }

    /// Uninitialised room for so many values of a C type, valid until the next `reset`.
    mutating func room<Value>(for count: Int, of type: Value.Type) -> UnsafeMutablePointer<Value> {
        // Sound: C structs and pointers are aligned to 16 or less, and nothing else has this memory.
        unsafe bytes(max(count, 1) * MemoryLayout<Value>.stride).bindMemory(to: type).baseAddress!
    }

    /// A copy of the bytes, for a C struct to point at until the next `reset`.
    mutating func copy(_ source: RawSpan) -> UnsafeRawBufferPointer {
        let target = unsafe bytes(source.byteCount)
        // Sound: `target` has just as many bytes.
        unsafe source.withUnsafeBytes { unsafe target.copyMemory(from: $0) }
        return UnsafeRawBufferPointer(target)
    }

    mutating func copy(_ source: [UInt8]) -> UnsafeRawBufferPointer {
        unsafe copy(source.span.bytes)  // sound: a UInt8 has no padding
    }
}
