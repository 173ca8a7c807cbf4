import Runs
import Tracing

/// A hop as a test describes it: the fields that matter to the test, the rest as of a good model call.
struct Hop {
    var kind = HopKind.llm
    var trace = TraceID(high: 1, low: 1)
    var span: UInt64 = 1
    var parent: UInt64 = 0
    /// Nil: the run is its trace.
    var runName: String?
    /// Set where the gateway made up the root.
    var root: UInt64 = 0
    var start: UInt64 = 1_000
    var end: UInt64 = 2_000
    var tokens: (input: Int64, output: Int64)? = (10, 5)
    var cost: String? = "0.001"
    var isError = false
    var linkedBy = LinkedBy.traceparent
    var operation: String? = "chat"
    var agent: String?
    var model: String? = "gpt-4o"
    var responseModel: String?
    var provider = "openai"
    var tool: String?
    var asksFor: [String] = []
    var workspace: String?
    var conversation: String?
    var session: String?
    var isInferred = false
    var errorType: String?

    /// The key a gateway gives the run.
    var key: RunKey {
        guard let runName else { return RunKey(trace) }
        return RunKey(high: UInt64(runName.utf8.count), low: runName.utf8.reduce(7) { $0 &* 31 &+ UInt64($1) })
    }

    func draw(into draft: inout SpanDraft) {
        draft.reset()
        draft.record.traceID = trace
        draft.record.span = span
        draft.record.parent = parent
        draft.record.run = key
        draft.record.runRoot = root
        draft.record.startTime = start
        draft.record.endTime = end
        draft.record.hopKind = kind.rawValue
        draft.record.linkedBy = linkedBy.rawValue
        draft.record.isError = isError
        draft.record.runIsNamed = runName != nil
        draft.record.flags = TraceFlags.sampled.rawValue
        if let tokens { (draft.record.tokens.input, draft.record.tokens.output) = tokens }
        if let cost, let usd = USD(cost) {
            draft.record.cost = usd
            draft.record.costSource = CostSource.catalogue.rawValue
        }
        draft.setName("\(operation ?? "POST") \(model ?? tool ?? provider)")
        if let operation { draft.set(.operationName, operation) }
        if let runName { draft.set(.runID, runName) }
        if let agent { draft.set(.agentName, agent) }
        if let model { draft.set(.requestModel, model) }
        if let responseModel { draft.set(.responseModel, responseModel) }
        draft.set(.providerName, provider)
        if let tool { draft.set(.toolName, tool) }
        if let workspace { draft.set(.workspace, workspace) }
        if let conversation { draft.set(.conversationID, conversation) }
        if let session { draft.set(.sessionID, session) }
        if let errorType { draft.set(.errorType, errorType) }
        if isInferred { draft.set(.timing, "inferred") }
        if !asksFor.isEmpty {
            draft.beginList(.toolCallNames)
            for name in asksFor { draft.appendElement(name) }
            draft.endList()
        }
    }
}

/// A ledger with the store it would have: rows are kept when `commit` is called, and given back when a run opens again.
final class LedgerBench {
    let ledger: RunLedger
    var rows: [RunKey: (row: Int64, last: Int64, state: StoredState, summary: [UInt8])] = [:]
    var roots: [SpanRecord] = []
    var rootAttributes: [[Attribute: String]] = []
    var closed: [RunKey] = []
    var underWay: Set<RunKey> = []
    var previous: [Int64] = []
    /// Keys that the store was asked for.
    var asked: [RunKey] = []
    private var draft = SpanDraft()
    private var sequence: Int64 = 1

    init(_ limits: RunLedger.Limits = RunLedger.Limits()) {
        var record: (RunKey) -> Void = { _ in }
        var ask: (RunKey) -> Bool = { _ in false }
        ledger = RunLedger(limits: limits, isUnderWay: { key, _ in ask(key) }) { record($0) }
        record = { [unowned self] key in closed.append(key) }
        ask = { [unowned self] key in underWay.contains(key) }
    }

    @discardableResult
    func absorb(_ hop: Hop, now: UInt64 = 0) -> RunLedger.Absorbed {
        hop.draw(into: &draft)
        let record = draft.record
        let absorbed = draft.withEntries { entries in
            ledger.absorb(
                record, entries, SpanFacts(entries),
                sequence: {
                    defer { sequence += 1 }
                    return sequence
                }, now: now, stored: { load($0, into: $1) }, settle: { settle($0) })
        }
        previous.append(absorbed.previous)
        return absorbed
    }

    /// - Parameter room: for so many roots.
    func close(now: UInt64, room: Int = .max) {
        let most = room == .max ? .max : roots.count + room
        ledger.closeEnded(now: now, while: { roots.count < most }) { settle($0) }
    }

    /// Returns whether more are to close.
    func closeOwing(room: Int) -> Bool {
        let most = roots.count + room
        return ledger.closeOwing(while: { roots.count < most }) { settle($0) }
    }

    func end(_ key: RunKey) -> Bool { ledger.end(key, stored: { load($0, into: $1) }, settle: { settle($0) }) }

    func commit() {
        for run in ledger.touched {
            var bytes = PackedBytes()
            run.write(to: &bytes)
            let summary = bytes.withBytes { bytes in (0..<bytes.byteCount).map { bytes[$0] } }
            rows[run.head.key] = (run.row, run.lastSequence, run.state, summary)
        }
        ledger.committed()
    }

    func summary(_ key: RunKey, now: UInt64 = 0, idle: UInt64 = 60) -> RunSummary? {
        guard let row = rows[key] else { return nil }
        return row.summary.withRaw { raw in
            var reader = PackedReader(raw)
            guard let head = RunHead(from: &reader) else { return nil }
            return RunSummary(row: raw, state: head.state(row.state, now: now, idle: idle, wait: nil))
        }
    }

    private func load(_ key: RunKey, into run: OpenRun) -> Bool {
        asked.append(key)
        guard let row = rows[key] else { return false }
        return row.summary.withRaw { run.read(row: row.row, lastSequence: row.last, state: row.state, summary: $0) }
    }

    private func settle(_ run: OpenRun) {
        var root = SpanDraft()
        run.drawRoot(into: &root)
        previous.append(ledger.noteRoot(of: run, sequence: sequence))
        sequence += 1
        roots.append(root.record)
        var attributes: [Attribute: String] = [:]
        root.withEntries { entries in
            SpanEntry.forEach(in: entries) { tag, type, value in
                guard let attribute = Attribute(rawValue: tag) else { return }
                attributes[attribute] = type == .int ? "\(SpanEntry.int(value))" : value.text
            }
        }
        rootAttributes.append(attributes)
    }
}

extension RawSpan {
    subscript(_ index: Int) -> UInt8 { unsafe unsafeLoad(fromByteOffset: index, as: UInt8.self) }
    var text: String { String(decoding: (0..<byteCount).map { self[$0] }, as: UTF8.self) }
}

extension [UInt8] {
    func withRaw<Result>(_ body: (RawSpan) -> Result) -> Result { body(unsafe span.bytes) }
}
