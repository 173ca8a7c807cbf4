/// The head of a request or an answer: its bytes as they came, and where in them each part stands. Parsed by `HeadParser`.
///
/// Nothing is copied into strings: fields are offsets. A head is reused for the next message (`HeadParser` resets it), so in steady
/// state it costs no allocation. Confined to one loop.
@safe public final class MessageHead {
    @frozen public struct Field: BitwiseCopyable, Sendable {
        public var name: FieldName
        @usableFromInline var nameLength: UInt16
        @usableFromInline var start: UInt32
        @usableFromInline var valueStart: UInt32
        @usableFromInline var valueEnd: UInt32
        /// Past the line's CRLF.
        @usableFromInline var end: UInt32
        /// Named by the Connection field: for this connection only.
        public var isNominated = false

        /// A field of a line that ends directly behind its value.
        @inline(__always)
        init(_ name: FieldName, start: Int, nameEnd: Int, value: Range<Int>) {
            self.name = name
            nameLength = UInt16(truncatingIfNeeded: nameEnd &- start)
            self.start = UInt32(truncatingIfNeeded: start)
            valueStart = UInt32(truncatingIfNeeded: value.lowerBound)
            valueEnd = UInt32(truncatingIfNeeded: value.upperBound)
            end = valueEnd &+ 2
        }

        @inline(__always) var valueRange: Range<Int> { Int(valueStart)..<Int(valueEnd) }

        /// Where the field's line stands in `raw`, its CRLF included.
        @inlinable public var lineStart: Int { Int(start) }
        @inlinable public var lineEnd: Int { Int(end) }
    }

    /// RFC 9112 §5; a head with more is refused.
    public static let fieldsAtMost = 100

    @usableFromInline var bytes: UnsafeMutableRawBufferPointer
    @usableFromInline var fields: UnsafeMutableBufferPointer<Field>
    public internal(set) var byteCount = 0
    public internal(set) var fieldCount = 0
    /// A bit for each name there is a field of.
    @usableFromInline var present: UInt64 = 0

    // A request's first line.
    public internal(set) var method = Method.other
    var methodRange: Range<Int> = 0..<0
    /// In origin-form: what follows an absolute-form's authority.
    var targetRange: Range<Int> = 0..<0
    /// How much of the target is the path.
    @usableFromInline var pathLength = 0
    // An answer's first line.
    public internal(set) var status = 0
    var reasonRange: Range<Int> = 0..<0
    /// 1 or 0, of HTTP/1.x.
    public internal(set) var minorVersion = 1

    // What framing needs, found while parsing.
    public internal(set) var framing = BodyFraming.none
    public internal(set) var connectionClose = false
    public internal(set) var connectionKeepAlive = false
    /// Connection names more than what becomes of the connection: fields, which then are for it alone.
    public internal(set) var namesOptions = false
    public internal(set) var expectsContinue = false
    /// It asks for WebSocket, without which its exchange would be nothing. Other protocols it may ask for need not be taken up, and are not.
    public internal(set) var wantsUpgrade = false

    public init() {
        unsafe (bytes, fields) = Self.storage()
    }

    static let usualSize = 1024
    static let usualFields = 24

    static func storage() -> (bytes: UnsafeMutableRawBufferPointer, fields: UnsafeMutableBufferPointer<Field>) {
        unsafe (.allocate(byteCount: usualSize, alignment: 16), .allocate(capacity: usualFields))
    }

    deinit {
        unsafe bytes.deallocate()
        unsafe fields.deallocate()
    }

    /// Forgets the last head.
    func reset() {
        byteCount = 0
        fieldCount = 0
        present = 0
        method = .other
        status = 0
        methodRange = 0..<0
        targetRange = 0..<0
        pathLength = 0
        reasonRange = 0..<0
        minorVersion = 1
        framing = .none
        connectionClose = false
        connectionKeepAlive = false
        namesOptions = false
        expectsContinue = false
        wantsUpgrade = false
    }

    /// The head is not needed any more, and another may be long in coming: memory that is more than others need goes back.
    public func rest() {
        guard unsafe bytes.count > Self.keptSize else { return }
        reset()
        unsafe bytes.deallocate()
        unsafe fields.deallocate()
        unsafe (bytes, fields) = Self.storage()
    }

    private static let keptSize = 4 << 10

    /// Copies the bytes that the offsets are of.
    func keep(_ head: RawSpan) {
        if unsafe head.byteCount > bytes.count {
            unsafe bytes.deallocate()
            unsafe bytes = .allocate(byteCount: head.byteCount, alignment: 16)
        }
        unsafe head.withUnsafeBytes { unsafe bytes.copyMemory(from: $0) }
        byteCount = head.byteCount
    }

    @inline(__always)
    func append(_ field: Field) {
        if unsafe fieldCount == fields.count { growFields() }
        unsafe fields.initializeElement(at: fieldCount, to: field)
        fieldCount &+= 1
        present |= field.name.bit
    }

    @inline(never)
    private func growFields() {
        let larger = UnsafeMutableBufferPointer<Field>.allocate(capacity: Self.fieldsAtMost)
        for index in 0..<fieldCount { unsafe larger.initializeElement(at: index, to: fields[index]) }
        unsafe fields.deallocate()
        unsafe fields = larger
    }

    func nominate(_ index: Int) { unsafe fields[index].isNominated = true }

    /// A field is not to be passed on: it is not true any more.
    public func withhold(_ index: Int) { nominate(index) }

    /// The whole head, its final empty line included.
    @inlinable public var raw: RawSpan {
        @_lifetime(borrow self) get {
            // Sound: the bytes live as long as self and change only in `keep`, which needs self as well.
            let span = unsafe UnsafeRawBufferPointer(start: bytes.baseAddress, count: byteCount).bytes
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    @_lifetime(borrow self)
    @inlinable func slice(_ range: Range<Int>) -> RawSpan { raw.extracting(range) }

    @inlinable public func field(_ index: Int) -> Field {
        precondition(index >= 0 && index < fieldCount)
        return unsafe fields.baseAddress.unsafelyUnwrapped[index]
    }

    @_lifetime(borrow self)
    @inlinable public func name(_ index: Int) -> RawSpan {
        let field = field(index)
        return slice(Int(field.start)..<Int(field.start) &+ Int(field.nameLength))
    }

    @_lifetime(borrow self)
    @inlinable public func value(_ index: Int) -> RawSpan {
        let field = field(index)
        return slice(Int(field.valueStart)..<Int(field.valueEnd))
    }

    /// The field's whole line, CRLF included.
    @_lifetime(borrow self)
    @inlinable public func line(_ index: Int) -> RawSpan {
        let field = field(index)
        return slice(Int(field.start)..<Int(field.end))
    }

    /// Whether there is such a field.
    @inlinable public func has(_ name: FieldName) -> Bool { present & name.bit != 0 }

    /// The position of the first such field at or after `from`; nil without.
    @inlinable public func index(of name: FieldName, from: Int = 0) -> Int? {
        guard has(name) else { return nil }
        return search(for: name, from: from)
    }

    @usableFromInline func search(for name: FieldName, from: Int) -> Int? {
        var index = from
        while index < fieldCount {
            if unsafe fields[index].name == name { return index }
            index += 1
        }
        return nil
    }

    /// The three digits of the status, as they came.
    public var statusText: RawSpan { @_lifetime(borrow self) get { slice(9..<12) } }
    /// The method's own bytes, for methods that are not known.
    public var methodBytes: RawSpan { @_lifetime(borrow self) get { slice(methodRange) } }
    /// The request target in origin-form: path and query, as they came.
    public var target: RawSpan { @_lifetime(borrow self) get { slice(targetRange) } }
    /// The target's path, without its query.
    public var path: RawSpan { @_lifetime(borrow self) get { slice(targetRange.lowerBound..<targetRange.lowerBound + pathLength) } }
    public var reason: RawSpan { @_lifetime(borrow self) get { slice(reasonRange) } }
    /// Where an answer's code and reason, and the end of their line, stand in `raw`; nil where the line ends with the code.
    public var statusAndReason: Range<Int>? { reasonRange.lowerBound == 13 ? 9..<reasonRange.upperBound + 2 : nil }

    /// Whether the connection can carry another message after this one (RFC 9112 §9.3).
    public var keepsAlive: Bool {
        if connectionClose { return false }
        return minorVersion >= 1 || connectionKeepAlive
    }
}

/// How long a body is (RFC 9112 §6.3).
public enum BodyFraming: Equatable, Sendable {
    case none
    case length(Int)
    case chunked
    /// Until the connection closes; answers only.
    case untilClose
}
