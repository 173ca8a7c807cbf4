public import Tracing

/// What a run adds up to. One addition for ledger and budget, so that they cannot disagree.
///
/// What counts: `hops` are LLM, tool, agent and plain HTTP hops that were measured; attempts, inferred tools, guardrails, roots
/// and spans of others are none. Tokens and cost sum what is known: of hops, and of attempts that carry their own.
public struct RunTotals: Sendable, Hashable {
    public var hops: Int64 = 0
    public var llmCalls: Int64 = 0
    /// Inferred ones included.
    public var toolCalls: Int64 = 0
    public var agentCalls: Int64 = 0
    /// Hops in error.
    public var errors: Int64 = 0
    /// Hops that have tokens and no price.
    public var unpricedHops: Int64 = 0
    /// LLM hops whose usage never came; not those that were turned away.
    public var unmeteredHops: Int64 = 0
    /// Sums of what is known; 0 where nothing is.
    public var inputTokens: Int64 = 0
    public var outputTokens: Int64 = 0
    public var cacheReadTokens: Int64 = 0
    public var cacheWriteTokens: Int64 = 0
    public var reasoningTokens: Int64 = 0
    /// The sum of the costs that are known; nil where none is.
    public var cost: USD?

    public var totalTokens: Int64 {
        var total = inputTokens
        total.addKnown(outputTokens)
        return total
    }

    public init() {}

    /// - Parameter facts: of the same span.
    /// - Returns: whether the span is more than MCP or A2A housekeeping (runs of nothing else are not listed).
    @discardableResult
    public mutating func add(_ record: SpanRecord, _ entries: RawSpan, _ facts: SpanFacts) -> Bool {
        var isWork = true
        switch HopKind(rawValue: record.hopKind) {
        case .llm:
            hops += 1
            llmCalls += 1
        case .http:
            hops += 1
        case .tool:
            isWork = facts.isToolCall(entries)
            if isWork { toolCalls += 1 }
            if facts.isInferred { return isWork }  // its reply is counted where it was read, its outcome is a guess
            hops += 1
        case .agent:
            isWork = facts.isAgentCall(entries)
            if isWork { agentCalls += 1 }
            hops += 1
        case .attempt:
            addUsage(of: record)
            return true
        case .run, .guardrail, .external, nil:
            return false
        }
        if record.isError { errors += 1 }
        if record.isUnpriced { unpricedHops += 1 }
        if record.isUnmetered { unmeteredHops += 1 }
        addUsage(of: record)
        return isWork
    }

    private mutating func addUsage(of record: SpanRecord) {
        inputTokens.addKnown(record.tokens.input)
        outputTokens.addKnown(record.tokens.output)
        cacheReadTokens.addKnown(record.tokens.cacheRead)
        cacheWriteTokens.addKnown(record.tokens.cacheWrite)
        reasoningTokens.addKnown(record.tokens.reasoning)
        if let more = record.cost { cost = cost.map { $0.addingClamped(more) } ?? more }
    }
}

extension Int64 {
    /// Adds a token count, -1 being unknown. Counts are other people's numbers: an absurd one sticks at the largest, it does not trap.
    package mutating func addKnown(_ count: Int64) {
        guard count > 0 else { return }
        let (sum, overflow) = addingReportingOverflow(count)
        self = overflow ? .max : sum
    }
}

extension USD {
    /// The sum; amounts beyond what fits (1.7e18 dollars) stick at the largest.
    package func addingClamped(_ other: USD) -> USD {
        let (sum, overflow) = units.addingReportingOverflow(other.units)
        return USD(units: overflow ? (other.units < 0 ? .min : .max) : sum)
    }
}
