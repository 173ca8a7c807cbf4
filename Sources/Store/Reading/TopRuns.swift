import Runs

/// The first runs of an order, as many as a page holds and one more, kept sorted while rows go by.
struct TopRuns {
    private struct Candidate {
        let value: Int128
        let row: Int64
        let lastSpan: Int64
        let state: StoredState
        let summary: [UInt8]
    }

    private let query: RunQuery
    private var candidates: [Candidate] = []

    init(_ query: RunQuery) { self.query = query }

    /// Whether no run that started between the two can still get in; by start time only.
    func isFull(before startedMin: Int64, _ startedMax: Int64) -> Bool {
        guard query.order == .startedAt, candidates.count > query.limit, let last = candidates.last else { return false }
        return query.isDescending ? Int128(startedMax) < last.value : Int128(startedMin) > last.value
    }

    /// Takes in what a block holds for the page.
    mutating func add(_ block: Int64, _ runs: RawSpan, _ filter: RunFilter) {
        RunBlock.forEach(in: runs) { place, state, lastSpan, summary in
            let row = RunBlock.run(block, place)
            var reader = PackedReader(summary)
            guard let head = RunHead(from: &reader), wants(head, row) else { return }
            if head.isNamed {
                let traces = reader.count()
                _ = reader.take(traces &* 16)
            }
            guard filter.accepts(head, state, reader.take(summary.byteCount - reader.offset)) else { return }
            insert(head, row: row, lastSpan: lastSpan, state: state, summary)
        }
    }

    /// Whether a run would get in by its place in the order.
    private func wants(_ head: RunHead, _ row: Int64) -> Bool {
        let value = query.order.value(of: head)
        if let cursor = query.after, !precedes((cursor.value, cursor.row), (value, row)) { return false }
        guard candidates.count > query.limit, let last = candidates.last else { return true }
        return precedes((value, row), (last.value, last.row))
    }

    private mutating func insert(_ head: RunHead, row: Int64, lastSpan: Int64, state: StoredState, _ summary: RawSpan) {
        let value = query.order.value(of: head)
        var low = 0
        var high = candidates.count
        while low < high {
            let middle = (low + high) / 2
            if precedes((candidates[middle].value, candidates[middle].row), (value, row)) { low = middle + 1 } else { high = middle }
        }
        // Sound: the bytes are read inside the closure only.
        let bytes = unsafe summary.withUnsafeBytes { unsafe Array($0) }
        candidates.insert(Candidate(value: value, row: row, lastSpan: lastSpan, state: state, summary: bytes), at: low)
        if candidates.count > query.limit + 1 { candidates.removeLast() }
    }

    /// The page; its cursor where there was one more.
    func finish(_ filter: RunFilter) -> RunPage {
        let page = candidates.prefix(query.limit)
        let runs = page.compactMap { one in
            let bytes = one.summary
            return StoredRun(row: one.row, lastSpan: one.lastSpan, state: one.state, bytes.raw, filter)
        }
        guard candidates.count > query.limit, let last = page.last else { return RunPage(runs: runs, next: nil) }
        let next = RunCursor(order: query.order, isDescending: query.isDescending, value: last.value, row: last.row)
        return RunPage(runs: runs, next: next)
    }

    private func precedes(_ left: (Int128, Int64), _ right: (Int128, Int64)) -> Bool { query.isDescending ? left > right : left < right }
}
