public import OTLP
public import Tracing

/// What a run's cost is added up by; the raw value is the API's word.
public enum RunCostKey: String, Sendable, CaseIterable {
    case hop, model, provider, tool, agent
}

/// What a run cost, by one key: its spans are added one by one. The sums agree with the run's totals: what counts there counts here.
public struct RunCost: Sendable {
    public struct Row: Sendable, Equatable {
        /// Of a hop its span id; nil where hops carry no such thing.
        public var key: String?
        public var cost: USD?
        /// Sums of what is known.
        public var inputTokens: Int64 = 0
        public var outputTokens: Int64 = 0
        public var cacheReadTokens: Int64 = 0
        public var cacheWriteTokens: Int64 = 0
        public var reasoningTokens: Int64 = 0
        /// Hops; attempts add their cost, not themselves.
        public var calls: Int64 = 0
        /// Of the first hop, in Unix nanoseconds.
        var startedAt = UInt64.max
    }

    public private(set) var total: USD?
    public private(set) var calls: Int64 = 0
    public private(set) var unpricedHops: Int64 = 0
    /// There are more rows than were wanted: those of the spans that were added last are left out. The sums hold all.
    public private(set) var isCut = false
    private let key: RunCostKey
    private let rowsAtMost: Int
    private var sums: [Row] = []
    private var places: [String?: Int] = [:]

    public init(by key: RunCostKey, rowsAtMost: Int = .max) {
        self.key = key
        self.rowsAtMost = rowsAtMost
    }

    public mutating func add(_ span: OTLPSpan) {
        let node = RunTree.Node(span)
        guard node.countsAsCost else { return }
        addToRow(node)
        if let more = node.cost { total = total.map { $0.addingClamped(more) } ?? more }
        guard node.kind != .attempt else { return }
        calls += 1
        if node.tokens.isKnown, node.cost == nil { unpricedHops += 1 }
    }

    private mutating func addToRow(_ node: RunTree.Node) {
        let value = node.value(of: key)
        let place = places[value] ?? sums.count
        if place == sums.count {
            guard place < rowsAtMost else {
                isCut = true
                return
            }
            sums.append(Row(key: value))
            places[value] = place
        }
        sums[place].add(node)
    }

    /// Hops in the order they began, else the dearest first.
    public var rows: [Row] {
        sums.sorted { left, right in
            if key == .hop { return left.startedAt < right.startedAt }
            let costs = (left.cost?.units ?? -1, right.cost?.units ?? -1)
            return costs.0 == costs.1 ? (left.key ?? "") < (right.key ?? "") : costs.0 > costs.1
        }
    }
}

extension RunCost.Row {
    fileprivate mutating func add(_ node: RunTree.Node) {
        if let more = node.cost { cost = cost.map { $0.addingClamped(more) } ?? more }
        inputTokens.addKnown(node.tokens.input)
        outputTokens.addKnown(node.tokens.output)
        cacheReadTokens.addKnown(node.tokens.cacheRead)
        cacheWriteTokens.addKnown(node.tokens.cacheWrite)
        reasoningTokens.addKnown(node.tokens.reasoning)
        startedAt = min(startedAt, node.startedAt)
        if node.kind != .attempt { calls += 1 }
    }
}

extension RunTree.Node {
    /// As `RunTotals.add` has it.
    fileprivate var countsAsCost: Bool {
        switch kind {
        case .llm, .http, .tool, .agent: !isInferred
        case .attempt: true
        case .run, .guardrail, .external: false
        }
    }

    fileprivate func value(of key: RunCostKey) -> String? {
        switch key {
        // An attempt is its hop's.
        case .hop: kind == .attempt ? parentSpanID?.description ?? spanID.description : spanID.description
        case .model: requestModel ?? responseModel
        case .provider: provider
        case .tool: tool
        // On an agent hop the name is the callee's: what it is paid counts as what it costs.
        case .agent: agent
        }
    }
}
