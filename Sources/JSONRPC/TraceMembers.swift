public import JSON

/// The trace context that a message carries: the values of its members `traceparent`, `tracestate` and `baggage`, as they are written,
/// quotes and all; empty where there are none. They stand in an object of the message's own: `params._meta` in MCP (SEP-414), the
/// message's `metadata` in A2A.
public struct TraceMembers: Sendable, Hashable {
    public private(set) var traceparent = 0..<0
    public private(set) var tracestate = 0..<0
    public private(set) var baggage = 0..<0
    /// One of them was met twice.
    public private(set) var isTwice = false

    public init() {}

    public init(traceparent: Range<Int>, tracestate: Range<Int>, baggage: Range<Int>) {
        (self.traceparent, self.tracestate, self.baggage) = (traceparent, tracestate, baggage)
    }

    public var isEmpty: Bool { traceparent.isEmpty && tracestate.isEmpty && baggage.isEmpty }

    /// Takes the pending value of a member that is one of them; anything else is left pending.
    /// - Parameter base: where the reader's bytes begin in the message.
    @_lifetime(json: copy json)
    public mutating func take(_ key: borrowing JSONString, _ json: inout JSONReader, base: Int) throws(JSONError) {
        if key.is("traceparent") {
            Self.put(&traceparent, &isTwice, try json.rawValue(), base)
        } else if key.is("tracestate") {
            Self.put(&tracestate, &isTwice, try json.rawValue(), base)
        } else if key.is("baggage") {
            Self.put(&baggage, &isTwice, try json.rawValue(), base)
        }
    }

    private static func put(_ place: inout Range<Int>, _ isTwice: inout Bool, _ value: Range<Int>, _ base: Int) {
        if !place.isEmpty { isTwice = true }
        place = base + value.lowerBound..<base + value.upperBound
    }

    /// Whether a member is one of them.
    fileprivate static func contains(_ key: borrowing JSONString) -> Bool { key.is("traceparent") || key.is("tracestate") || key.is("baggage") }
}

/// Where a message has the object that carries its trace context, or could have it.
public enum TracePlace: Sendable, Hashable {
    /// There are no `params`: they can be put here.
    case noParams(at: Int)
    /// There is none: it can be put here, before other members or alone.
    case absent(at: Int, isAlone: Bool)
    case null(Range<Int>)
    case object(Range<Int>)
    /// Something that no receiver takes.
    case other

    /// The change that makes a trace context the message's own: the three members are the ones given, whatever was there; every other
    /// member stays as it is, byte for byte.
    ///
    /// - Parameters:
    ///   - name: of the object.
    ///   - tracestate: empty: none. So `baggage`.
    /// - Returns: nil where there is no place for it.
    public func writing(_ name: StaticString, traceparent: RawSpan, tracestate: RawSpan, baggage: RawSpan, in bytes: RawSpan) -> MessageEdit? {
        var json = JSONWriter()
        switch self {
        case .noParams(let place):
            json.key("params")
            json.beginObject()
            json.key(name)
            Self.write(traceparent, tracestate, baggage, others: 0..<0, bytes, to: &json)
            json.endObject()
            return MessageEdit(range: place..<place, bytes: json.bytes + [UInt8(ascii: ",")])
        case .absent(let place, let isAlone):
            json.key(name)
            Self.write(traceparent, tracestate, baggage, others: 0..<0, bytes, to: &json)
            return MessageEdit(range: place..<place, bytes: isAlone ? json.bytes : json.bytes + [UInt8(ascii: ",")])
        case .null(let range):
            Self.write(traceparent, tracestate, baggage, others: 0..<0, bytes, to: &json)
            return MessageEdit(range: range, bytes: json.bytes)
        case .object(let range):
            Self.write(traceparent, tracestate, baggage, others: range, bytes, to: &json)
            return MessageEdit(range: range, bytes: json.bytes)
        case .other: return nil
        }
    }

    /// - Parameter others: an object whose other members are written as they are; empty for none.
    private static func write(_ traceparent: RawSpan, _ tracestate: RawSpan, _ baggage: RawSpan, others: Range<Int>, _ bytes: RawSpan, to json: inout JSONWriter) {
        json.beginObject()
        json.key("traceparent")
        json.string(utf8: traceparent)
        if !tracestate.isEmpty {
            json.key("tracestate")
            json.string(utf8: tracestate)
        }
        if !baggage.isEmpty {
            json.key("baggage")
            json.string(utf8: baggage)
        }
        if !others.isEmpty {
            // Read once already, without an error.
            var reader = JSONReader(bytes.extracting(others))
            let whole = reader.bytes
            _ = try? reader.enterObject()
            while let key = try? reader.nextMember() {
                guard let value = try? reader.rawValue() else { break }
                if TraceMembers.contains(key) { continue }
                json.raw(whole.extracting(key.start - 1..<value.upperBound))
            }
        }
        json.endObject()
    }
}

extension JSONRPCMessage {
    /// Calls `body` with a string of a message, decoded, where the range is one.
    public static func withText(_ range: Range<Int>, in bytes: RawSpan, _ body: (RawSpan) -> Void) {
        guard !range.isEmpty else { return }
        var json = JSONReader(bytes.extracting(range))
        guard let string = try? json.string() else { return }
        guard string.hasEscapes else { return body(string.raw) }
        var decoded: [UInt8] = []
        string.append(to: &decoded)
        // Sound: bytes have no padding.
        unsafe body(decoded.span.bytes)
    }
}
