/// Read buffers of one size, kept for the next connection that has something to read. One pool a loop.
@safe public final class BufferPool {
    /// One read's worth: an answer's head and a good part of its body.
    public static let bufferSize = 16 << 10
    private static let kept = 256
    private var spare: [UnsafeMutableRawBufferPointer] = unsafe []

    init() {}

    deinit { for unsafe buffer in unsafe spare { unsafe buffer.deallocate() } }

    @unsafe public func take() -> UnsafeMutableRawBufferPointer {
        unsafe spare.popLast() ?? .allocate(byteCount: Self.bufferSize, alignment: 16)
    }

    @unsafe public func giveBack(_ buffer: UnsafeMutableRawBufferPointer) {
        if unsafe buffer.count == Self.bufferSize && spare.count < Self.kept {
            unsafe spare.append(buffer)
        } else {
            unsafe buffer.deallocate()
        }
    }
}
