/// A span being written: the fixed record, and name, status message, tracestate and attributes as a compact byte list.
///
/// Owned by one exchange at a time and reused for the next (`reset`), so that a span costs no allocation once its buffer has
/// grown to the usual size. Not shared between threads. An attribute set twice is kept twice until it is read; readers take the
/// last, so set each once on the hot path.
///
/// The byte list is a sequence of entries: tag (1 byte: an `Attribute`, or one of `SpanEntry.Tag`'s own), type (1 byte), length
/// (4 bytes, of this machine's order), value. It never leaves the process.
@safe public struct SpanDraft: ~Copyable {
    public var record = SpanRecord()
    @usableFromInline var entries: UnsafeMutableRawBufferPointer
    @usableFromInline var used = 0
    /// Where the head of the list being written stands.
    private var openList = 0

    public init(capacity: Int = 2048) {
        unsafe entries = .allocate(byteCount: capacity, alignment: 8)
    }

    deinit { unsafe entries.deallocate() }

    /// Ready for the next span; a buffer that one huge span has grown is given back.
    public mutating func reset() {
        record = SpanRecord()
        used = 0
        if unsafe entries.count > 64 << 10 {
            unsafe entries.deallocate()
            unsafe entries = .allocate(byteCount: 2048, alignment: 8)
        }
    }

    /// The entries written so far; read them with `SpanEntry.forEach`.
    public func withEntries<Result, Failure: Error>(_ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result {
        // Sound: `used` bytes are initialised and `self` is borrowed for the call.
        let bytes = unsafe UnsafeRawBufferPointer(rebasing: entries[..<used])
        return try body(unsafe bytes.bytes)
    }

    @inlinable public mutating func set(_ attribute: Attribute, _ value: Int64) { scalar(attribute.rawValue, .int, value) }
    @inlinable public mutating func set(_ attribute: Attribute, _ value: Int) { scalar(attribute.rawValue, .int, Int64(value)) }
    @inlinable public mutating func set(_ attribute: Attribute, _ value: Double) { scalar(attribute.rawValue, .double, value) }
    @inlinable public mutating func set(_ attribute: Attribute, _ value: Bool) { scalar(attribute.rawValue, .bool, value ? 1 : 0 as UInt8) }
    @inlinable public mutating func set(_ attribute: Attribute, _ value: StaticString) { text(attribute.rawValue, value) }
    /// A literal takes the way above.
    @_disfavoredOverload
    public mutating func set(_ attribute: Attribute, _ value: String) { text(attribute.rawValue, value) }
    /// UTF-8; what is not is mended when the span is encoded.
    @inlinable public mutating func set(_ attribute: Attribute, _ value: RawSpan) { bytes(attribute.rawValue, .string, value) }

    /// Attributes that another draft has written, one after the other (`withEntries`).
    public mutating func append(_ entries: RawSpan) {
        let place = unsafe room(for: entries.byteCount)
        // Sound: there is room for them.
        unsafe entries.withUnsafeBytes { unsafe Self.copy($0, to: place) }
        used &+= entries.byteCount
    }

    /// A text of two parts.
    public mutating func set(_ attribute: Attribute, _ first: RawSpan, _ second: RawSpan) {
        let place = unsafe reserve(attribute.rawValue, .string, first.byteCount &+ second.byteCount)
        // Sound: there is room for both.
        unsafe first.withUnsafeBytes { unsafe Self.copy($0, to: place) }
        unsafe second.withUnsafeBytes { unsafe Self.copy($0, to: place + first.byteCount) }
    }

    /// Opens an attribute whose value is a list of texts: `beginList`, an `appendElement` each, `endList`.
    public mutating func beginList(_ attribute: Attribute) {
        openList = used
        _ = unsafe reserve(attribute.rawValue, .strings, 0)
    }

    public mutating func appendElement(_ element: RawSpan) {
        let length = element.byteCount
        let place = unsafe room(for: 4 &+ length)
        // Sound: there is room for them.
        unsafe place.storeBytes(of: UInt32(truncatingIfNeeded: length), as: UInt32.self)
        unsafe element.withUnsafeBytes { unsafe Self.copy($0, to: place + 4) }
        used &+= 4 &+ length
    }

    public mutating func appendElement(_ element: String) {
        var element = element
        element.withUTF8 { utf8 in appendElement(unsafe UnsafeRawBufferPointer(utf8).bytes) }
    }

    public mutating func endList() {
        unsafe entries.storeBytes(of: UInt32(used - openList - 6), toByteOffset: openList + 2, as: UInt32.self)
    }

    public mutating func setName(_ name: RawSpan) { bytes(SpanEntry.Tag.name.rawValue, .string, name) }
    public mutating func setName(_ name: String) { text(SpanEntry.Tag.name.rawValue, name) }
    /// `{first} {second}`, the shape of most span names; only `first` where `second` is empty.
    public mutating func setName(_ first: StaticString, _ second: RawSpan) {
        guard second.byteCount > 0 else { return text(SpanEntry.Tag.name.rawValue, first) }
        let length = first.utf8CodeUnitCount
        let place = unsafe reserve(SpanEntry.Tag.name.rawValue, .string, length &+ 1 &+ second.byteCount)
        // Sound: there is room for all three; a static string's bytes live for ever.
        unsafe place.copyMemory(from: first.utf8Start, byteCount: length)
        unsafe place.storeBytes(of: UInt8(ascii: " "), toByteOffset: length, as: UInt8.self)
        unsafe second.withUnsafeBytes { unsafe Self.copy($0, to: place + length + 1) }
    }
    /// Why it failed, in words; never an argument, a prompt or a credential.
    public mutating func setStatusMessage(_ message: String) { text(SpanEntry.Tag.statusMessage.rawValue, message) }
    public mutating func setStatusMessage(_ message: RawSpan) { bytes(SpanEntry.Tag.statusMessage.rawValue, .string, message) }
    public mutating func setTraceState(_ text: RawSpan) { bytes(SpanEntry.Tag.traceState.rawValue, .string, text) }

    /// Another span that this one has to do with without being below it (OpenTelemetry, Trace API, Link). There may be several.
    /// - Parameters:
    ///   - context: as another process brought it.
    ///   - traceState: of that context, checked; empty where it has none.
    @inline(never) public mutating func link(_ context: TraceContext, traceState: RawSpan) {
        let place = unsafe reserve(SpanEntry.Tag.link.rawValue, .string, SpanEntry.linkHeadLength &+ traceState.byteCount)
        // Sound: there is room for all of it.
        unsafe place.storeBytes(of: context.traceID.high.bigEndian, as: UInt64.self)
        unsafe place.storeBytes(of: context.traceID.low.bigEndian, toByteOffset: 8, as: UInt64.self)
        unsafe place.storeBytes(of: context.spanID.value.bigEndian, toByteOffset: 16, as: UInt64.self)
        unsafe place.storeBytes(of: context.flags.rawValue, toByteOffset: 24, as: UInt8.self)
        unsafe traceState.withUnsafeBytes { unsafe Self.copy($0, to: place + SpanEntry.linkHeadLength) }
    }

    // MARK: the byte list

    @inlinable mutating func scalar<Value: BitwiseCopyable>(_ tag: UInt8, _ type: SpanEntry.ValueType, _ value: Value) {
        // Sound: the place has the value's size.
        unsafe reserve(tag, type, MemoryLayout<Value>.size).storeBytes(of: value, as: Value.self)
    }

    @inlinable mutating func text(_ tag: UInt8, _ value: StaticString) {
        let length = value.utf8CodeUnitCount
        // Sound: the place has the text's length; a static string's bytes live for ever.
        unsafe reserve(tag, .string, length).copyMemory(from: value.utf8Start, byteCount: length)
    }

    private mutating func text(_ tag: UInt8, _ value: String) {
        var value = value
        // Sound: the bytes are read inside the closure only.
        value.withUTF8 { utf8 in bytes(tag, .string, unsafe UnsafeRawBufferPointer(utf8).bytes) }
    }

    @inlinable mutating func bytes(_ tag: UInt8, _ type: SpanEntry.ValueType, _ value: RawSpan) {
        let place = unsafe reserve(tag, type, value.byteCount)
        unsafe value.withUnsafeBytes { unsafe Self.copy($0, to: place) }
    }

    /// Writes an entry's head; the caller writes the `length` bytes of its value to the place returned.
    @inlinable @inline(__always) mutating func reserve(_ tag: UInt8, _ type: SpanEntry.ValueType, _ length: Int) -> UnsafeMutableRawPointer {
        let place = unsafe room(for: 6 &+ length)
        unsafe place.storeBytes(of: tag, as: UInt8.self)
        unsafe place.storeBytes(of: type.rawValue, toByteOffset: 1, as: UInt8.self)
        unsafe place.storeBytes(of: UInt32(truncatingIfNeeded: length), toByteOffset: 2, as: UInt32.self)
        used &+= 6 &+ length
        return unsafe place + 6
    }

    /// Where the next bytes go; there is room for as many.
    @inlinable @inline(__always) mutating func room(for bytes: Int) -> UnsafeMutableRawPointer {
        if unsafe bytes > entries.count &- used { grow(by: bytes) }
        return unsafe entries.baseAddress.unsafelyUnwrapped + used
    }

    @usableFromInline @inline(never) mutating func grow(by bytes: Int) {
        let larger = unsafe UnsafeMutableRawBufferPointer.allocate(byteCount: max(entries.count * 2, used + bytes), alignment: 8)
        unsafe larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: entries[..<used]))
        unsafe entries.deallocate()
        unsafe entries = larger
    }

    @inlinable @inline(__always) static func copy(_ bytes: UnsafeRawBufferPointer, to place: UnsafeMutableRawPointer) {
        guard let source = bytes.baseAddress else { return }
        unsafe place.copyMemory(from: source, byteCount: bytes.count)
    }
}

/// One entry of a span's byte list, as a reader meets it.
public enum SpanEntry {
    /// The tags that are no attribute.
    @frozen public enum Tag: UInt8, Sendable {
        case name = 250
        case statusMessage = 251
        case traceState = 252
        /// Trace id and span id as the wire has them (16 and 8 bytes), flags (1 byte), tracestate.
        case link = 253
    }

    /// Bytes of a link's value before its tracestate.
    public static let linkHeadLength = 25

    @frozen public enum ValueType: UInt8, Sendable { case string, bool, int, double, strings }

    /// Calls `body` for each entry, in the order written, with tag, type and value bytes.
    @inlinable public static func forEach(in entries: RawSpan, _ body: (UInt8, ValueType, RawSpan) -> Void) {
        var offset = 0
        while offset &+ 6 <= entries.byteCount {
            let tag = unsafe entries.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt8.self)
            let type = unsafe entries.unsafeLoadUnaligned(fromUncheckedByteOffset: offset &+ 1, as: UInt8.self)
            let length = unsafe Int(entries.unsafeLoadUnaligned(fromUncheckedByteOffset: offset &+ 2, as: UInt32.self))
            // Traps where the length lies.
            let value = entries.extracting(offset &+ 6..<offset &+ 6 &+ length)
            body(tag, ValueType(rawValue: type) ?? .string, value)
            offset = offset &+ 6 &+ length
        }
    }

    /// Calls `body` for each element of a `strings` value.
    @inlinable public static func forEachElement(of value: RawSpan, _ body: (RawSpan) -> Void) {
        var offset = 0
        while offset + 4 <= value.byteCount {
            let length = unsafe Int(value.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt32.self))
            body(value.extracting(offset + 4..<offset + 4 + length))
            offset += 4 + length
        }
    }

    @inlinable public static func int(_ value: RawSpan) -> Int64 { unsafe value.byteCount == 8 ? value.unsafeLoadUnaligned(as: Int64.self) : 0 }
    @inlinable public static func double(_ value: RawSpan) -> Double { unsafe value.byteCount == 8 ? value.unsafeLoadUnaligned(as: Double.self) : 0 }
    @inlinable public static func bool(_ value: RawSpan) -> Bool { unsafe value.byteCount == 1 && value.unsafeLoad(as: UInt8.self) != 0 }
}
