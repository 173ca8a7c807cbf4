/// What is in the store, kept beside it so that nobody has to count rows.
struct StoredCounts {
    /// Numbers of the first span that is there, and of the next one to come.
    var firstSpan: Int64
    var nextSpan: Int64
    var nextRun: Int64
    var runs: Int64
    /// How far each destination has exported; also of destinations that are not configured any more.
    var cursors: [String: Int64]

    init(_ database: Database) throws(StoreError) {
        let last = try database.prepare("SELECT first + count FROM span_blocks ORDER BY first DESC LIMIT 1")
        nextSpan = try last.step() ? last.integer(0) : 1
        last.reset()
        cursors = [:]
        let rows = try database.prepare("SELECT destination, span FROM cursors")
        while try rows.step() { cursors[rows.text(0)] = rows.integer(1) }
        rows.reset()
        // Numbers are never given twice, even when everything has been deleted: cursors and the id index still name the old ones.
        nextSpan = max(nextSpan, try database.integer("SELECT value FROM meta WHERE key = 'next_span'") ?? 1)
        nextSpan = max(nextSpan, (cursors.values.max() ?? 0) + 1)
        nextRun = try Self.lastRun(database) + 1
        nextRun = max(nextRun, try database.integer("SELECT value FROM meta WHERE key = 'next_run'") ?? 1)
        firstSpan = try database.integer("SELECT min(first) FROM span_blocks") ?? nextSpan
        runs = try database.integer("SELECT value FROM meta WHERE key = 'runs'") ?? 0
    }

    private static func lastRun(_ database: Database) throws(StoreError) -> Int64 {
        let block = try database.prepare("SELECT block, runs FROM run_blocks ORDER BY block DESC LIMIT 1")
        guard try block.step() else { return 0 }
        var last: Int64 = 0
        block.withBlob(1) { bytes in
            RunBlock.forEach(in: bytes) { place, _, _, _ in last = RunBlock.run(block.integer(0), place) }
        }
        return last
    }

    var spans: Int64 { nextSpan - firstSpan }

    mutating func add(spans: Int, runs: Int, next: Int64) {
        self.runs += Int64(runs)
        nextSpan = next
    }

    mutating func removed(below floor: Int64, runs: Int64) {
        firstSpan = max(firstSpan, floor)
        self.runs -= runs
    }
}
