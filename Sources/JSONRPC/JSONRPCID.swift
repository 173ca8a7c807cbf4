public import JSON

/// The id of a request, to know its answer by. A string and a number are never the same (`1` is not `"1"`), while spelling does not
/// matter: an answer may say `"\u0061"` where the request said `"a"`. Kept from one exchange to the next; not shared between threads.
public struct JSONRPCID: Sendable, Hashable {
    private enum Kind: UInt8, Sendable { case none, string, number }

    private var kind = Kind.none
    /// A string without quotes and escapes; of a number its digits.
    private var bytes: [UInt8] = []

    public init() {}

    public mutating func reset() {
        kind = .none
        if !bytes.isEmpty { bytes.removeAll(keepingCapacity: true) }
    }

    public var isEmpty: Bool { kind == .none }

    /// Keeps an id as it is written in a message; nothing where that has none.
    public mutating func keep(_ text: RawSpan) {
        reset()
        var json = JSONReader(text)
        if let string = try? json.string() {
            kind = .string
            string.append(to: &bytes)
        } else if let number = try? json.number() {
            kind = .number
            if let whole = number.int64 {
                bytes.append(contentsOf: String(whole).utf8)
            } else {
                // Sound: the bytes are read inside the closure only.
                unsafe number.text.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
            }
        }
    }

    /// Whether the id, as written in a message, is this one.
    public func `is`(_ text: RawSpan) -> Bool {
        var json = JSONReader(text)
        // Sound here and below: bytes have no padding.
        if kind == .string, let string = try? json.string() { return unsafe string.is(bytes.span.bytes) }
        guard kind == .number else { return false }
        var other = JSONRPCID()
        other.keep(text)
        return other == self
    }

    /// Writes the id as a value, of the type it had; null where there is none.
    public func write(to json: inout JSONWriter) {
        switch kind {
        case .none: json.null()
        // Sound: bytes have no padding.
        case .string: unsafe json.string(utf8: bytes.span.bytes)
        case .number: unsafe json.raw(bytes.span.bytes)
        }
    }

    /// The id as an attribute has it: a string's characters, a number's digits; UTF-8.
    public var text: [UInt8] { bytes }
}
