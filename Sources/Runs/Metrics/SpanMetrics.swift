import Synchronization
public import Tracing

/// Counters and histograms over hops, from the same records that the store and the ledger read.
///
/// Updated on the store's thread, read as Prometheus text from any. The number of series is bounded: callers make model names and
/// providers make error types, so beyond 1,000 combinations, or 200 of models that have never had a price, the models become `other`, and
/// beyond 2,000 the rest does too. Of a model's name 64 bytes count.
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

        mutating func add(_ record: SpanRecord) {
            count += 1
            guard labels.kind == .llm else { return }
            duration.record(nanoseconds: record.endTime &- min(record.startTime, record.endTime))
            if record.tokens.input >= 0 { inputTokens.record(tokens: record.tokens.input) }
            if record.tokens.output >= 0 { outputTokens.record(tokens: record.tokens.output) }
            if let more = record.cost { cost = (cost ?? .zero).addingClamped(more) }
        }
    }

    private struct State {
        var series: [Series] = []
        /// From a hash of the labels' bytes to the series; seeded per process, so that nobody can choose collisions.
        var places: [UInt64: Int] = [:]
        var others: [Labels: Int] = [:]
        /// Providers and models of which some call had a price, and how many series are of others.
        var priced: Set<[String]> = []
        var unpricedSeries = 0
        /// The place last found; most spans are like the one before.
        var latest: (hash: UInt64, place: Int) = (0, -1)
    }

    private let state = Mutex(State())
    private let salt = UInt64.random(in: 0...UInt64.max)

    static let mostSeries = 1_000
    /// Nobody pays for a name that somebody thought of.
    static let mostUnpriced = 200
    static let longestModel = 64
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
        let hash = hash(record, entries, facts)
        state.withLock { state in
            if state.latest.hash != hash || state.latest.place < 0 {
                let place = state.places[hash] ?? Self.enter(Self.labels(kind, record, entries, facts), hash, isPriced: record.cost != nil, &state)
                state.latest = (hash, place)
            }
            state.series[state.latest.place].add(record)
        }
    }

    /// Of the bytes that make the labels. Not `Hasher`: it takes longer than all the rest.
    private func hash(_ record: SpanRecord, _ entries: RawSpan, _ facts: SpanFacts) -> UInt64 {
        var hash = salt ^ UInt64(record.hopKind) << 1 ^ (record.isError ? 1 : 0)
        Self.mix(facts.operation, entries, into: &hash)
        Self.mix(facts.provider, entries, into: &hash)
        Self.mix(facts.requestModel, entries, into: &hash)
        Self.mix(facts.responseModel, entries, into: &hash)
        Self.mix(facts.errorType, entries, into: &hash)
        return hash
    }

    private static func mix(_ text: SpanFacts.Text, _ entries: RawSpan, into hash: inout UInt64) {
        let bytes = text.bytes(in: entries)
        var offset = 0
        while offset + 8 <= bytes.byteCount {
            // Sound: eight bytes are there, and any eight are a word.
            let word = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
            hash = scramble(hash ^ word)
            offset += 8
        }
        var rest: UInt64 = 0
        while offset < bytes.byteCount {
            // Sound: within the span.
            rest = rest << 8 | UInt64(unsafe bytes.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self))
            offset += 1
        }
        hash = scramble(hash ^ rest ^ UInt64(truncatingIfNeeded: bytes.byteCount) << 56)
    }

    private static func scramble(_ word: UInt64) -> UInt64 {
        let product = word &* 0x9E37_79B9_7F4A_7C15
        return product ^ (product >> 29)
    }

    /// All series as they are now.
    func snapshot() -> [Series] { state.withLock { $0.series } }

    private static func labels(_ kind: HopKind, _ record: SpanRecord, _ entries: RawSpan, _ facts: SpanFacts) -> Labels {
        func text(_ text: SpanFacts.Text) -> String { String(utf8: text.bytes(in: entries)) }
        return Labels(
            kind: kind, operation: text(facts.operation), provider: text(facts.provider), requestModel: model(facts.requestModel, entries),
            responseModel: model(facts.responseModel, entries),
            errorType: record.isError ? (facts.errorType.isEmpty ? "_OTHER" : text(facts.errorType)) : "")
    }

    /// Whole characters of its first 64 bytes.
    private static func model(_ text: SpanFacts.Text, _ entries: RawSpan) -> String {
        let bytes = text.bytes(in: entries)
        guard bytes.byteCount > longestModel else { return String(utf8: bytes) }
        var end = longestModel
        // Sound: below the count. A byte 10xxxxxx goes on with the character before it (RFC 3629 §3).
        while end > 0, unsafe bytes.unsafeLoad(fromUncheckedByteOffset: end, as: UInt8.self) & 0xC0 == 0x80 { end -= 1 }
        return String(utf8: bytes.extracting(0..<end))
    }

    /// Whether a new series of a model may be: there is room, and a price, or room for one without.
    private static func takes(_ labels: Labels, isPriced: Bool, _ state: inout State) -> Bool {
        guard state.series.count < mostSeries else { return false }
        guard !labels.requestModel.isEmpty else { return true }
        let model = [labels.provider, labels.requestModel]
        if isPriced { state.priced.insert(model) }
        if state.priced.contains(model) { return true }
        guard state.unpricedSeries < mostUnpriced else { return false }
        state.unpricedSeries += 1
        return true
    }

    /// The series of labels that have not been seen before; overflow series are not remembered by hash, which is bounded so too.
    private static func enter(_ labels: Labels, _ hash: UInt64, isPriced: Bool, _ state: inout State) -> Int {
        if takes(labels, isPriced: isPriced, &state) {
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
