/// Reads JSON (RFC 8259) from bytes that somebody else holds, one value after the other, without allocating.
///
///     var reader = JSONReader(body)
///     if try reader.enterObject() {
///         while let key = try reader.nextMember() {
///             if key.is("model"), let model = try reader.string() { … }     // whatever is not read is skipped
///         }
///     }
///     try reader.finish()
///
/// A value stands *pending* until something consumes it: a reading function that finds the kind it wants, `enterObject`,
/// `enterArray`, `rawValue` or `skip`. A reading function that finds another kind returns nil and leaves the value pending, so
/// that the next one can be tried; `nextMember`, `nextElement`, `leave` and `finish` skip what is still pending. Leave a
/// container before its end only through `leave`.
///
/// The grammar is held strictly, in what is skipped too; only whether strings are UTF-8 is not checked, and a member named
/// twice is met twice. After an error the reader is of no more use. Not shared between threads.
public struct JSONReader: ~Escapable {
    /// Arrays and objects inside each other; more is `tooDeep`.
    public static let maximumDepth = 128

    /// What the reader was given.
    public let bytes: RawSpan
    /// Where the reader stands in `bytes`: after an error, at or just behind the byte that is wrong.
    public internal(set) var offset = 0
    /// How many containers are open.
    public internal(set) var depth = 0
    /// A bit per open container, the innermost lowest: 1 is an object.
    var containers: UInt128 = 0
    var place = Place.pending

    /// What stands at `offset`.
    enum Place: UInt8 { case pending, afterOpening, afterValue }

    @_lifetime(copy bytes) public init(_ bytes: RawSpan) { self.bytes = bytes }

    // MARK: containers

    /// The kind of the pending value, by its first byte.
    @_lifetime(self: copy self)
    public mutating func peek() throws(JSONError) -> JSONKind {
        switch try firstByte() {
        case UInt8(ascii: "{"): .object
        case UInt8(ascii: "["): .array
        case UInt8(ascii: "\""): .string
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): .number
        case UInt8(ascii: "t"), UInt8(ascii: "f"): .bool
        case UInt8(ascii: "n"): .null
        default: throw .unexpectedByte
        }
    }

    /// Steps into the pending value if it is an object; false leaves it pending.
    @_lifetime(self: copy self)
    public mutating func enterObject() throws(JSONError) -> Bool {
        guard try firstByte() == UInt8(ascii: "{") else { return false }
        try open(isObject: true)
        return true
    }

    /// Steps into the pending value if it is an array; false leaves it pending.
    @_lifetime(self: copy self)
    public mutating func enterArray() throws(JSONError) -> Bool {
        guard try firstByte() == UInt8(ascii: "[") else { return false }
        try open(isObject: false)
        return true
    }

    /// The name of the object's next member, whose value then is pending. Nil, once, at the object's end, which it steps out of.
    @_lifetime(copy self) @_lifetime(self: copy self)
    public mutating func nextMember() throws(JSONError) -> JSONString? {
        if place == .pending { try skip() }
        var at = offset
        defer { offset = at }
        if place == .afterValue, containers & 1 == 1, bytes.pair(at) == Self.commaAndQuote {
            at &+= 2
        } else if try !beginMember(&at) {
            return nil
        }
        let start = at
        let hasEscapes = try bytes.scanString(&at)
        let end = at
        if bytes.pair(at) == Self.quoteAndColon {
            at &+= 2
        } else {
            at &+= 1
            guard try bytes.nextByte(&at) == UInt8(ascii: ":") else { throw .unexpectedByte }
            at &+= 1
        }
        place = .pending
        // Sound: the scan began at `start` and ended inside `bytes`.
        return JSONString(raw: unsafe bytes.extracting(unchecked: start..<end), start: start, hasEscapes: hasEscapes)
    }

    /// Steps to the array's next element, which then is pending. False, once, at the array's end, which it steps out of.
    @_lifetime(self: copy self)
    public mutating func nextElement() throws(JSONError) -> Bool {
        if place == .pending { try skip() }
        let byte = try bytes.nextByte(&offset)
        if byte == UInt8(ascii: "]") {
            try close(isObject: false)
            offset &+= 1
            return false
        }
        if place == .afterValue {
            guard byte == UInt8(ascii: ","), containers & 1 == 0 else { throw .unexpectedByte }
            offset &+= 1
        }
        place = .pending
        return true
    }

    /// Skips the rest of the innermost open container and steps out of it.
    @_lifetime(self: copy self)
    public mutating func leave() throws(JSONError) {
        if containers & 1 == 1 {
            while try nextMember() != nil {}
        } else {
            while try nextElement() {}
        }
    }

    /// To be called when the whole text has been read: skips what is pending and makes sure that nothing follows.
    @_lifetime(self: copy self)
    public mutating func finish() throws(JSONError) {
        while depth > 0 { try leave() }
        if place == .pending { try skip() }
        bytes.skipWhiteSpace(&offset)
        guard offset == bytes.byteCount else { throw .trailingBytes }
    }

    // MARK: machinery

    // `,"` and `":`, the first byte in the lower place: what is around the names of most members.
    private static var commaAndQuote: UInt16 { 0x222C }
    private static var quoteAndColon: UInt16 { 0x3A22 }

    /// Steps over what stands before a member's name, its opening quote included; false at the object's end, which it steps out of.
    @_lifetime(self: copy self)
    @inline(__always) private mutating func beginMember(_ at: inout Int) throws(JSONError) -> Bool {
        var byte = try bytes.nextByte(&at)
        if place == .afterValue, byte == UInt8(ascii: ","), containers & 1 == 1 {
            at &+= 1
            byte = try bytes.nextByte(&at)
        } else if byte == UInt8(ascii: "}") {
            try close(isObject: true)
            at &+= 1
            return false
        } else if place == .afterValue {
            throw .unexpectedByte
        }
        guard byte == UInt8(ascii: "\"") else { throw .unexpectedByte }
        at &+= 1
        return true
    }

    /// The first byte of the pending value, on which the reader then stands; 0 where none is pending, which no reading function
    /// takes for anything.
    @_lifetime(self: copy self)
    @inline(__always) mutating func firstByte() throws(JSONError) -> UInt8 {
        guard place == .pending else { return 0 }
        return try bytes.nextByte(&offset)
    }

    @_lifetime(self: copy self)
    @inline(__always) private mutating func open(isObject: Bool) throws(JSONError) {
        guard depth < Self.maximumDepth else { throw .tooDeep }
        depth &+= 1
        containers = containers &<< 1 | (isObject ? 1 : 0)
        offset &+= 1
        place = .afterOpening
    }

    @_lifetime(self: copy self)
    @inline(__always) private mutating func close(isObject: Bool) throws(JSONError) {
        guard depth > 0, (containers & 1 == 1) == isObject else { throw .unexpectedByte }
        depth &-= 1
        containers = containers &>> 1
        place = .afterValue
    }
}
