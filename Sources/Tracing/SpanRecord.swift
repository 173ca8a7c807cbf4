/// `SpanKind` of OTLP (opentelemetry.proto.trace.v1), with its numbers.
public enum SpanKind: UInt8, Sendable {
    case `internal` = 1
    case server = 2
    case client = 3
}

/// What a span is to a run (the `kind` of a node in the query API).
public enum HopKind: UInt8, Sendable, CaseIterable {
    case run, llm, tool, agent, http, attempt, guardrail, external

    public var name: StaticString {
        switch self {
        case .run: "run"
        case .llm: "llm"
        case .tool: "tool"
        case .agent: "agent"
        case .http: "http"
        case .attempt: "attempt"
        case .guardrail: "guardrail"
        case .external: "external"
        }
    }
}

/// What tied a hop to its run.
public enum LinkedBy: UInt8, Sendable, CaseIterable {
    case traceparent, header, `protocol`, content, new

    public var name: StaticString {
        switch self {
        case .traceparent: "traceparent"
        case .header: "header"
        case .protocol: "protocol"
        case .content: "content"
        case .new: "new"
        }
    }
}

/// Where a hop's cost comes from.
public enum CostSource: UInt8, Sendable, CaseIterable {
    /// No cost is known.
    case none
    /// The answer carried the money itself.
    case provider
    case catalogue, configured
    /// Priced from incomplete counters (a cut stream), or from the standard list where the variant's is missing.
    case estimated

    public var name: StaticString? {
        switch self {
        case .none: nil
        case .provider: "provider"
        case .catalogue: "catalogue"
        case .configured: "configured"
        case .estimated: "estimated"
        }
    }
}

/// Which run a span belongs to. For a run known by its trace, the trace id; for a run its caller named, a hash of scope and name.
@frozen public struct RunKey: Sendable, Hashable {
    public var high: UInt64
    public var low: UInt64

    @inlinable public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    @inlinable public init(_ trace: TraceID) { self.init(high: trace.high, low: trace.low) }
}

/// Token counts of a hop. `input` is everything the model read, cached or not; `reasoning` is part of `output`. -1 is unknown.
@frozen public struct TokenCounts: Sendable, Hashable, BitwiseCopyable {
    public var input: Int64 = -1
    public var output: Int64 = -1
    public var cacheRead: Int64 = -1
    public var cacheWrite: Int64 = -1
    public var reasoning: Int64 = -1

    public init() {}

    /// Whether the provider said anything at all.
    public var isKnown: Bool { input >= 0 || output >= 0 }
}

/// The fixed part of a span: what the store's columns, the ledger and the metrics read. One record for all of them, so that
/// span, run total, budget and metric can not disagree. Plain bytes: it is copied from a loop to the store as it is.
public struct SpanRecord: Sendable, BitwiseCopyable {
    public var traceHigh: UInt64 = 0
    public var traceLow: UInt64 = 0
    public var span: UInt64 = 0
    /// 0: a root.
    public var parent: UInt64 = 0
    public var runHigh: UInt64 = 0
    public var runLow: UInt64 = 0
    /// The span id of the run's own root where the gateway made the root up; 0 where the caller brought a trace.
    public var runRoot: UInt64 = 0
    /// Unix time in nanoseconds.
    public var startTime: UInt64 = 0
    public var endTime: UInt64 = 0
    /// Nanoseconds from the request sent to the first content; -1 without.
    public var timeToFirstContent: Int64 = -1
    public var tokens = TokenCounts()
    /// The cost in units of `USD`; meaningful unless `costSource` is none.
    public var costHigh: Int64 = 0
    public var costLow: UInt64 = 0
    public var costSource: UInt8 = CostSource.none.rawValue
    public var kind: UInt8 = SpanKind.client.rawValue
    public var hopKind: UInt8 = HopKind.http.rawValue
    public var linkedBy: UInt8 = LinkedBy.new.rawValue
    public var flags: UInt8 = 0
    public var isError: Bool = false
    /// The parent is another process's span (OTLP `CONTEXT_IS_REMOTE`).
    public var parentIsRemote: Bool = false
    /// The caller named the run; the name stands in the entries as `Attribute.runID`.
    public var runIsNamed: Bool = false
    /// No model has worked on it: it did not reach the provider, or was answered with an error's status. It has no usage and misses none.
    public var wasTurnedAway: Bool = false

    public init() {}
}

extension SpanRecord {
    public var traceID: TraceID {
        get { TraceID(high: traceHigh, low: traceLow) }
        set { (traceHigh, traceLow) = (newValue.high, newValue.low) }
    }

    public var spanID: SpanID {
        get { SpanID(span) }
        set { span = newValue.value }
    }

    public var run: RunKey {
        get { RunKey(high: runHigh, low: runLow) }
        set { (runHigh, runLow) = (newValue.high, newValue.low) }
    }

    /// Nil where no price is known; never zero for want of one.
    public var cost: USD? {
        get {
            guard costSource != CostSource.none.rawValue else { return nil }
            return USD(units: Int128(costHigh) << 64 | Int128(costLow))
        }
        set {
            costHigh = Int64(truncatingIfNeeded: (newValue?.units ?? 0) >> 64)
            costLow = UInt64(truncatingIfNeeded: newValue?.units ?? 0)
            if newValue == nil { costSource = CostSource.none.rawValue }
        }
    }

    /// An LLM hop whose usage never came, though it may have cost something.
    public var isUnmetered: Bool { hopKind == HopKind.llm.rawValue && !tokens.isKnown && !wasTurnedAway }

    /// Tokens, and no price for them.
    public var isUnpriced: Bool { tokens.isKnown && costSource == CostSource.none.rawValue }
}
