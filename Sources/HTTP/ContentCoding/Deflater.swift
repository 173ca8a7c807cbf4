private import CZlib

/// Makes a gzip body (RFC 1952) of one buffer or of several pieces, into a buffer of its own.
///
/// `begin`, `append` each piece, `finish`, read `withOutput`. Owned by one thread; reused for the next body, so that zlib's state
/// (about 270 KiB) is set up once, by the first `begin`. The head names no file and no time: equal input gives equal output.
@safe public struct Deflater: ~Copyable {
    private let level: Int32
    // Sound: zlib keeps the stream's address, so it lives outside this struct, which moves; both are freed in `deinit` only.
    private var stream: UnsafeMutablePointer<z_stream>?
    private var output: UnsafeMutableRawBufferPointer
    private var used = 0

    /// - Parameter level: 1 is fastest, 9 smallest; 1 is what pays for OTLP.
    public init(level: Int = 1) {
        precondition((1...9).contains(level))
        self.level = Int32(level)
        unsafe output = .allocate(byteCount: 16 << 10, alignment: 16)
    }

    deinit {
        if let stream = unsafe stream {
            unsafe deflateEnd(stream)
            unsafe stream.deallocate()
        }
        unsafe output.deallocate()
    }

    /// One whole buffer: `begin`, `append`, `finish`.
    public mutating func compress(_ bytes: RawSpan) throws(ContentCodingError) {
        try begin()
        append(bytes)
        finish()
    }

    /// Starts the next body; the one before is gone. Throws `outOfMemory` only.
    public mutating func begin() throws(ContentCodingError) {
        used = 0
        if let stream = unsafe stream {
            unsafe deflateReset(stream)
            return
        }
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())  // zeroed: zlib's own allocator
        let code = unsafe deflateInit2_(
            stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard code == Z_OK else {
            unsafe stream.deallocate()
            throw .outOfMemory
        }
        unsafe self.stream = stream
    }

    public mutating func append(_ piece: RawSpan) {
        run(piece, Z_NO_FLUSH)
    }

    public mutating func finish() {
        run(RawSpan(), Z_FINISH)
    }

    /// Bytes written since `begin`; all of the body once `finish` was called.
    public var outputCount: Int { used }

    /// Calls `body` with the bytes written since `begin`; valid inside only.
    public func withOutput<Result: ~Copyable, Failure: Error>(_ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result {
        // Sound: `used` bytes are initialised and `self` is borrowed for the call.
        let bytes = unsafe UnsafeRawBufferPointer(rebasing: output[..<used])
        return try body(unsafe bytes.bytes)
    }

    private mutating func run(_ piece: RawSpan, _ flush: Int32) {
        guard let stream = unsafe stream else { preconditionFailure("begin comes first") }
        // Sound: zlib reads at most `avail_in` bytes at `next_in`, inside `bytes`, and writes at most `avail_out` bytes into our own
        // buffer; all four are set before each call.
        unsafe piece.withUnsafeBytes { bytes in
            unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
            var left = bytes.count
            while true {
                if unsafe used == output.count { grow() }
                let offered = UInt32(clamping: left)
                let room = unsafe UInt32(clamping: output.count - used)
                unsafe stream.pointee.avail_in = offered
                unsafe stream.pointee.next_out = output.baseAddress?.advanced(by: used).assumingMemoryBound(to: UInt8.self)
                unsafe stream.pointee.avail_out = room
                let code = unsafe deflate(stream, flush)
                precondition(code != Z_STREAM_ERROR, "append after finish")
                left -= unsafe Int(offered - stream.pointee.avail_in)
                used += unsafe Int(room - stream.pointee.avail_out)
                // Room left over means zlib holds nothing back but what it keeps for later matches.
                if unsafe code == Z_STREAM_END || (left == 0 && stream.pointee.avail_out > 0) { return }
            }
        }
    }

    private mutating func grow() {
        let larger = unsafe UnsafeMutableRawBufferPointer.allocate(byteCount: output.count * 2, alignment: 16)
        unsafe larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: output[..<used]))
        unsafe output.deallocate()
        unsafe output = larger
    }
}
