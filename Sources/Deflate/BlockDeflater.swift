private import CISAL

/// Makes blocks of spans smaller: DEFLATE (RFC 1951), by ISA-L.
///
/// A span costs a sixth of the time to deflate that it costs to write as it is: a page is copied, summed and written into the log,
/// and copied and written again by the checkpoint (measured per span of 1,337 bytes: 0.47 µs and 81 bytes left, against 2.7 µs; level 1
/// takes twice as long for 67 bytes). The result is blocks that end on a byte, none of them final (a full flush): pieces behind
/// one another, with a final block behind them, are one DEFLATE stream, so that a body can be made of stored blocks as they are.
///
/// Used on one thread; reused.
@safe public struct BlockDeflater: ~Copyable {
    // Sound: this struct's alone and freed in `deinit` only.
    private let stream = unsafe UnsafeMutablePointer<isal_zstream>.allocateZeroed()
    private var output: DeflateOutput

    /// - Parameter usualSize: bytes of a block at most, but for rare ones.
    public init(usualSize: Int) { output = DeflateOutput(usualFor: usualSize) }

    deinit { unsafe stream.deallocate() }

    /// The piece before is gone.
    /// - Returns: the CRC-32 of `bytes` (RFC 1952 §8).
    public mutating func deflate(_ bytes: RawSpan) -> UInt32 {
        unsafe isal_deflate_stateless_init(stream)
        unsafe stream.pointee.gzip_flag = UInt16(IGZIP_GZIP_NO_HDR)  // sums the input; the trailer would come with the end of the stream
        unsafe stream.pointee.flush = UInt16(FULL_FLUSH)
        unsafe stream.pointee.end_of_stream = 0
        unsafe output.fill(from: bytes, with: stream)
        return unsafe stream.pointee.internal_state.crc
    }

    /// Calls `body` with the piece last made; valid inside only.
    public func withOutput<Result: ~Copyable, Failure: Error>(_ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result {
        try output.withBytes(body)
    }
}
