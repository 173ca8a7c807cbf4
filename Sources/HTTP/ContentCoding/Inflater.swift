private import CZlib

/// Undoes gzip or deflate as the body comes, in pieces split anywhere.
///
/// `reset`, then `push` each piece, then `finish`. Owned by one exchange at a time, not shared between threads, and reused for the
/// next: zlib's state (7 KiB, 32 KiB more once a body is longer than the first piece) and the output buffer (16 KiB) are allocated
/// by the first `push` that has bytes, and kept until `release`. Everything that can be decoded comes out with the piece that
/// completes it: nothing waits for more.
///
/// An empty body is an empty body in any coding. Gzip members that follow each other are one body (RFC 1952 §2.2); zero bytes after
/// the last are padding, anything else there is malformed.
@safe public struct Inflater: ~Copyable {
    /// What a body may decode to before it is taken for a bomb.
    public struct Limits: Sendable {
        /// Decoded bytes in all.
        public var bytes: Int
        /// Decoded bytes for each coded one; deflate itself reaches 1032. Counts only once `ratioFrom` bytes are decoded.
        public var ratio: Int
        public var ratioFrom: Int

        public init(bytes: Int = 256 << 20, ratio: Int = 250, ratioFrom: Int = 1 << 20) {
            self.bytes = bytes
            self.ratio = ratio
            self.ratioFrom = ratioFrom
        }
    }

    private enum Position {
        case start
        /// One byte of a deflate body is here: whether it is zlib's head shows with the second.
        case held(UInt8)
        case inside
        case afterEnd
    }

    private let limits: Limits
    private var coding = ContentCoding.gzip
    private var position = Position.start
    private var failure: ContentCodingError?
    /// Coded bytes taken and decoded bytes emitted since `reset`.
    public private(set) var codedBytes = 0
    public private(set) var decodedBytes = 0

    // Sound: all three are allocated together in `prepare` and freed together in `release`; zlib keeps the stream's address, so it
    // must not live inside this struct, which moves.
    private var stream: UnsafeMutablePointer<z_stream>?
    private var output: UnsafeMutableRawBufferPointer?

    private static let outputSize = 16 << 10

    public init(limits: Limits = Limits()) {
        self.limits = limits
    }

    deinit { unsafe Self.free(stream, output) }

    /// Ready for the next body; memory is kept.
    public mutating func reset(_ coding: ContentCoding) {
        self.coding = coding
        position = .start
        failure = nil
        codedBytes = 0
        decodedBytes = 0
    }

    /// Gives the memory back; the next body allocates anew. Only between bodies.
    public mutating func release() {
        unsafe Self.free(stream, output)
        unsafe stream = nil
        unsafe output = nil
        position = .start
    }

    /// Decodes `piece` and calls `emit` with what came out, in turn, none or several times; the bytes are valid inside only.
    /// After an error every further call throws the same.
    public mutating func push(_ piece: RawSpan, _ emit: (RawSpan) -> Void) throws(ContentCodingError) {
        if let failure { throw failure }
        guard piece.byteCount > 0 else { return }
        do {
            try decode(piece, emit)
        } catch {
            failure = error
            throw error
        }
    }

    /// The body has ended: throws `truncated` when what came was not all of it.
    public mutating func finish() throws(ContentCodingError) {
        if let failure { throw failure }
        switch position {
        case .afterEnd: return
        case .start where codedBytes == 0: return
        case .start, .held, .inside:
            failure = .truncated
            throw .truncated
        }
    }

    private mutating func decode(_ piece: RawSpan, _ emit: (RawSpan) -> Void) throws(ContentCodingError) {
        var rest = piece
        codedBytes += piece.byteCount
        if case .start = position, coding == .deflate, piece.byteCount == 1 {
            // Sound: one byte is there.
            position = .held(unsafe piece.unsafeLoad(as: UInt8.self))
            return
        }
        switch position {
        case .start:
            // Sound: at least one byte is there; two where it is deflate.
            let first = unsafe piece.unsafeLoad(as: UInt8.self)
            let second = unsafe piece.byteCount > 1 ? piece.unsafeLoad(fromByteOffset: 1, as: UInt8.self) : 0
            try begin(first, second)
        case .held(let first):
            try begin(first, unsafe piece.unsafeLoad(as: UInt8.self))
            let head = InlineArray<1, UInt8>(repeating: first)
            var firstByte = unsafe head.span.bytes  // sound: a UInt8 has no padding
            try run(&firstByte, emit)
        case .inside, .afterEnd: break
        }
        while rest.byteCount > 0 {
            if case .afterEnd = position {
                // Sound: a byte is there.
                if unsafe rest.unsafeLoad(as: UInt8.self) == 0 {
                    rest = rest.extracting(1..<rest.byteCount)
                    continue
                }
                guard coding == .gzip else { throw .malformed }
                try begin(0, 0)
            }
            try run(&rest, emit)
        }
    }

    /// Sets zlib's state up for a body, or the next gzip member, whose first two bytes these are.
    private mutating func begin(_ first: UInt8, _ second: UInt8) throws(ContentCodingError) {
        let windowBits: Int32
        switch coding {
        case .gzip: windowBits = 15 + 16
        // RFC 1950 §2.2: method 8 and a window of at most 32 KiB, and the two bytes are a multiple of 31. A bare RFC 1951 body
        // cannot look so: it would begin with a stored block whose padding is not zero.
        case .deflate: windowBits = first & 0x0F == 8 && first >> 4 <= 7 && (Int(first) << 8 | Int(second)) % 31 == 0 ? 15 : -15
        }
        try prepare(windowBits)
        position = .inside
    }

    private mutating func prepare(_ windowBits: Int32) throws(ContentCodingError) {
        if let stream = unsafe stream {
            guard unsafe inflateReset2(stream, windowBits) == Z_OK else { throw .outOfMemory }
            return
        }
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())  // zeroed: zlib's own allocator
        guard unsafe inflateInit2_(stream, windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            unsafe stream.deallocate()
            throw .outOfMemory
        }
        unsafe self.stream = stream
        unsafe output = .allocate(byteCount: Self.outputSize, alignment: 16)
    }

    /// Feeds `input` until it is used up or a member ends, whichever is first; `input` becomes what is left.
    private mutating func run(_ input: inout RawSpan, _ emit: (RawSpan) -> Void) throws(ContentCodingError) {
        let (left, ended) = try step(input, emit)
        if ended { position = .afterEnd }
        input = input.extracting(input.byteCount - left..<input.byteCount)
    }

    /// Returns how many bytes of `input` are left and whether the member has ended; they are none unless it has.
    private mutating func step(_ input: RawSpan, _ emit: (RawSpan) -> Void) throws(ContentCodingError) -> (left: Int, ended: Bool) {
        guard let stream = unsafe stream, let output = unsafe output else { throw .outOfMemory }  // `begin` came first
        var failed: ContentCodingError?
        var left = 0
        var ended = false
        // Sound: zlib reads at most `avail_in` bytes at `next_in`, both inside `bytes`, and keeps no pointer past this closure that
        // it would use: both are set before each call. It writes at most `avail_out` bytes into our own buffer.
        unsafe input.withUnsafeBytes { bytes in
            unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
            left = bytes.count
            while true {
                let offered = UInt32(clamping: left)
                unsafe stream.pointee.avail_in = offered
                unsafe stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
                unsafe stream.pointee.avail_out = UInt32(Self.outputSize)
                let code = unsafe inflate(stream, Z_SYNC_FLUSH)
                left -= unsafe Int(offered - stream.pointee.avail_in)
                let produced = unsafe Self.outputSize - Int(stream.pointee.avail_out)
                switch code {
                case Z_OK, Z_BUF_ERROR, Z_STREAM_END: break  // Z_BUF_ERROR: it can do no more without more input
                case Z_MEM_ERROR: failed = .outOfMemory
                default: failed = .malformed
                }
                if produced > 0 {
                    decodedBytes += produced
                    guard isAllowed else {
                        failed = .tooLarge
                        return
                    }
                    // What was decoded before a malformed place is still what was sent.
                    let whole = unsafe UnsafeRawBufferPointer(rebasing: output[..<produced])
                    emit(unsafe whole.bytes)
                }
                ended = code == Z_STREAM_END
                if ended || failed != nil { return }
                // A full buffer may leave output inside zlib; room left over means it has consumed all it was offered.
                if left == 0, produced < Self.outputSize { return }
            }
        }
        if let failed { throw failed }
        return (left, ended)
    }

    private var isAllowed: Bool {
        decodedBytes <= limits.bytes && (decodedBytes <= limits.ratioFrom || decodedBytes / limits.ratio <= codedBytes)
    }

    private static func free(_ stream: UnsafeMutablePointer<z_stream>?, _ output: UnsafeMutableRawBufferPointer?) {
        if let stream = unsafe stream {
            unsafe inflateEnd(stream)
            unsafe stream.deallocate()
        }
        unsafe output?.deallocate()
    }
}
