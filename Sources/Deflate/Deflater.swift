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
    private var output: UnsafeMutableRawBufferPointer
    private var used = 0

    public init() {
        unsafe stream = nil
        unsafe workspace = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        unsafe output = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    }

    deinit {
        unsafe stream?.deallocate()
        unsafe workspace.deallocate()
        unsafe output.deallocate()
    }

    /// The body before is gone.
    /// - Parameter bytes: less than 4 GiB.
    public mutating func compress(_ bytes: RawSpan) {
        let stream = unsafe start()
        makeRoom(Self.sizeLimit(of: bytes.byteCount))
        // Sound: the library reads `avail_in` bytes at `next_in`, which it does not keep, and writes at most `avail_out` bytes into
        // our own buffer and `level_buf_size` into the workspace; all are set before the call.
        let result = unsafe bytes.withUnsafeBytes { bytes in
            unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
            unsafe stream.pointee.avail_in = UInt32(bytes.count)
            unsafe stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
            unsafe stream.pointee.avail_out = UInt32(output.count)
            return unsafe isal_deflate_stateless(stream)
        }
        precondition(result == COMP_OK, "there is room for whatever comes out, and nothing else can go wrong")
        used = unsafe Int(stream.pointee.total_out)
    }

    /// Bytes of the body.
    public var outputCount: Int { used }

    /// Calls `body` with the gzip body last made; valid inside only.
    public func withOutput<Result: ~Copyable, Failure: Error>(_ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result {
        // Sound: `used` bytes are initialised and `self` is borrowed for the call.
        let bytes = unsafe UnsafeRawBufferPointer(rebasing: output[..<used])
        return try body(unsafe bytes.bytes)
    }

    /// The stream, ready for a body at level 1: level 0 saves little time, level 2 no bytes.
    private mutating func start() -> UnsafeMutablePointer<isal_zstream> {
        let stream = unsafe self.stream ?? .allocate(capacity: 1)
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

    /// What a body can take at most. What does not compress is stored, in blocks of up to 65,535 bytes with a head of 5 each
    /// (RFC 1951 §3.2.4); the wrapper takes 18. The rest is for the library, which may look at the room that is left before it decides.
    private static func sizeLimit(of count: Int) -> Int { count + count / 8192 + 1024 }

    private mutating func makeRoom(_ size: Int) {
        guard unsafe output.count < size else { return }
        unsafe output.deallocate()
        // Pages that nothing is written to take no memory.
        unsafe output = .allocate(byteCount: max(size, 16 << 10), alignment: 64)
    }
}
