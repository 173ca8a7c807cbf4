public import OTLP
public import Tracing

/// A run's spans as a tree: who called whom.
///
/// Above all stands one node: the run's own root span; where its caller brought the trace, the caller's span if all hops share it; else
/// one that is made up. Spans that are known only by their id, as the parent of a hop, stand in it as `external`.
///
/// The nodes are a flat list, because a run may be as deep as it is long.
public struct RunTree: Sendable {
    public struct Node: Sendable, Equatable {
        public var traceID: TraceID
        /// All zero where the node is made up.
        public var spanID: SpanID
        public var parentSpanID: SpanID?
        public var kind: HopKind
        public var name: String
        /// Unix nanoseconds.
        public var startedAt: UInt64
        public var endedAt: UInt64
        /// Nanoseconds from the request sent to the first content.
        public var timeToFirstContent: Int64?
        public var isError = false
        public var errorType: String?
        public var provider: String?
        public var requestModel: String?
        public var responseModel: String?
        public var tool: String?
        public var agent: String?
        public var finishReasons: [String] = []
        /// -1 is a count that nobody reported.
        public var tokens = TokenCounts()
        public var cost: USD?
        public var costSource: String?
        /// The rates used, a JSON object.
        public var price: String?
        public var linkedBy = LinkedBy.traceparent
        /// The times are made up from what other spans showed.
        public var isInferred = false
        public var attributes: [KeyValue] = []
        /// Places in `nodes`, by start.
        public internal(set) var children: [Int] = []
    }

    public internal(set) var nodes: [Node] = []
    /// The place of the node above all.
    public internal(set) var root = 0
}

extension RunTree.Node {
    /// A span as it was stored.
    public init(_ span: OTLPSpan) {
        self.init(
            traceID: span.traceID, spanID: span.spanID, parentSpanID: span.parentSpanID, kind: .external, name: span.name,
            startedAt: span.startTime.nanoseconds, endedAt: max(span.startTime.nanoseconds, span.endTime.nanoseconds), isError: span.isError,
            attributes: span.attributes)
        for attribute in span.attributes {
            guard let known = Attribute(name: attribute.key) else { continue }
            take(known, attribute.value)
        }
    }

    private mutating func take(_ attribute: Attribute, _ value: AnyValue) {
        switch (attribute, value) {
        case (.hopKind, .string(let text)): kind = HopKind(name: text) ?? kind
        case (.linkedBy, .string(let text)): linkedBy = LinkedBy(name: text) ?? linkedBy
        case (.timing, .string(let text)): isInferred = text == "inferred"
        case (.errorType, .string(let text)): errorType = text
        case (.providerName, .string(let text)): provider = text
        case (.requestModel, .string(let text)): requestModel = text
        case (.responseModel, .string(let text)): responseModel = text
        case (.toolName, .string(let text)): tool = text
        case (.agentName, .string(let text)): agent = text
        case (.responseFinishReasons, .array(let reasons)):
            finishReasons = reasons.compactMap { if case .string(let reason) = $0 { reason } else { nil } }
        case (.usageInputTokens, .int(let count)): tokens.input = count
        case (.usageOutputTokens, .int(let count)): tokens.output = count
        case (.usageCacheReadInputTokens, .int(let count)): tokens.cacheRead = count
        case (.usageCacheWriteInputTokens, .int(let count)): tokens.cacheWrite = count
        case (.usageReasoningOutputTokens, .int(let count)): tokens.reasoning = count
        case (.costUSD, .string(let text)): cost = USD(text)
        case (.costSource, .string(let text)): costSource = text
        case (.costPrice, .string(let text)): price = text
        case (.ttft, .double(let seconds)): if seconds >= 0, seconds < 1e9 { timeToFirstContent = Int64((seconds * 1e9).rounded()) }
        default: break
        }
    }
}
