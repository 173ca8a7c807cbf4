/// The three fields that carry trace context: header names, and the reserved keys of an MCP `params._meta` (SEP-414).
public enum PropagationField: Sendable {
    case traceparent, tracestate, baggage

    /// The field of this name in any letter case; nil for all other names.
    public init?(_ name: RawSpan) {
        switch name.byteCount {
        case 11 where Self.isEqual(name, "traceparent"): self = .traceparent
        case 10 where Self.isEqual(name, "tracestate"): self = .tracestate
        case 7 where Self.isEqual(name, "baggage"): self = .baggage
        default: return nil
        }
    }

    /// The name as we send it.
    public var name: StaticString {
        switch self {
        case .traceparent: "traceparent"
        case .tracestate: "tracestate"
        case .baggage: "baggage"
        }
    }

    private static func isEqual(_ name: RawSpan, _ expected: StaticString) -> Bool {
        // Sound: a static string's bytes live for ever, and the caller has compared the lengths.
        let expected = unsafe UnsafeRawBufferPointer(start: expected.utf8Start, count: expected.utf8CodeUnitCount)
        for offset in 0..<name.byteCount {
            // Setting the bit that tells the cases apart makes one of these letters of no other byte.
            guard unsafe name.byte(at: offset) | 0x20 == expected[offset] else { return false }
        }
        return true
    }
}

/// What came with one request about its trace, gathered field by field as its head is read.
///
/// Owned by one exchange at a time and reused for the next (`reset`): a request that brings only a `traceparent` costs no
/// allocation. Fields may come in any order and any number.
///
///     context.reset()
///     for each header: if let field = PropagationField(name) { context.append(field, value) }
///     let hop = context.parent?.continued(by: ids.spanID()) ?? .start(with: &ids)
public struct PropagatedContext: Sendable {
    private var traceparents = 0
    private var received: TraceContext?
    private var state = TraceState()
    public private(set) var baggage = Baggage()

    public init() {}

    public mutating func reset() {
        traceparents = 0
        received = nil
        state.reset()
        baggage.reset()
    }

    /// Takes one field's value; several of one name in the order they came.
    public mutating func append(_ field: PropagationField, _ value: RawSpan) {
        switch field {
        case .traceparent:
            traceparents += 1
            received = TraceContext(traceparent: value)
        case .tracestate: state.append(value)
        case .baggage: baggage.append(value)
        }
    }

    /// The caller's span; nil where it sent none, an invalid one, or more than one (Level 2 §4.3), and a new trace is to start.
    public var parent: TraceContext? { traceparents == 1 ? received : nil }

    /// A traceparent came and could not be used; worth a debug log, never an error.
    public var isInvalid: Bool { traceparents > 0 && parent == nil }

    /// The tracestate to send on, empty when no header is to be sent. Without a valid traceparent there is none (Level 2 §4.3).
    public var traceState: RawSpan {
        @_lifetime(borrow self) get { parent == nil ? RawSpan() : state.text }
    }

    /// See `Baggage.withValue(of:_:)`.
    public mutating func withBaggageValue<Result>(of key: StaticString, _ body: (RawSpan) throws -> Result) rethrows -> Result? {
        try baggage.withValue(of: key, body)
    }
}
