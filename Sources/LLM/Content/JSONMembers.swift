internal import JSON

/// The members of one JSON object, found in one pass, to be asked for in any order. Of a name given twice the last counts.
struct JSONMembers: ~Escapable {
    private let bytes: RawSpan
    private var range = 0..<0
    private var members: [(name: Range<Int>, value: Range<Int>)] = []

    /// Reads the pending value; of anything but an object there are no members.
    @_lifetime(copy json) @_lifetime(json: copy json)
    init(_ json: inout JSONReader) throws(JSONError) {
        bytes = json.bytes
        guard try json.enterObject() else { return }
        let start = json.offset - 1
        while let name = try json.nextMember() {
            let name = name.range
            members.append((name, try json.rawValue()))
        }
        range = start..<json.offset
    }

    /// The members of a value that was found; none where it is no object.
    @_lifetime(copy value)
    init(of value: RawSpan?) {
        guard let value else {
            bytes = RawSpan()
            return
        }
        bytes = value
        var json = JSONReader(value)
        if let found = try? JSONMembers(&json) { (range, members) = (found.range, found.members) }
    }

    /// The object itself.
    var whole: RawSpan {
        @_lifetime(copy self) get { bytes.extracting(range) }
    }

    /// The value, as JSON.
    subscript(_ name: StaticString) -> RawSpan? {
        @_lifetime(copy self) get {
            for member in members.reversed() where bytes.extracting(member.name).equals(name) { return bytes.extracting(member.value) }
            return nil
        }
    }

    /// The value of the first name, else that of the other.
    subscript(_ name: StaticString, or other: StaticString) -> RawSpan? {
        @_lifetime(copy self) get {
            guard let value = self[name] else { return self[other] }
            return value
        }
    }

    /// The value, where it is a string.
    @_lifetime(copy self)
    func string(_ name: StaticString) -> JSONString? {
        guard let value = self[name] else { return nil }
        var json = JSONReader(value)
        return try? json.string()
    }

    @_lifetime(copy self)
    func string(_ name: StaticString, or other: StaticString) -> JSONString? {
        guard let value = string(name) else { return string(other) }
        return value
    }

    /// The value, where it is a whole number.
    func int(_ name: StaticString) -> Int? {
        guard let value = self[name] else { return nil }
        var json = JSONReader(value)
        guard let number = try? json.int64() else { return nil }
        return Int(clamping: number)
    }
}
