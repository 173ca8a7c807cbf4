public import Tracing

public enum RunState: String, Sendable, CaseIterable { case open, closed }
public enum RunStatus: String, Sendable, CaseIterable { case ok, error }

/// What the query API says of a run (design, "RunSummary"): read from its stored row alone, so that an answer never differs from
/// what the store holds.
public struct RunSummary: Sendable, Equatable {
    public var head: RunHead
    /// The name its caller gave it, else its trace id.
    public var runID: String
    public var name: String
    public var aliases: [String] = []
    public var traceIDs: [TraceID]
    public var state: RunState
    public var agent: String?
    public var workspace: String?
    public var conversationID: String?
    public var models: [String] = []
    public var providers: [String] = []
    public var tools: [String] = []
    public var agents: [String] = []

    public var status: RunStatus { head.isError ? .error : .ok }
    /// Unix nanoseconds; nil while the run is open.
    public var endedAt: UInt64? { state == .open ? nil : head.endedAt }
    public var linkedBy: [LinkedBy] { LinkedBy.allCases.filter { head.linkedBy & (1 << $0.rawValue) != 0 } }

    /// - Returns: nil where the row is damaged.
    public init?(row: RawSpan, state: RunState) {
        var reader = PackedReader(row)
        guard let head = RunHead(from: &reader), let traces = reader.traces(of: head) else { return nil }
        self.head = head
        self.state = state
        traceIDs = head.isNamed ? traces : [TraceID(high: head.key.high, low: head.key.low)]
        var givenID: String?
        var givenName: String?
        var firstHop: String?
        var summary = (aliases: [String](), agent: String?.none, workspace: String?.none, conversation: String?.none)
        var lists = (models: [String](), providers: [String](), tools: [String](), agents: [String]())
        RunDetails.forEach(in: reader.take(row.byteCount - reader.offset)) { kind, text in
            let text = String(utf8: text)
            switch kind {
            case .runID: givenID = text
            case .runName: givenName = text
            case .firstHop: firstHop = text
            case .agent: summary.agent = text
            case .workspace: summary.workspace = text
            case .conversation: summary.conversation = text
            case .model: lists.models.append(text)
            case .session: break  // of the root span
            case .responseModel: break  // found by the filter, not listed: the caller asked for the other name
            case .provider: lists.providers.append(text)
            case .tool: lists.tools.append(text)
            case .participant: lists.agents.append(text)
            case .alias: summary.aliases.append(text)
            }
            return true
        }
        runID = givenID ?? head.key.hex
        name = givenName ?? givenID ?? summary.agent.map { "invoke_agent \($0)" } ?? firstHop ?? "invoke_agent"
        aliases = summary.aliases
        agent = summary.agent
        workspace = summary.workspace
        conversationID = summary.conversation
        models = lists.models
        providers = lists.providers
        tools = lists.tools
        agents = lists.agents
    }
}

extension RunHead {
    /// Open or closed, as readers are told: by the stored state, and where that leaves it to time, by how long the run has been quiet.
    /// - Parameters:
    ///   - now: Unix nanoseconds.
    ///   - idle: nanoseconds of quiet that close a run; `wait` the same for one that waits for a tool's result.
    public func state(_ stored: StoredState, now: UInt64, idle: UInt64, wait: UInt64?) -> RunState {
        switch stored {
        case .closed: .closed
        case .rootOwed: .open
        case .byTime: now < endedAt &+ (isWaiting ? wait ?? idle : idle) ? .open : .closed
        }
    }
}

/// The ids a run is found by, read from its row.
public struct RunIDs {
    public let key: RunKey
    public let isNamed: Bool
    /// Of a named run; an unnamed one is its key.
    public let traces: [TraceID]
    public let tracesAreCut: Bool
    /// The name its caller gave it, and its aliases, in UTF-8.
    public let names: [[UInt8]]

    /// - Returns: nil where the row is damaged.
    public init?(row: RawSpan) {
        var reader = PackedReader(row)
        guard let head = RunHead(from: &reader), let traces = reader.traces(of: head) else { return nil }
        key = head.key
        isNamed = head.isNamed
        tracesAreCut = head.tracesAreCut
        self.traces = traces
        var names: [[UInt8]] = []
        RunDetails.forEach(in: reader.take(row.byteCount - reader.offset)) { kind, text in
            // Sound: the bytes are read inside the closure only.
            if kind == .runID || kind == .alias { names.append(unsafe text.withUnsafeBytes { unsafe Array($0) }) }
            return true
        }
        self.names = names
    }
}
