public import Runs
public import Tracing

/// What a list of runs is ordered by; the raw value is the API's word. Open runs count with what they are so far; a cost that is
/// unknown is the least.
public enum RunOrder: String, Sendable, CaseIterable {
    case startedAt = "started_at"
    case cost = "cost_usd"
    case duration = "duration_ms"
    case hops
    case tokens

    func value(of head: RunHead) -> Int128 {
        switch self {
        case .startedAt: Int128(head.startedAt)
        case .cost: head.totals.cost?.units ?? .min
        case .duration: Int128(head.duration)
        case .hops: Int128(head.totals.hops)
        case .tokens: Int128(head.totals.totalTokens)
        }
    }
}

/// Which runs, in which order. Empty lists do not filter; several values of one filter mean any of them.
public struct RunQuery: Sendable {
    /// Unix nanoseconds that `started_at` is tested against: not before `since`, before `until`.
    public var since: UInt64?
    public var until: UInt64?
    public var agents: [String] = []
    public var workspaces: [String] = []
    /// Asked for or answered.
    public var models: [String] = []
    public var providers: [String] = []
    public var tools: [String] = []
    public var statuses: [RunStatus] = []
    public var states: [RunState] = []
    public var minCost: USD?
    /// Words, each of which must be part of a name, model or tool of the run; ASCII letters match in either case.
    public var text = ""
    public var order = RunOrder.startedAt
    public var isDescending = true
    public var limit = 50
    public var after: RunCursor?

    public init() {}
}

/// Where a page of runs ended: the position of its last run in the order, so that the next page goes on there whatever has been
/// written since.
public struct RunCursor: Sendable, Equatable {
    var order: RunOrder
    var isDescending: Bool
    var value: Int128
    var row: Int64

    init(order: RunOrder, isDescending: Bool, value: Int128, row: Int64) {
        (self.order, self.isDescending, self.value, self.row) = (order, isDescending, value, row)
    }

    /// Opaque to clients: letters, digits, `_`, `-` and `~`.
    public var text: String { "\(isDescending ? "-" : "")\(order.rawValue)~\(value)~\(row)" }

    /// Nil for what is no cursor of ours.
    public init?(_ text: String) {
        let parts = text.split(separator: "~", omittingEmptySubsequences: false)
        guard parts.count == 3, let value = Int128(parts[1]), let row = Int64(parts[2]) else { return nil }
        isDescending = parts[0].hasPrefix("-")
        guard let order = RunOrder(rawValue: String(isDescending ? parts[0].dropFirst() : parts[0])) else { return nil }
        (self.order, self.value, self.row) = (order, value, row)
    }

    /// Whether it comes from a list in this order; another one makes no sense of it.
    public func fits(_ query: RunQuery) -> Bool { order == query.order && isDescending == query.isDescending }
}

/// A run as it is stored.
public struct StoredRun: Sendable {
    public let row: Int64
    /// The number of its latest span.
    public let lastSpan: Int64
    public let summary: RunSummary
}

public struct RunPage: Sendable {
    public var runs: [StoredRun]
    /// Nil where there are no more.
    public var next: RunCursor?
}
