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
        guard place == .pending, try firstByte() == UInt8(ascii: "{") else { return false }
        try open(object: true)
        return true
    }

    /// Steps into the pending value if it is an array; false leaves it pending.
    @_lifetime(self: copy self)
    public mutating func enterArray() throws(JSONError) -> Bool {
        guard place == .pending, try firstByte() == UInt8(ascii: "[") else { return false }
        try open(object: false)
        return true
    }

    /// The name of the object's next member, whose value then is pending. Nil, once, at the object's end, which it steps out of.
    @_lifetime(copy self) @_lifetime(self: copy self)
    public mutating func nextMember() throws(JSONError) -> JSONString? {
        if place == .pending { try skip() }
        var byte = try nextByte()
        if byte == UInt8(ascii: "}") {
            try close(object: true)
            return nil
        }
        if place == .afterValue {
            guard byte == UInt8(ascii: ","), containers & 1 == 1 else { throw .unexpectedByte }
            offset += 1
            byte = try nextByte()
        }
        guard byte == UInt8(ascii: "\"") else { throw .unexpectedByte }
        let start = offset + 1
        let end = try scanString(from: start)
        offset = end.offset + 1
        guard try nextByte() == UInt8(ascii: ":") else { throw .unexpectedByte }
        offset += 1
        place = .pending
        // Sound: the scan began at `start` and ended inside `bytes`.
        return JSONString(raw: unsafe bytes.extracting(unchecked: start..<end.offset), start: start, hasEscapes: end.hasEscapes)
    }

    /// Steps to the array's next element, which then is pending. False, once, at the array's end, which it steps out of.
    @_lifetime(self: copy self)
    public mutating func nextElement() throws(JSONError) -> Bool {
        if place == .pending { try skip() }
        let byte = try nextByte()
        if byte == UInt8(ascii: "]") {
            try close(object: false)
            return false
        }
        if place == .afterValue {
            guard byte == UInt8(ascii: ","), containers & 1 == 0 else { throw .unexpectedByte }
            offset += 1
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
        skipWhiteSpace()
        guard offset == bytes.byteCount else { throw .trailingBytes }
    }

    // MARK: values

    /// The pending value's range in `bytes`, white space around it not included; consumes it.
    @_lifetime(self: copy self)
    public mutating func rawValue() throws(JSONError) -> Range<Int> {
        _ = try firstByte()
        let start = offset
        try skip()
        return start..<offset
    }

    /// The pending string; nil leaves another kind pending.
    @_lifetime(copy self) @_lifetime(self: copy self)
    public mutating func string() throws(JSONError) -> JSONString? {
        guard try firstByte() == UInt8(ascii: "\"") else { return nil }
        let start = offset + 1
        let end = try scanString(from: start)
        offset = end.offset + 1
        place = .afterValue
        // Sound: the scan began at `start` and ended inside `bytes`.
        return JSONString(raw: unsafe bytes.extracting(unchecked: start..<end.offset), start: start, hasEscapes: end.hasEscapes)
    }

    /// The pending boolean; nil leaves another kind pending.
    @_lifetime(self: copy self)
    public mutating func bool() throws(JSONError) -> Bool? {
        switch try firstByte() {
        case UInt8(ascii: "t"): try literal("true")
        case UInt8(ascii: "f"): try literal("false")
        default: return nil
        }
        place = .afterValue
        return bytes.byte(offset - 2) == UInt8(ascii: "u")
    }

    /// Consumes the pending value if it is `null`; false leaves it pending.
    @_lifetime(self: copy self)
    public mutating func null() throws(JSONError) -> Bool {
        guard try firstByte() == UInt8(ascii: "n") else { return false }
        try literal("null")
        place = .afterValue
        return true
    }

    /// The pending number's text, which is exact where a double is not; nil leaves another kind pending.
    @_lifetime(copy self) @_lifetime(self: copy self)
    public mutating func number() throws(JSONError) -> JSONNumber? {
        switch try firstByte() {
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            let start = offset
            offset = try scanNumber(from: start)
            place = .afterValue
            // Sound: as for a string.
            return JSONNumber(text: unsafe bytes.extracting(unchecked: start..<offset), start: start)
        default: return nil
        }
    }

    /// The pending number if it is a whole one that fits (`12`, and `12.0` or `1.2e1` too). Nil otherwise: another kind is left
    /// pending, a number of another size is consumed.
    @_lifetime(self: copy self)
    public mutating func int64() throws(JSONError) -> Int64? {
        // Most numbers are a few digits and nothing else: read as they are scanned.
        let first = try firstByte() &- UInt8(ascii: "0")
        if first < 10 {
            var at = offset &+ 1
            var value = Int64(first)
            let limit = min(bytes.byteCount, offset &+ 18)  // 18 digits always fit
            while at < limit {
                let digit = bytes.byte(at) &- UInt8(ascii: "0")
                guard digit < 10, value != 0 else {  // nothing may follow a leading zero
                    if digit == UInt8(ascii: ",") &- UInt8(ascii: "0") || digit == UInt8(ascii: "}") &- UInt8(ascii: "0") {
                        offset = at
                        place = .afterValue
                        return value
                    }
                    break
                }
                value = value &* 10 &+ Int64(digit)
                at &+= 1
            }
        }
        guard let number = try number() else { return nil }
        return number.int64
    }

    /// The pending number as the nearest double; nil leaves another kind pending.
    @_lifetime(self: copy self)
    public mutating func double() throws(JSONError) -> Double? {
        guard let number = try number() else { return nil }
        return number.double
    }
}
