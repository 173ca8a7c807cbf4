import Tracing

/// Where a run stands, as its row says it. The numbers are part of the stored format.
public enum StoredState: UInt8, Sendable {
    /// The caller brought the trace, nothing of ours is owed: open until it has been quiet for long enough.
    case byTime = 0
    /// Its root span is ours and has still to be written.
    case rootOwed = 1
    /// Ended, by request or because its root is written.
    case closed = 2
}

/// A run that the ledger follows. Used on the store's thread only; the objects are reused.
public final class OpenRun {
    /// The row it has, or will have, in the store.
    public internal(set) var row: Int64 = 0
    /// The sequence number of its latest span; each span's columns name the one before. 0 before the first.
    public internal(set) var lastSequence: Int64 = 0
    public internal(set) var state = StoredState.byTime
    /// What the stored row says; nil while there is none.
    public internal(set) var storedState: StoredState?

    // The ledger's books. They stand in front, with what closing a run looks at: it has been far from the processor.
    var isTouched = false
    var isOpen = false
    var inWaitingList = false
    var slot: Int32 = -1
    var previous: Int32 = -1
    var next: Int32 = -1
    var lastActive: UInt64 = 0
    /// The latest span that is in the store.
    var storedSequence: Int64 = 0

    /// The traces of a named run, the first 1,000 of them. Empty where the run is its trace.
    var traces: [TraceID] = []
    /// Its texts (`RunDetails`).
    var details = PackedBytes(capacity: 128)
    public internal(set) var head = RunHead()

    static let mostTraces = 1_000

    init() {}

    private static let usualDetails = 512
    /// Whether it holds on to more memory than most do.
    var isLarge: Bool { details.count > Self.usualDetails || !traces.isEmpty }

    func reset() {
        row = 0
        lastSequence = 0
        state = .byTime
        head = RunHead()
        storedState = nil
        storedSequence = 0
        traces.removeAll(keepingCapacity: true)
        details.removeAll(keeping: Self.usualDetails)
        lastActive = 0
        inWaitingList = false
        isOpen = false
        isTouched = false
    }

    /// Adds one span to the run.
    /// - Returns: whether its trace is new to the run.
    func add(_ record: SpanRecord, _ entries: RawSpan, _ facts: SpanFacts) -> Bool {
        if head.totals.add(record, entries, facts) { head.isListed = true }
        if head.startedAt == 0 || record.startTime < head.startedAt { head.startedAt = record.startTime }
        head.endedAt = max(head.endedAt, record.endTime, record.startTime)
        head.linkedBy |= 1 << (record.linkedBy & 7)
        head.isWaiting = !facts.toolCallNames.isEmpty
        addDetails(record, entries, facts)
        return addTrace(record.traceID)
    }

    private func addDetails(_ record: SpanRecord, _ entries: RawSpan, _ facts: SpanFacts) {
        let limit = RunDetails.mostBytes(hops: head.totals.hops)
        func add(_ kind: RunDetails.Kind, _ text: SpanFacts.Text) {
            if !text.isEmpty { RunDetails.add(kind, text.bytes(in: entries), to: &details, atMost: limit) }
        }
        if record.runIsNamed { add(.runID, facts.runID) }
        add(.runName, facts.runName)
        add(.firstHop, facts.name)
        // On an agent hop the name is the callee's.
        if record.hopKind != HopKind.agent.rawValue { add(.agent, facts.agent) }
        add(.participant, facts.agent)
        add(.workspace, facts.workspace)
        add(.conversation, facts.conversation)
        add(.session, facts.session)
        add(.model, facts.model)
        if !facts.requestModel.isEmpty { add(.responseModel, facts.responseModel) }
        add(.provider, facts.provider)
        add(.tool, facts.tool)
        if !facts.toolCallNames.isEmpty {
            SpanEntry.forEachElement(of: facts.toolCallNames.bytes(in: entries)) { name in
                RunDetails.add(.tool, name, to: &details, atMost: limit)
            }
        }
    }

    private func addTrace(_ trace: TraceID) -> Bool {
        guard head.isNamed else { return false }
        guard !traces.contains(trace) else { return false }
        guard traces.count < Self.mostTraces else {
            head.tracesAreCut = true
            return true
        }
        traces.append(trace)
        return true
    }
}

// MARK: the row

extension OpenRun {
    /// Appends the run's row as `RunSummary` and `RunHead` read it.
    public func write(to row: inout PackedBytes) {
        head.write(to: &row)
        if head.isNamed {
            row.append(varint: traces.count)
            for trace in traces {
                row.append(fixed: trace.high)
                row.append(fixed: trace.low)
            }
        }
        details.withBytes { row.append($0) }
    }

    /// Takes the run up again from its row; false where the row is damaged.
    public func read(row: Int64, lastSequence: Int64, state: StoredState, summary: RawSpan) -> Bool {
        var reader = PackedReader(summary)
        guard let head = RunHead(from: &reader), let traces = reader.traces(of: head) else { return false }
        self.row = row
        self.lastSequence = lastSequence
        self.storedSequence = lastSequence
        self.state = state
        self.storedState = state
        self.head = head
        self.traces = traces
        details.append(reader.take(summary.byteCount - reader.offset))
        return true
    }
}

extension PackedReader {
    /// The list of traces that follows a named run's head; empty for a run that is its trace, nil where damaged.
    mutating func traces(of head: RunHead) -> [TraceID]? {
        guard head.isNamed else { return [] }
        let count = count()
        guard count <= OpenRun.mostTraces else { return nil }
        var traces: [TraceID] = []
        traces.reserveCapacity(count)
        for _ in 0..<count { traces.append(TraceID(high: fixed(), low: fixed())) }
        return isBroken ? nil : traces
    }
}
