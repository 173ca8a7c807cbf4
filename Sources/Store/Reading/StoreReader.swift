import Deflate
import Runs
import Tracing

/// Reads the store over a connection of its own. For use by one thread at a time; every call sees one committed state.
public final class StoreReader {
    let database: Database
    let hash: IDHash
    let clock: StoreClock
    let shared: StoreShared
    /// Keeps the store's lock while this connection is open.
    private let file: StoreFile

    private let runs: StoredRunFinder
    private let segments: Statement
    private let part: Statement
    private let log: Statement
    let finder: BlockFinder
    /// The exporter's, once one has asked: compiling them takes longer than a batch.
    var exportBlocks: Statement?
    var oldestBlock: Statement?
    let inflater = BlockInflater(usualSize: SpanBlock.usualBytes)

    init(_ file: StoreFile, hash: IDHash, clock: StoreClock, shared: StoreShared) throws(StoreError) {
        self.file = file
        self.hash = hash
        self.clock = clock
        self.shared = shared
        database = try file.openForReading()
        runs = try StoredRunFinder(database)
        segments = try database.prepare("SELECT segment, bits FROM id_segments")
        part = try database.prepare("SELECT entries FROM id_parts WHERE part = ?1")
        log = try database.prepare("SELECT entries FROM id_log")
        finder = try BlockFinder(database)
    }

    /// Runs `body` over one state of the database.
    func snapshot<Result>(_ body: () throws(StoreError) -> Result) throws(StoreError) -> Result {
        try database.execute("BEGIN")
        finder.forget()
        defer { try? database.execute("COMMIT") }
        return try body()
    }

    // MARK: lists

    /// A page of runs. By start time it reads about as many rows as it returns; any other order reads every row between `since` and
    /// `until`.
    public func runs(_ query: RunQuery) throws(StoreError) -> RunPage {
        try snapshot { () throws(StoreError) in
            let filter = RunFilter(query, now: clock.wall(), times: shared.runTimes)
            var page = TopRuns(query)
            let blocks = try blocks(query)
            while try blocks.step() {
                if page.isFull(before: blocks.integer(1), blocks.integer(2)) { break }
                try runs.readBlock(blocks.integer(0)) { page.add(blocks.integer(0), $0, filter) }
            }
            blocks.reset()
            return page.finish(filter)
        }
    }

    /// Blocks that can hold a run of the page, in the order in which they have to be looked at.
    private func blocks(_ query: RunQuery) throws(StoreError) -> Statement {
        var least = query.since ?? 0
        var most = query.until.map { $0 > 0 ? $0 - 1 : 0 } ?? UInt64(Int64.max)
        if let cursor = query.after, query.order == .startedAt {
            let value = UInt64(clamping: cursor.value)
            if query.isDescending { most = min(most, value) } else { least = max(least, value) }
        }
        let order =
            switch (query.order, query.isDescending) {
            case (.startedAt, true): "ORDER BY started_max DESC"
            // Sorted in memory, from the index alone: rarely asked for, and not worth an index of its own.
            case (.startedAt, false): "ORDER BY started_min"
            default: ""
            }
        let blocks = try database.prepare("SELECT block, started_min, started_max FROM run_blocks WHERE started_max >= ?1 AND started_min <= ?2 \(order)")
        blocks.bind(1, least)
        blocks.bind(2, most)
        return blocks
    }

    // MARK: one run

    /// The run with this id, alias or trace id: of several, the one that started last.
    public func run(_ id: String) throws(StoreError) -> StoredRun? { try runs(called: id).first }

    /// All runs that this may mean, those that started later first. The run whose own id is this trace id is meant alone: names are
    /// their callers' own, and nobody can take that id away by such a name. Then runs of that name, one a caller; then those that the
    /// trace belongs to.
    public func runs(called id: String) throws(StoreError) -> [StoredRun] {
        let utf8 = Array(id.utf8)
        let trace = TraceID(hex: id.lowercased())
        return try snapshot { () throws(StoreError) in
            var found: [(row: Int64, rank: Int)] = []
            var rows = try candidates(hash.hash(utf8.raw))
            if let trace { rows += try candidates(hash.hash(trace)) }
            for row in Set(rows) {
                guard let ids = try runs.read(row, { _, _, summary in RunIDs(row: summary) }) ?? nil else { continue }
                let isKey = !ids.isNamed && trace.map { RunKey($0) } == ids.key
                if isKey {
                    found.append((row, 2))
                } else if ids.names.contains(utf8) {
                    found.append((row, 1))
                } else if trace.map({ ids.isNamed && (ids.traces.contains($0) || ids.tracesAreCut) }) ?? false {
                    found.append((row, 0))
                }
            }
            let highest = found.map(\.rank).max()
            var runs: [StoredRun] = []
            for one in found where one.rank == highest { if let run = try stored(one.row) { runs.append(run) } }
            return runs.sorted { ($0.summary.head.startedAt, $0.row) > ($1.summary.head.startedAt, $1.row) }
        }
    }

    /// The run with a number, as it is now.
    private func stored(_ row: Int64) throws(StoreError) -> StoredRun? {
        let filter = RunFilter(RunQuery(), now: clock.wall(), times: shared.runTimes)
        return try runs.read(row) { state, lastSpan, summary in
            StoredRun(row: row, lastSpan: lastSpan, state: state, summary, filter)
        } ?? nil
    }

    /// Rows filed under a hash: of the log, and of the one part of each segment that can have it.
    private func candidates(_ hash: UInt64) throws(StoreError) -> [Int64] {
        var rows: [Int64] = []
        while try log.step() {
            log.withBlob(0) { blob in
                let entries = IDEntries(blob)
                for index in 0..<entries.count where entries[index].hash == hash { rows.append(entries[index].run) }
            }
        }
        log.reset()
        while try segments.step() {
            let place = IDSegment.part(of: hash, bits: Int(segments.integer(1)))
            part.bind(1, IDSegment.row(segment: segments.integer(0), part: place))
            if try part.step() {
                part.withBlob(0) { blob in
                    _ = IDEntries(blob).search(hash) { row in
                        rows.append(row)
                        return false
                    }
                }
            }
            part.reset()
        }
        segments.reset()
        return rows
    }
}

extension StoredRun {
    init?(row: Int64, lastSpan: Int64, state: StoredState, _ bytes: RawSpan, _ filter: RunFilter) {
        var reader = PackedReader(bytes)
        guard let head = RunHead(from: &reader), let summary = RunSummary(row: bytes, state: filter.state(head, state)) else { return nil }
        self.init(row: row, lastSpan: lastSpan, summary: summary)
    }
}
