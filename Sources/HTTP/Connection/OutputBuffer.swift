internal import Glibc

/// Bytes that are being put together to be sent: heads, chunk sizes, whole bodies. Reused, grows, never shrinks below use. What is large
/// grows without being copied (`memory(of:)`).
@safe public final class OutputBuffer {
    @usableFromInline var memory: UnsafeMutableRawBufferPointer
    @usableFromInline var used = 0
    @inlinable public var count: Int { used }

    public static let usualSize = 1024

    public init(capacity: Int = OutputBuffer.usualSize) { unsafe memory = Self.memory(of: capacity) }

    deinit { unsafe Self.free(memory) }

    @inlinable public var bytes: RawSpan {
        @_lifetime(borrow self) get {
            // Sound: `count` bytes are initialised; the memory is kept while self is.
            let span = unsafe UnsafeRawBufferPointer(start: memory.baseAddress, count: count).bytes
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// How many bytes it holds memory for.
    @inlinable public var capacity: Int { unsafe memory.count }

    /// Another buffer, with this one's memory and what is in it: to be let go of elsewhere, since to give tens of megabytes back takes
    /// the kernel milliseconds.
    public func giveUp() -> OutputBuffer {
        let other = OutputBuffer(capacity: Self.usualSize)
        unsafe swap(&memory, &other.memory)
        swap(&used, &other.used)
        return other
    }

    public func removeAll() { empty(keeping: 256 << 10) }

    /// Empties it for a use that may be long in coming: of what one use took, no more than others need is kept.
    public func rest() { empty(keeping: Self.keptSize) }

    private static let keptSize = 16 << 10

    @inline(__always)
    private func empty(keeping kept: Int) {
        used = 0
        if unsafe memory.count > kept {
            unsafe Self.free(memory)
            unsafe memory = Self.memory(of: Self.usualSize)
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
        unsafe memory = Self.memory(of: max(memory.count * 2, count + length, 256), from: memory.baseAddress)
    }
}

// Memory of C's own allocator, because that can make a block larger where it is: one of a megabyte or more is pages of its own, which the
// kernel moves without touching a byte (mremap). To copy a body of tens of megabytes would be a turn of the loop by itself.
extension OutputBuffer {
    /// - Parameter old: becomes this memory, with what is in it; nil for new memory.
    @unsafe static func memory(of size: Int, from old: UnsafeMutableRawPointer? = nil) -> UnsafeMutableRawBufferPointer {
        guard let start = unsafe realloc(old, max(size, 1)) else { fatalError("out of memory: \(size) bytes for a body or a head") }
        return unsafe UnsafeMutableRawBufferPointer(start: start, count: size)
    }

    @unsafe static func free(_ memory: UnsafeMutableRawBufferPointer) { unsafe Glibc.free(memory.baseAddress) }
}
