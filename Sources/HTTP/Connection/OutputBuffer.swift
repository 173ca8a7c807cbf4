/// Bytes that are being put together to be sent: heads, chunk sizes, whole small bodies. Reused, grows, never shrinks below use.
@safe public final class OutputBuffer {
    private var memory: UnsafeMutableRawBufferPointer
    public private(set) var count = 0

    public init(capacity: Int = 1024) { unsafe memory = .allocate(byteCount: capacity, alignment: 16) }

    deinit { unsafe memory.deallocate() }

    public var bytes: RawSpan {
        @_lifetime(borrow self) get {
            // Sound: `count` bytes are initialised; the memory is kept while self is.
            let span = unsafe UnsafeRawBufferPointer(rebasing: memory[..<count]).bytes
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    public func removeAll() {
        count = 0
        if unsafe memory.count > 256 << 10 {
            unsafe memory.deallocate()
            unsafe memory = .allocate(byteCount: 1024, alignment: 16)
        }
    }

    public func append(_ text: StaticString) {
        let length = text.utf8CodeUnitCount
        room(for: length)
        unsafe (memory.baseAddress! + count).copyMemory(from: text.utf8Start, byteCount: length)
        count += length
    }

    public func append(_ bytes: RawSpan) {
        let length = bytes.byteCount
        guard length > 0 else { return }
        room(for: length)
        unsafe bytes.withUnsafeBytes { unsafe (memory.baseAddress! + count).copyMemory(from: $0.baseAddress!, byteCount: length) }
        count += length
    }

    public func append(_ text: String) {
        var text = text
        text.withUTF8 { append(unsafe UnsafeRawBufferPointer($0).bytes) }
    }

    public func append(byte: UInt8) {
        room(for: 1)
        unsafe memory[count] = byte
        count += 1
    }

    public func append(decimal value: Int) {
        room(for: 20)
        var rest = value.magnitude
        var digits: InlineArray<20, UInt8> = .init(repeating: 0)
        var length = 0
        repeat {
            digits[length] = UInt8(truncatingIfNeeded: rest % 10) + 0x30
            rest /= 10
            length += 1
        } while rest > 0
        if value < 0 { append(byte: UInt8(ascii: "-")) }
        while length > 0 {
            length -= 1
            unsafe memory[count] = digits[length]
            count += 1
        }
    }

    /// Lower-case, without leading zeros: a chunk's size (RFC 9112 §7.1).
    public func append(hex value: Int) {
        room(for: 16)
        var shift = max(0, (Int.bitWidth - 1 - max(value, 1).leadingZeroBitCount) / 4 * 4)
        while shift >= 0 {
            let digit = UInt8(truncatingIfNeeded: value >> shift) & 0xF
            unsafe memory[count] = digit < 10 ? digit + 0x30 : digit + 0x57
            count += 1
            shift -= 4
        }
    }

    /// Room for `length` bytes that the caller writes itself, and takes with `wrote`.
    @unsafe public func reserve(_ length: Int) -> UnsafeMutableRawBufferPointer {
        room(for: length)
        return unsafe UnsafeMutableRawBufferPointer(rebasing: memory[count..<count + length])
    }

    public func wrote(_ length: Int) { count += length }

    private func room(for length: Int) {
        guard unsafe count + length > memory.count else { return }
        let larger = unsafe UnsafeMutableRawBufferPointer.allocate(byteCount: max(memory.count * 2, count + length), alignment: 16)
        unsafe larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[..<count]))
        unsafe memory.deallocate()
        unsafe memory = larger
    }
}
