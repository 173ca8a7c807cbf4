private import CISAL
import Runs

/// Makes the spans of a block smaller: DEFLATE (RFC 1951), by ISA-L.
///
/// A span costs a sixth of the time to deflate that it costs to write as it is: a page is copied, summed and written into the log,
/// and copied and written again by the checkpoint (measured per span of 1,337 bytes: 0.47 µs and 81 bytes left, against 2.7 µs; level 1
/// takes twice as long for 67 bytes). The result is blocks that end on a byte, none of them final (a full flush): pieces behind
/// one another, with a final block behind them, are one DEFLATE stream, so that a body can be made of stored blocks as they are.
///
/// Used on one thread; reused.
@safe struct BlockDeflater: ~Copyable {
    // Sound: both are this struct's alone and freed in `deinit` only.
    private let stream = UnsafeMutablePointer<isal_zstream>.allocate(capacity: 1)
    private var output: UnsafeMutableRawBufferPointer

    init() {
        unsafe output = .allocate(byteCount: Self.sizeLimit(of: SpanBlock.fullBytes * 2), alignment: 64)
    }

    deinit {
        unsafe stream.deallocate()
        unsafe output.deallocate()
    }

    /// Puts the deflated bytes into `target`, in place of what it held.
    /// - Returns: the CRC-32 of `bytes` (RFC 1952 §8).
    mutating func deflate(_ bytes: RawSpan, into target: inout PackedBytes) -> UInt32 {
        makeRoom(Self.sizeLimit(of: bytes.byteCount))
        unsafe isal_deflate_stateless_init(stream)
        unsafe stream.pointee.gzip_flag = UInt16(IGZIP_GZIP_NO_HDR)  // sums the input; the trailer would come with the end of the stream
        unsafe stream.pointee.flush = UInt16(FULL_FLUSH)
        unsafe stream.pointee.end_of_stream = 0
        // Sound: the library reads `avail_in` bytes at `next_in`, which it does not keep, and writes at most `avail_out` at `next_out`.
        let result = unsafe bytes.withUnsafeBytes { bytes in
            unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
            unsafe stream.pointee.avail_in = UInt32(bytes.count)
            unsafe stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
            unsafe stream.pointee.avail_out = UInt32(output.count)
            return unsafe isal_deflate_stateless(stream)
        }
        precondition(result == COMP_OK, "there is room for whatever comes out, and nothing else can go wrong")
        let deflated = unsafe UnsafeRawBufferPointer(rebasing: output[..<Int(stream.pointee.total_out)])
        target.removeAll(keeping: 16 << 10)
        target.append(unsafe deflated.bytes)
        return unsafe stream.pointee.internal_state.crc
    }

    /// What does not shrink is stored, in blocks of up to 65,535 bytes with a head of 5 each (RFC 1951 §3.2.4); the rest is for the
    /// library, which may look at the room that is left before it decides.
    private static func sizeLimit(of count: Int) -> Int { count + count / 8192 + 1024 }

    private mutating func makeRoom(_ size: Int) {
        let usual = Self.sizeLimit(of: SpanBlock.fullBytes * 2)
        guard unsafe output.count < size || output.count > max(size, usual) else { return }
        unsafe output.deallocate()
        unsafe output = .allocate(byteCount: max(size, usual), alignment: 64)
    }
}

/// The way back. Used on one thread; reused.
@safe final class BlockInflater {
    // Sound: both are this object's alone and freed in `deinit` only, or made anew between two uses.
    private let state = UnsafeMutablePointer<inflate_state>.allocate(capacity: 1)
    private var output = UnsafeMutableRawBufferPointer.allocate(byteCount: SpanBlock.fullBytes * 2, alignment: 64)

    deinit {
        unsafe state.deallocate()
        unsafe output.deallocate()
    }

    /// Appends the spans of a block as they were encoded.
    /// - Parameters:
    ///   - stored: the column `spans`.
    ///   - size: the column `size`; nil where the spans are stored as they are.
    /// - Returns: false where the block is damaged; nothing is appended then.
    func append(_ stored: RawSpan, size: Int?, to target: inout [UInt8]) -> Bool {
        guard let size else {
            // Sound: the bytes are read inside the closure only.
            unsafe stored.withUnsafeBytes { unsafe target.append(contentsOf: $0) }
            return true
        }
        // DEFLATE makes 258 bytes of two bits at best.
        guard size >= 0, size <= (stored.byteCount + 1) * 1_032 else { return false }
        // One byte more than there should be, so that it shows if there is more.
        makeRoom(size + 1)
        unsafe isal_inflate_init(state)
        // Sound: the library reads `avail_in` bytes at `next_in`, inside the closure, and writes at most `avail_out` at `next_out`.
        let isWhole = unsafe stored.withUnsafeBytes { stored in
            unsafe state.pointee.next_in = UnsafeMutablePointer(mutating: stored.baseAddress?.assumingMemoryBound(to: UInt8.self))
            unsafe state.pointee.avail_in = UInt32(clamping: stored.count)
            unsafe state.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
            unsafe state.pointee.avail_out = UInt32(clamping: size + 1)
            return unsafe isal_inflate(state) == ISAL_DECOMP_OK && state.pointee.total_out == UInt32(clamping: size)
        }
        guard isWhole else { return false }
        unsafe target.append(contentsOf: UnsafeRawBufferPointer(rebasing: output[..<size]))
        return true
    }

    private func makeRoom(_ size: Int) {
        guard unsafe output.count < size || output.count > max(size, SpanBlock.fullBytes * 2) else { return }
        unsafe output.deallocate()
        unsafe output = .allocate(byteCount: max(size, SpanBlock.fullBytes * 2), alignment: 64)
    }
}
