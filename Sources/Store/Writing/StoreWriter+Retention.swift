import Runs

/// What the oldest spans have to make way for.
struct RetentionLimits: Sendable, Equatable {
    /// Nanoseconds after its end that a span is kept; nil for ever.
    var age: UInt64?
    /// Bytes the database may take, its write-ahead log (`StoreWriter.logLimit`) included.
    var bytes: Int64
}

/// What one step deleted.
struct RetentionStep {
    var spans: Int64 = 0
    var runs: Int64 = 0
    /// Spans that a destination had still to get, per destination.
    var unexported: [String: Int64] = [:]
    /// Whether another step would find more.
    var isMore = false
}

extension StoreWriter {
    /// Bytes the log may reach before a checkpoint. Larger logs cost no less per span, and stall the thread for longer.
    static let logLimit = 8 << 20

    /// Blocks that one step deletes.
    private static let mostRetired = 64

    /// Bytes in use: pages that hold something. Freed pages are used again before the file grows.
    func usedBytes() throws(StoreError) -> Int64 {
        let pages = try database.integer("PRAGMA page_count") ?? 0
        let free = try database.integer("PRAGMA freelist_count") ?? 0
        return (pages - free) * Int64(Database.pageSize)
    }

    /// Deletes up to 64 of the oldest blocks (4 MiB or so), if they are too old or too many, and the runs and ids that go with them,
    /// in one transaction. Exported or not: age and size win, and what no destination has got is counted. The block being
    /// filled stays.
    ///
    /// - Parameters:
    ///   - now: Unix nanoseconds.
    ///   - destinations: the ones whose cursors count.
    func retain(_ limits: RetentionLimits, now: UInt64, destinations: Set<String>) throws(StoreError) -> RetentionStep {
        var step = RetentionStep()
        let room = limits.bytes - min(Int64(Self.logLimit), limits.bytes / 4)
        let excess = try usedBytes() - room
        let oldest = limits.age.map { now > $0 ? now - $0 : 0 } ?? 0
        guard excess > 0 || oldest > 0 else { return step }

        guard let floor = try floor(excess: excess, oldest: oldest, now: now) else { return step }
        var lastRun: Int64 = 0
        let blocks = try database.prepare("SELECT first, count, unsampled, records FROM span_blocks WHERE first < ?1 ORDER BY first")
        blocks.bind(1, floor)
        while try blocks.step() {
            let (first, count, unsampled) = (blocks.integer(0), blocks.integer(1), blocks.integer(2))
            step.spans += count
            blocks.withBlob(3) { records in
                var reader = SpanColumnsReader(records, first: first, count: count)
                while let span = reader.next() { lastRun = max(lastRun, span.columns.run) }
            }
            for destination in destinations {
                let cursor = stored.cursors[destination] ?? 0
                let behind = first + count - 1 - max(cursor, first - 1)
                // Where a part of the block is exported, nobody knows which of it was unsampled; whole blocks are exact.
                if behind > 0 { step.unexported[destination, default: 0] += max(0, behind - (behind == count ? unsampled : 0)) }
            }
        }
        blocks.reset()
        step.isMore = true

        var gone: IDSegment?
        try database.transaction { () throws(StoreError) in
            try database.execute("DELETE FROM span_blocks WHERE first < \(floor)")
            // Runs are numbered in the order of their first span, so all that have lost spans are up to `lastRun`; those whose
            // latest span is gone have none left.
            step.runs = try runs.remove(upTo: lastRun) { _, lastSpan in lastSpan < floor }
            try noteRuns(stored.runs - step.runs)
            try note(nextSpan: tail.next, nextRun: ledger.nextRow)
            gone = try dropIDs(before: lastRun)
        }
        if let gone {
            index.committed()
            index.dropped(gone)
        }
        stored.removed(below: floor, runs: step.runs)
        return step
    }

    /// The first span that stays. From the front go all blocks that ended too long ago, and as many more as the excess asks for.
    ///
    /// A block whose end is still to come is from a clock that was ahead. It is no younger than the blocks behind it, and goes with them.
    private func floor(excess: Int64, oldest: UInt64, now: UInt64) throws(StoreError) -> Int64? {
        let blocks = try database.prepare(
            "SELECT first + count, ended_max, length(spans) FROM span_blocks WHERE first < ?1 ORDER BY first LIMIT \(Self.mostRetired)")
        blocks.bind(1, tail.first)
        defer { blocks.reset() }
        var (floor, end): (Int64?, Int64) = (nil, 0)
        var freed: Int64 = 0
        while try blocks.step() {
            end = blocks.integer(0)
            let ended = UInt64(clamping: blocks.integer(1))
            if freed < excess || ended < oldest { floor = end } else if ended <= now { return floor }
            freed += blocks.integer(2)
        }
        guard floor == nil, oldest > 0, end > 0 else { return floor }
        let behind = try database.prepare(
            """
            SELECT ended_max FROM (SELECT ended_max FROM span_blocks WHERE first >= ?1 AND first < ?2 ORDER BY first LIMIT 4096)
            WHERE ended_max <= ?3 LIMIT 1
            """)
        behind.bind(1, end)
        behind.bind(2, tail.first)
        behind.bind(3, Int64(clamping: now))
        defer { behind.reset() }
        return try behind.step() && UInt64(clamping: behind.integer(0)) < oldest ? end : nil
    }

    /// Drops the oldest segment of ids once all its runs are behind; ids of runs that live on are filed anew.
    private func dropIDs(before run: Int64) throws(StoreError) -> IDSegment? {
        guard let segment = index.segment(before: run) else { return nil }
        let rows = try database.prepare("SELECT block, runs FROM run_blocks WHERE block <= ?1 LIMIT 4097")
        rows.bind(1, RunBlock.number(of: segment.lastRun))
        var survivors: [(hash: UInt64, run: Int64)] = []
        while try rows.step() {
            let block = rows.integer(0)
            rows.withBlob(1) { bytes in
                RunBlock.forEach(in: bytes) { place, _, _, summary in
                    let run = RunBlock.run(block, place)
                    guard run <= segment.lastRun else { return }
                    for hash in index.hash.all(of: summary) { survivors.append((hash, run)) }
                }
            }
        }
        rows.reset()
        guard survivors.count <= 4_096 else { return nil }
        for (hash, run) in survivors { index.insert(hash, run: run) }
        try index.drop(segment)
        try index.write()
        return segment
    }

    /// Keeps the numbers that must never be given again, before the rows that show them are deleted.
    func note(nextSpan: Int64, nextRun: Int64) throws(StoreError) {
        try database.execute(
            "INSERT OR REPLACE INTO meta (key, value) VALUES ('next_span', \(nextSpan)), ('next_run', \(nextRun))")
    }
}
