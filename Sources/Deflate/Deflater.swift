private import CISAL

/// Makes a gzip body (RFC 1952) of a whole buffer, into a buffer of its own.
///
/// ISA-L and not zlib: it compresses a batch of spans ten times as fast, and no worse (measured: 0.38 µs and 87 bytes a span of
/// 1,337 bytes; zlib at its fastest 3.5 µs and 89 bytes, libdeflate 1.8 µs and 88).
///
/// Owned by one thread; reused for the next body, so that the compressor's state (about 230 KiB) is taken once, by the first one.
/// The head names no file and no time: equal input gives equal output.
@safe public struct Deflater: ~Copyable {
    // Sound: each has the size the library asks for, belongs to this struct alone and is freed in `deinit` only.
    private var stream: UnsafeMutablePointer<isal_zstream>?
    private var workspace: UnsafeMutableRawBufferPointer
    private var output = DeflateOutput(usualFor: 16 << 10)

    public init() {
        unsafe stream = nil
        unsafe workspace = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    }

    deinit {
        unsafe stream?.deallocate()
        unsafe workspace.deallocate()
    }

    /// The body before is gone.
    /// - Parameter bytes: less than 4 GiB.
    public mutating func compress(_ bytes: RawSpan) {
        // Sound: the workspace is as long as the stream is told.
        unsafe output.fill(from: bytes, with: start())
    }

    /// Calls `body` with the gzip body last made; valid inside only.
    public func withOutput<Result: ~Copyable, Failure: Error>(_ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result {
        try output.withBytes(body)
    }

    /// The stream, ready for a body at level 1: level 0 saves little time, level 2 no bytes.
    private mutating func start() -> UnsafeMutablePointer<isal_zstream> {
        let stream = unsafe self.stream ?? .allocateZeroed()
        if unsafe self.stream == nil {
            unsafe self.stream = stream
            unsafe workspace = .allocate(byteCount: Int(hopspan_level1_workspace), alignment: 64)
        }
        unsafe isal_deflate_stateless_init(stream)
        unsafe stream.pointee.level = 1
        unsafe stream.pointee.level_buf = workspace.baseAddress?.assumingMemoryBound(to: UInt8.self)
        unsafe stream.pointee.level_buf_size = UInt32(workspace.count)
        unsafe stream.pointee.gzip_flag = UInt16(IGZIP_GZIP)
        unsafe stream.pointee.end_of_stream = 1
        return unsafe stream
    }
}
