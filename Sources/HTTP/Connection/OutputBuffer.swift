/// Bytes that are being put together to be sent: heads, chunk sizes, whole small bodies. Reused, grows, never shrinks below use.
@safe public final class OutputBuffer {
    @usableFromInline var memory: UnsafeMutableRawBufferPointer
    @usableFromInline var used = 0
    @inlinable public var count: Int { used }

    public static let usualSize = 1024

    public init(capacity: Int = OutputBuffer.usualSize) { unsafe memory = .allocate(byteCount: capacity, alignment: 16) }

    deinit { unsafe memory.deallocate() }

    @inlinable public var bytes: RawSpan {
        @_lifetime(borrow self) get {
            // Sound: `count` bytes are initialised; the memory is kept while self is.
            let span = unsafe UnsafeRawBufferPointer(start: memory.baseAddress, count: count).bytes
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    public func removeAll() {
        used = 0
        if unsafe memory.count > 256 << 10 {
            unsafe memory.deallocate()
            unsafe memory = .allocate(byteCount: 1024, alignment: 16)
        }
    }

    /// A literal's bytes become part of the code.
    @inlinable @inline(__always) public func append(_ text: StaticString) {
        let length = text.utf8CodeUnitCount
        // Sound: there is room for them, and a static string's bytes live for ever.
        unsafe room(for: length).copyMemory(from: text.utf8Start, byteCount: length)
        used &+= length
    }

    @inlinable public func append(_ bytes: RawSpan) {
        let length = bytes.byteCount
        guard length > 0 else { return }
        let end = unsafe room(for: length)
        // Sound: there is room for them; nobody lends this buffer's own bytes to it.
        unsafe bytes.withUnsafeBytes { unsafe end.copyMemory(from: $0.baseAddress.unsafelyUnwrapped, byteCount: length) }
        used &+= length
    }

    /// A literal takes the way above.
    @_disfavoredOverload
    public func append(_ text: String) {
        var text = text
        text.withUTF8 { append(unsafe UnsafeRawBufferPointer($0).bytes) }
    }

    @inlinable public func append(byte: UInt8) {
        unsafe room(for: 1).storeBytes(of: byte, as: UInt8.self)
        used &+= 1
    }

    public func append(decimal value: Int) {
        var end = unsafe room(for: 20)
        var rest = value.magnitude
        if value < 0 {
            unsafe end.storeBytes(of: UInt8(ascii: "-"), as: UInt8.self)
            unsafe end += 1
            used &+= 1
        }
        var length = 1
        var limit: UInt = 10
        // The longest has nineteen digits, and ten to the nineteenth fits.
        while rest >= limit {
            length &+= 1
            limit &*= 10
        }
        var at = length
        while at > 0 {
            at &-= 1
            unsafe end.storeBytes(of: UInt8(truncatingIfNeeded: rest % 10) | 0x30, toByteOffset: at, as: UInt8.self)
            rest /= 10
        }
        used &+= length
    }

    /// Lower-case, without leading zeros: a chunk's size (RFC 9112 §7.1).
    public func append(hex value: Int) {
        let end = unsafe room(for: 16)
        var shift = max(0, (Int.bitWidth - 1 - max(value, 1).leadingZeroBitCount) / 4 * 4)
        var length = 0
        while shift >= 0 {
            let digit = UInt8(truncatingIfNeeded: value >> shift) & 0xF
            unsafe end.storeBytes(of: digit < 10 ? digit + 0x30 : digit + 0x57, toByteOffset: length, as: UInt8.self)
            length += 1
            shift -= 4
        }
        used &+= length
    }

    /// Where the next bytes go; there is room for `length` of them, which must be one or more.
    @inlinable @inline(__always) @unsafe func room(for length: Int) -> UnsafeMutableRawPointer {
        if unsafe length > memory.count &- count { grow(by: length) }
        return unsafe memory.baseAddress.unsafelyUnwrapped + count
    }

    @usableFromInline @inline(never) func grow(by length: Int) {
        let larger = unsafe UnsafeMutableRawBufferPointer.allocate(byteCount: max(memory.count * 2, count + length, 256), alignment: 16)
        unsafe larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[..<count]))
        unsafe memory.deallocate()
        unsafe memory = larger
    }
}
