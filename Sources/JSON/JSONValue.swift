/// A JSON text as a tree, for what is off the request path: configuration, the api, price files, tests.
///
/// Numbers stay the text they were, so no digit is lost. Objects keep their order, and a member named twice is there twice.
public indirect enum JSONValue: Sendable, Hashable {
    case null
    case bool(Bool)
    /// As it stands in the text: `-12.50e3`.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([Member])

    @frozen public struct Member: Sendable, Hashable {
        public var name: String
        public var value: JSONValue

        public init(_ name: String, _ value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    /// A whole text, with nothing behind it.
    public init(_ bytes: RawSpan) throws(JSONError) {
        var reader = JSONReader(bytes)
        try self.init(&reader)
        try reader.finish()
    }

    public init(_ text: String) throws(JSONError) {
        let bytes = Array(text.utf8)
        try self.init(unsafe bytes.span.bytes)  // sound: the array outlives the call
    }

    /// The reader's pending value.
    public init(_ reader: inout JSONReader) throws(JSONError) {
        switch try reader.peek() {
        case .null:
            _ = try reader.null()
            self = .null
        case .bool: self = .bool(try reader.bool() ?? false)
        case .number:
            let range = try reader.rawValue()
            var text: [UInt8] = []
            reader.bytes.append(range, to: &text)
            self = .number(String(decoding: text, as: UTF8.self))
        case .string:
            guard let string = try reader.string() else { throw .unexpectedByte }
            self = .string(String(string))
        case .array:
            var elements: [JSONValue] = []
            _ = try reader.enterArray()
            while try reader.nextElement() { elements.append(try JSONValue(&reader)) }
            self = .array(elements)
        case .object:
            var members: [Member] = []
            _ = try reader.enterObject()
            while let key = try reader.nextMember() {
                let name = String(key)
                members.append(Member(name, try JSONValue(&reader)))
            }
            self = .object(members)
        }
    }

    /// The last member of that name; nil where there is none, or this is no object.
    public subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.last { $0.name == name }?.value
    }

    /// The element at `index`; nil where there is none, or this is no array.
    public subscript(index: Int) -> JSONValue? {
        guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
        return elements[index]
    }

    public var string: String? { if case .string(let value) = self { value } else { nil } }
    public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    public var int: Int? { if case .number(let text) = self { Int(text) } else { nil } }
    public var double: Double? { if case .number(let text) = self { Double(text) } else { nil } }
    public var elements: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
    public var members: [Member]? { if case .object(let value) = self { value } else { nil } }
    public var isNull: Bool { self == .null }

    public func write(to json: inout JSONWriter) {
        switch self {
        case .null: json.null()
        case .bool(let value): json.bool(value)
        case .number(let text): json.raw(text)
        case .string(let value): json.string(value)
        case .array(let elements):
            json.beginArray()
            for element in elements { element.write(to: &json) }
            json.endArray()
        case .object(let members):
            json.beginObject()
            for member in members {
                json.key(member.name)
                member.value.write(to: &json)
            }
            json.endObject()
        }
    }

    /// The tree as compact text.
    public var bytes: [UInt8] {
        var json = JSONWriter()
        write(to: &json)
        return json.bytes
    }
}
