internal import CISAL

extension UnsafeMutablePointer where Pointee == isal_zstream {
    /// Memory for a stream, all zeroes: the library's own initialisation leaves out members that are for its user to set, among them how
    /// far back matches may lie (`hist_bits`).
    @unsafe static func allocateZeroed() -> Self {
        let stream = unsafe Self.allocate(capacity: 1)
        // Sound: there are as many bytes, and zeroes are a value of every member.
        unsafe UnsafeMutableRawPointer(stream).initializeMemory(as: UInt8.self, repeating: 0, count: MemoryLayout<isal_zstream>.size)
        return unsafe stream
    }
}

/// What one call of the library makes of a whole buffer. Used on one thread; its memory is used again, and what a rare large buffer
/// took is given back with the next usual one.
@safe struct DeflateOutput: ~Copyable {
    // Sound: this struct's alone, and freed in `deinit` or to be replaced.
    private var memory: UnsafeMutableRawBufferPointer
    private let usualSize: Int
    private(set) var count = 0

    /// - Parameter input: bytes of a buffer that is usual.
    init(usualFor input: Int) {
        usualSize = Self.sizeLimit(of: input)
        // Pages that nothing is written to take no memory.
        unsafe memory = .allocate(byteCount: usualSize, alignment: 64)
    }

    deinit { unsafe memory.deallocate() }

    /// Deflates the bytes; what was there before is gone.
    /// - Parameters:
    ///   - bytes: less than 4 GiB.
    ///   - stream: set up, but for input and output.
    @unsafe mutating func fill(from bytes: RawSpan, with stream: UnsafeMutablePointer<isal_zstream>) {
        makeRoom(Self.sizeLimit(of: bytes.byteCount))
        // Sound: the library reads `avail_in` bytes at `next_in`, which it does not keep, and writes at most `avail_out` at `next_out`.
        let result = unsafe bytes.withUnsafeBytes { bytes in
            unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
            unsafe stream.pointee.avail_in = UInt32(bytes.count)
            unsafe stream.pointee.next_out = memory.baseAddress?.assumingMemoryBound(to: UInt8.self)
            unsafe stream.pointee.avail_out = UInt32(memory.count)
            return unsafe isal_deflate_stateless(stream)
        }
        precondition(result == COMP_OK, "there is room for whatever comes out, and nothing else can go wrong")
        count = unsafe Int(stream.pointee.total_out)
    }

    /// Calls `body` with the bytes; valid inside only.
    func withBytes<Result: ~Copyable, Failure: Error>(_ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result {
        // Sound: `count` bytes are initialised and `self` is borrowed for the call.
        let bytes = unsafe UnsafeRawBufferPointer(rebasing: memory[..<count])
        return try body(unsafe bytes.bytes)
    }

    /// What does not shrink is stored, in blocks of up to 65,535 bytes with a head of 5 each (RFC 1951 §3.2.4); a wrapper takes 18 (RFC
    /// 1952). The rest is for the library, which may look at the room that is left before it decides.
    private static func sizeLimit(of count: Int) -> Int { count + count / 8192 + 1024 }

    private mutating func makeRoom(_ size: Int) {
        guard unsafe memory.count < size || (memory.count > usualSize && size <= usualSize) else { return }
        unsafe memory.deallocate()
        unsafe memory = .allocate(byteCount: max(size, usualSize), alignment: 64)
    }
}
