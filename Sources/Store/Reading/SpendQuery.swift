public import Tracing

/// What spend is grouped by; the raw value is the API's word.
public enum SpendKey: String, Sendable, CaseIterable {
    case day, hour, agent, workspace, model, provider, tool
}

/// The value of a key in a row.
public enum SpendValue: Sendable, Hashable {
    /// The start of the day or hour, in Unix nanoseconds, UTC.
    case time(UInt64)
    case text(String)
    /// The hops do not carry the key: no agent named, no tool.
    case none
}

public struct SpendQuery: Sendable {
    /// One key or two.
    public var by: [SpendKey]
    /// Unix nanoseconds that the start of each hop is tested against: not before `since`, before `until`.
    public var since: UInt64?
    public var until: UInt64?

    public init(by: [SpendKey]) { self.by = by }
}

/// Sums of hops. Exact; tokens and cost of what is known.
public struct SpendSums: Sendable, Equatable {
    /// Nil where no price is known.
    public var cost: USD?
    public var inputTokens: Int64 = 0
    public var outputTokens: Int64 = 0
    public var cacheReadTokens: Int64 = 0
    public var cacheWriteTokens: Int64 = 0
    public var reasoningTokens: Int64 = 0
    /// Hops; attempts add their cost, not themselves.
    public var calls: Int64 = 0
    public var unpricedHops: Int64 = 0
    public var unmeteredHops: Int64 = 0
}

public struct Spend: Sendable {
    public struct Row: Sendable {
        /// As many as keys were asked for, in their order.
        public var keys: [SpendValue]
        public var sums: SpendSums
    }

    public var total = SpendSums()
    /// By time where a key is a time, else the dearest first.
    public var rows: [Row] = []
}
