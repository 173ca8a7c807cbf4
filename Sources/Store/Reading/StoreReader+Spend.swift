import Runs
import Tracing

extension StoreReader {
    /// Spend across all runs, from the columns of the spans: exact to the nanosecond of `since` and `until`. Reads every block
    /// between them; a million spans take some tenths of a second.
    public func spend(_ query: SpendQuery) throws(StoreError) -> Spend {
        var tally = SpendTally(query)
        let blocks = try database.prepare(
            "SELECT first, count, started_min, started_max, names, records FROM span_blocks ORDER BY first DESC")
        let since = query.since ?? 0
        // Blocks follow the end of spans, but for clocks that were set: it takes many in a row that are too early to end the search.
        var early = 0
        while early < Self.earlyBlocks, try blocks.step() {
            if UInt64(clamping: blocks.integer(3)) < since {
                early += 1
                continue
            }
            early = 0
            if let until = query.until, UInt64(clamping: blocks.integer(2)) >= until { continue }
            let names = blocks.withBlob(4) { BlockNames.read($0) }
            blocks.withBlob(5) { tally.add($0, first: blocks.integer(0), count: blocks.integer(1), names: names) }
        }
        return tally.finish()
    }

    private static let earlyBlocks = 1_024
}

/// Adds up spans by the values of one or two keys.
private struct SpendTally {
    /// A key's value as a number: the start of a time, or a text's place in `texts`, from 1; 0 is none.
    private struct Group: Hashable {
        var first: UInt64 = 0
        var second: UInt64 = 0
    }

    private let query: SpendQuery
    private var total = SpendSums()
    private var rows: [SpendSums] = []
    private var places: [Group: Int] = [:]
    private var groups: [Group] = []
    private var texts: [String] = []
    private var textNumbers: [String: UInt64] = [:]

    init(_ query: SpendQuery) { self.query = query }

    mutating func add(_ records: RawSpan, first: Int64, count: Int64, names: [String]) {
        let numbers = names.map { number(of: $0) }
        var reader = SpanColumnsReader(records, first: first, count: count)
        var latest: (group: Group, place: Int)?
        while let (_, span, _) = reader.next() {
            guard isCounted(span) else { continue }
            var group = Group()
            if let key = query.by.first { group.first = value(key, span, numbers) }
            if query.by.count > 1 { group.second = value(query.by[1], span, numbers) }
            let place: Int
            if let latest, latest.group == group {
                place = latest.place
            } else {
                place = self.place(of: group)
                latest = (group, place)
            }
            rows[place].add(span)
            total.add(span)
        }
    }

    private func isCounted(_ span: SpanColumns) -> Bool {
        guard !span.isGone, !span.isInferred else { return false }
        switch HopKind(rawValue: span.hopKind) {
        case .llm, .tool, .agent, .http, .attempt: break
        case .run, .guardrail, .external, nil: return false
        }
        return span.startedAt >= query.since ?? 0 && span.startedAt < query.until ?? .max
    }

    private func value(_ key: SpendKey, _ span: SpanColumns, _ numbers: [UInt64]) -> UInt64 {
        func text(_ name: Int) -> UInt64 { name > 0 && name <= numbers.count ? numbers[name - 1] : 0 }
        switch key {
        case .day: return span.startedAt - span.startedAt % 86_400_000_000_000
        case .hour: return span.startedAt - span.startedAt % 3_600_000_000_000
        case .agent: return text(span.agent)
        case .workspace: return text(span.workspace)
        case .model: return text(span.model)
        case .provider: return text(span.provider)
        case .tool: return text(span.tool)
        }
    }

    private mutating func number(of text: String) -> UInt64 {
        if let number = textNumbers[text] { return number }
        texts.append(text)
        textNumbers[text] = UInt64(texts.count)
        return UInt64(texts.count)
    }

    private mutating func place(of group: Group) -> Int {
        if let place = places[group] { return place }
        rows.append(SpendSums())
        groups.append(group)
        places[group] = rows.count - 1
        return rows.count - 1
    }

    func finish() -> Spend {
        var spend = Spend(total: total)
        for (group, sums) in zip(groups, rows) {
            let values = [group.first, group.second].prefix(query.by.count)
            let keys = zip(query.by, values).map { key, value -> SpendValue in
                switch key {
                case .day, .hour: .time(value)
                default: value == 0 ? .none : .text(texts[Int(value) - 1])
                }
            }
            spend.rows.append(Spend.Row(keys: keys, sums: sums))
        }
        spend.rows.sort { Self.precedes($0, $1) }
        return spend
    }

    private static func precedes(_ left: Spend.Row, _ right: Spend.Row) -> Bool {
        for (one, other) in zip(left.keys, right.keys) {
            if case .time(let one) = one, case .time(let other) = other, one != other { return one < other }
        }
        let costs = (left.sums.cost?.units ?? -1, right.sums.cost?.units ?? -1)
        if costs.0 != costs.1 { return costs.0 > costs.1 }
        // Any fixed order, so that equal rows do not change places.
        return left.keys.map(\.sortText).lexicographicallyPrecedes(right.keys.map(\.sortText))
    }
}

extension SpendValue {
    fileprivate var sortText: String { if case .text(let text) = self { text } else { "" } }
}

extension SpendSums {
    fileprivate mutating func add(_ span: SpanColumns) {
        if let more = span.cost { cost = cost.map { $0.addingClamped(more) } ?? more }
        inputTokens.addKnown(span.tokens.input)
        outputTokens.addKnown(span.tokens.output)
        cacheReadTokens.addKnown(span.tokens.cacheRead)
        cacheWriteTokens.addKnown(span.tokens.cacheWrite)
        reasoningTokens.addKnown(span.tokens.reasoning)
        guard span.hopKind != HopKind.attempt.rawValue else { return }
        calls += 1
        if span.tokens.isKnown, span.cost == nil { unpricedHops += 1 }
        if span.isUnmetered { unmeteredHops += 1 }
    }
}
