internal import EventLoop

/// What has been read and not yet used, of one connection. Its memory is the loop's: taken when something is to be read, given back
/// when nothing is left, so that an idle connection holds none.
@safe public final class InputBuffer {
    private let pool: BufferPool
    @usableFromInline var memory: UnsafeMutableRawBufferPointer?
    @usableFromInline var start = 0
    @usableFromInline var end = 0

    init(pool: BufferPool) { self.pool = pool }

    deinit { release() }

    @inlinable public var count: Int { end &- start }
    @inlinable public var isEmpty: Bool { start == end }

    /// What is there to use. Valid until the next call that changes the buffer.
    @inlinable public var bytes: RawSpan {
        @_lifetime(borrow self) get {
            guard let base = unsafe memory?.baseAddress else { return RawSpan() }
            // Sound: start...end are initialised and the memory is kept while self is.
            let span = unsafe UnsafeRawBufferPointer(start: base + start, count: end &- start).bytes
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// The same, to be changed in place.
    @unsafe var mutableBytes: UnsafeMutableRawBufferPointer {
        guard let memory = unsafe memory else { return unsafe UnsafeMutableRawBufferPointer(start: nil, count: 0) }
        return unsafe UnsafeMutableRawBufferPointer(rebasing: memory[start..<end])
    }

    /// The first `count` bytes have been used.
    @inlinable public func consume(_ count: Int) {
        precondition(count >= 0 && count <= end &- start)
        start &+= count
        if start == end {
            start = 0
            end = 0
        }
    }

    /// Room to read into: at least one byte, normally a whole buffer. Grows, up to `limit`, when what is unused fills it.
    @unsafe func room(limit: Int) -> UnsafeMutableRawBufferPointer? {
        guard let memory = unsafe memory else {
            let taken = unsafe pool.take()
            unsafe self.memory = taken
            return unsafe taken
        }
        if end < memory.count, memory.count - end >= 1024 || start == 0 {
            return unsafe UnsafeMutableRawBufferPointer(rebasing: memory[end...])
        }
        if start > 0 {
            unsafe memory.copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[start..<end]))
            end -= start
            start = 0
            return unsafe UnsafeMutableRawBufferPointer(rebasing: memory[end...])
        }
        guard memory.count < limit else { return nil }
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: min(memory.count * 2, limit), alignment: 16)
        unsafe larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[..<end]))
        unsafe pool.giveBack(memory)
        unsafe self.memory = larger
        return unsafe UnsafeMutableRawBufferPointer(rebasing: larger[end...])
    }

    func filled(_ count: Int) { end += count }

    /// Gives the memory back when nothing is left in it.
    public func releaseIfEmpty() { if isEmpty { release() } }

    private func release() {
        if let memory = unsafe memory { unsafe pool.giveBack(memory) }
        unsafe memory = nil
        start = 0
        end = 0
    }
}
