private import CISAL

/// The way back from `BlockDeflater`. Used on one thread; reused.
@safe public final class BlockInflater {
    // Sound: both are this object's alone and freed in `deinit` only, or made anew between two uses.
    private let state = UnsafeMutablePointer<inflate_state>.allocate(capacity: 1)
    private var output: UnsafeMutableRawBufferPointer
    private let usualSize: Int

    /// - Parameter usualSize: bytes of a block at most, but for rare ones.
    public init(usualSize: Int) {
        self.usualSize = usualSize
        unsafe output = .allocate(byteCount: usualSize, alignment: 64)
    }

    deinit {
        unsafe state.deallocate()
        unsafe output.deallocate()
    }

    /// Appends what a block holds.
    /// - Parameters:
    ///   - stored: the block, deflated.
    ///   - size: bytes it becomes; nil where it is not deflated.
    ///   - wanted: so many of the first are enough; nil for all.
    /// - Returns: false where the block is damaged; nothing is appended then.
    public func append(_ stored: RawSpan, size: Int?, first wanted: Int? = nil, to target: inout [UInt8]) -> Bool {
        guard let size else {
            // Sound: the bytes are read inside the closure only.
            unsafe stored.withUnsafeBytes { unsafe target.append(contentsOf: $0) }
            return true
        }
        // DEFLATE makes 258 bytes of two bits at best.
        guard size >= 0, size <= (stored.byteCount + 1) * 1_032 else { return false }
        let count = min(max(wanted ?? size, 0), size)
        // Of all, one byte more than there should be, so that it shows if there is more.
        let room = count == size ? size + 1 : count
        makeRoom(size + 1)
        unsafe isal_inflate_init(state)
        // Sound: the library reads `avail_in` bytes at `next_in`, inside the closure, and writes at most `avail_out` at `next_out`.
        let isWhole = unsafe stored.withUnsafeBytes { stored in
            unsafe state.pointee.next_in = UnsafeMutablePointer(mutating: stored.baseAddress?.assumingMemoryBound(to: UInt8.self))
            unsafe state.pointee.avail_in = UInt32(clamping: stored.count)
            unsafe state.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
            unsafe state.pointee.avail_out = UInt32(clamping: room)
            return unsafe isal_inflate(state) == ISAL_DECOMP_OK && state.pointee.total_out == UInt32(clamping: count)
        }
        guard isWhole else { return false }
        unsafe target.append(contentsOf: UnsafeRawBufferPointer(rebasing: output[..<count]))
        return true
    }

    private func makeRoom(_ size: Int) {
        guard unsafe output.count < size || output.count > max(size, usualSize) else { return }
        unsafe output.deallocate()
        unsafe output = .allocate(byteCount: max(size, usualSize), alignment: 64)
    }
}
