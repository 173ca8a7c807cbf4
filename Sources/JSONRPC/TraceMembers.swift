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

    /// One of them is a string: what is none is the application's own, which only has the name in common.
    public func hasText(in bytes: RawSpan) -> Bool {
        Self.isText(traceparent, bytes) || Self.isText(tracestate, bytes) || Self.isText(baggage, bytes)
    }

    fileprivate static func isText(_ value: Range<Int>, _ bytes: RawSpan) -> Bool { kind(value, bytes) == .string }

    private static func kind(_ value: Range<Int>, _ bytes: RawSpan) -> JSONKind? {
        guard !value.isEmpty else { return nil }
        var json = JSONReader(bytes.extracting(value))
        return try? json.peek()
    }

    /// It is there and may not be replaced: neither a string nor null.
    fileprivate static func isForeign(_ value: Range<Int>, _ bytes: RawSpan) -> Bool {
        kind(value, bytes).map { $0 != .string && $0 != .null } ?? false
    }

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
}

extension TraceMembers {
    /// Those of an object that was read once already, without an error; none where the range is empty.
    fileprivate static func inside(_ object: Range<Int>, of bytes: RawSpan) -> TraceMembers {
        var found = TraceMembers()
        guard !object.isEmpty else { return found }
        var reader = JSONReader(bytes.extracting(object))
        _ = try? reader.enterObject()
        while let key = try? reader.nextMember() {
            guard (try? found.take(key, &reader, base: object.lowerBound)) != nil else { break }
        }
        return found
    }
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
    /// member stays as it is, byte for byte. Where the object is the application's, a string goes only where one is given in its place,
    /// or where it belongs to a `traceparent` that goes, and what is no string stays.
    ///
    /// - Parameters:
    ///   - name: of the object.
    ///   - isFree: the object is the application's: nobody has kept the three names free for trace context.
    ///   - tracestate: empty: none. So `baggage`.
    /// - Returns: nil where there is no place for it: also where `traceparent` is the application's own.
    public func writing(
        _ name: StaticString, isFree: Bool, traceparent: RawSpan, tracestate: RawSpan, baggage: RawSpan, in bytes: RawSpan
    ) -> MessageEdit? {
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
            if isFree, TraceMembers.isForeign(TraceMembers.inside(range, of: bytes).traceparent, bytes) { return nil }
            Self.write(traceparent, tracestate, baggage, others: range, isFree: isFree, bytes, to: &json)
            return MessageEdit(range: range, bytes: json.bytes)
        case .other: return nil
        }
    }

    /// - Parameter others: an object whose other members are written as they are; empty for none.
    private static func write(
        _ traceparent: RawSpan, _ tracestate: RawSpan, _ baggage: RawSpan, others: Range<Int>, isFree: Bool = false, _ bytes: RawSpan, to json: inout JSONWriter
    ) {
        let old = isFree ? TraceMembers.inside(others, of: bytes) : TraceMembers()
        let isStale = TraceMembers.isText(old.traceparent, bytes)
        let writesState = !tracestate.isEmpty && !TraceMembers.isForeign(old.tracestate, bytes)
        let writesBaggage = !baggage.isEmpty && !TraceMembers.isForeign(old.baggage, bytes)
        json.beginObject()
        json.key("traceparent")
        json.string(utf8: traceparent)
        if writesState {
            json.key("tracestate")
            json.string(utf8: tracestate)
        }
        if writesBaggage {
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
                let goes = !isFree || isStale && TraceMembers.isText(value, whole)
                if key.is("traceparent") || key.is("tracestate") && (goes || writesState) || key.is("baggage") && (goes || writesBaggage) { continue }
                json.raw(whole.extracting(key.start - 1..<value.upperBound))
            }
        }
        json.endObject()
    }
}

extension JSONRPCMessage {
    /// The longest string that is looked at, as it is written: what trace context and names need at most (W3C Baggage §3.3.2).
    private static let textLimit = 8 << 10

    /// Calls `body` with a string of a message, decoded, where the range is one and it is not very long.
    public static func withText(_ range: Range<Int>, in bytes: RawSpan, _ body: (RawSpan) -> Void) {
        guard !range.isEmpty, range.count <= textLimit + 2 else { return }
        var json = JSONReader(bytes.extracting(range))
        guard let string = try? json.string() else { return }
        guard string.hasEscapes else { return body(string.raw) }
        var decoded: [UInt8] = []
        string.append(to: &decoded)
        // Sound: bytes have no padding.
        unsafe body(decoded.span.bytes)
    }
}
