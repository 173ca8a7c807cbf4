import Synchronization
public import Tracing

/// Counters and histograms over hops, from the same records that the store and the ledger read.
///
/// Updated on the store's thread, read as Prometheus text from any. The number of series is bounded: callers make model names and
/// providers make error types, so beyond 1,000 combinations the models become `other`, and beyond 2,000 the rest does too.
public final class SpanMetrics: Sendable {
    /// What one series stands for; all metrics below are sums over these.
    struct Labels: Hashable {
        var kind: HopKind
        var operation = ""
        var provider = ""
        var requestModel = ""
        var responseModel = ""
        /// Empty for a hop that went well.
        var errorType = ""
    }

    struct Series {
        let labels: Labels
        var count: UInt64 = 0
        var duration = Histogram(bounds: Histogram.secondBounds.count)
        var inputTokens = Histogram(bounds: Histogram.tokenBounds.count)
        var outputTokens = Histogram(bounds: Histogram.tokenBounds.count)
        var cost: USD?
    }

    private struct State {
        var series: [Series] = []
        /// From a hash of the labels' bytes to the series; seeded per process, so that nobody can choose collisions.
        var places: [Int: Int] = [:]
        var others: [Labels: Int] = [:]
    }

    private let state = Mutex(State())

    static let mostSeries = 1_000
    static let mostWithOther = 2_000
    private static let other = "other"

    public init() {}

    /// Counts a span, if it is a hop.
    /// - Parameter facts: of the same span.
    public func add(_ record: SpanRecord, _ entries: RawSpan, _ facts: SpanFacts) {
        guard let kind = HopKind(rawValue: record.hopKind), !facts.isInferred else { return }
        switch kind {
        case .llm, .tool, .agent, .http: break
        case .run, .attempt, .guardrail, .external: return
        }
        var hasher = Hasher()
        hasher.combine(record.hopKind)
        hasher.combine(record.isError)
        for text in [facts.operation, facts.provider, facts.requestModel, facts.responseModel, facts.errorType] {
            hasher.combine(text.length)
            // Sound: the bytes are read inside the closure only.
            unsafe text.bytes(in: entries).withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
        }
        let hash = hasher.finalize()
        state.withLock { state in
            let place = state.places[hash] ?? Self.enter(Self.labels(kind, record, entries, facts), hash, &state)
            state.series[place].count += 1
            guard kind == .llm else { return }
            let seconds = Double(record.endTime &- min(record.startTime, record.endTime)) / 1e9
            state.series[place].duration.record(seconds, bounds: Histogram.secondBounds)
            if record.tokens.input >= 0 { state.series[place].inputTokens.record(Double(record.tokens.input), bounds: Histogram.tokenBounds) }
            if record.tokens.output >= 0 { state.series[place].outputTokens.record(Double(record.tokens.output), bounds: Histogram.tokenBounds) }
            if let cost = record.cost { state.series[place].cost = (state.series[place].cost ?? .zero).addingClamped(cost) }
        }
    }

    /// All series as they are now.
    func snapshot() -> [Series] { state.withLock { $0.series } }

    private static func labels(_ kind: HopKind, _ record: SpanRecord, _ entries: RawSpan, _ facts: SpanFacts) -> Labels {
        func text(_ text: SpanFacts.Text) -> String { String(utf8: text.bytes(in: entries)) }
        return Labels(
            kind: kind, operation: text(facts.operation), provider: text(facts.provider), requestModel: text(facts.requestModel),
            responseModel: text(facts.responseModel),
            errorType: record.isError ? (facts.errorType.isEmpty ? "_OTHER" : text(facts.errorType)) : "")
    }

    /// The series of labels that have not been seen before; overflow series are not remembered by hash, which is bounded so too.
    private static func enter(_ labels: Labels, _ hash: Int, _ state: inout State) -> Int {
        if state.series.count < mostSeries {
            state.series.append(Series(labels: labels))
            state.places[hash] = state.series.count - 1
            return state.series.count - 1
        }
        var labels = labels
        if !labels.requestModel.isEmpty { labels.requestModel = other }
        if !labels.responseModel.isEmpty { labels.responseModel = other }
        if state.series.count >= mostWithOther, state.others[labels] == nil {
            labels.operation = other
            labels.provider = other
            if !labels.errorType.isEmpty { labels.errorType = other }
        }
        if let place = state.others[labels] { return place }
        state.series.append(Series(labels: labels))
        state.others[labels] = state.series.count - 1
        return state.series.count - 1
    }
}
