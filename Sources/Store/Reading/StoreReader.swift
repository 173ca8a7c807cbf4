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

    private let rowsOfZone: Statement
    private let rowOfRun: Statement
    private let segments: Statement
    private let part: Statement
    private let log: Statement
    let finder: BlockFinder

    init(_ file: StoreFile, hash: IDHash, clock: StoreClock, shared: StoreShared) throws(StoreError) {
        self.file = file
        self.hash = hash
        self.clock = clock
        self.shared = shared
        database = try file.openForReading()
        rowsOfZone = try database.prepare("SELECT run, last_span, state, summary FROM runs WHERE run >= ?1 AND run < ?2")
        rowOfRun = try database.prepare("SELECT run, last_span, state, summary FROM runs WHERE run = ?1")
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
            let zones = try zones(query)
            while try zones.step() {
                if page.isFull(before: zones.integer(1), zones.integer(2)) { break }
                try scan(zone: zones.integer(0), filter, &page)
            }
            zones.reset()
            return page.finish(filter)
        }
    }

    /// Zones that can hold a run of the page, in the order in which they have to be looked at.
    private func zones(_ query: RunQuery) throws(StoreError) -> Statement {
        var least = query.since ?? 0
        var most = query.until.map { $0 > 0 ? $0 - 1 : 0 } ?? UInt64(Int64.max)
        if let cursor = query.after, query.order == .startedAt {
            let value = UInt64(clamping: cursor.value)
            if query.isDescending { most = min(most, value) } else { least = max(least, value) }
        }
        let order =
            switch (query.order, query.isDescending) {
            case (.startedAt, true): "ORDER BY started_max DESC"
            case (.startedAt, false): "ORDER BY started_min"
            default: ""
            }
        let zones = try database.prepare(
            "SELECT zone, started_min, started_max FROM run_zones WHERE started_max >= ?1 AND started_min <= ?2 \(order)")
        zones.bind(1, least)
        zones.bind(2, most)
        return zones
    }

    private func scan(zone: Int64, _ filter: RunFilter, _ page: inout TopRuns) throws(StoreError) {
        rowsOfZone.bind(1, zone * ZoneChanges.runsPerZone)
        rowsOfZone.bind(2, (zone + 1) * ZoneChanges.runsPerZone)
        defer { rowsOfZone.reset() }
        while try rowsOfZone.step() {
            let row = rowsOfZone.integer(0)
            let state = StoredState(rawValue: UInt8(clamping: rowsOfZone.integer(2))) ?? .byTime
            rowsOfZone.withBlob(3) { summary in
                var reader = PackedReader(summary)
                guard let head = RunHead(from: &reader) else { return }
                guard page.wants(head, row) else { return }
                if head.isNamed {
                    let traces = reader.count()
                    _ = reader.take(traces &* 16)
                }
                guard filter.accepts(head, state, reader.take(summary.byteCount - reader.offset)) else { return }
                page.insert(head, row: row, lastSpan: rowsOfZone.integer(1), state: state, summary)
            }
        }
    }

    // MARK: one run

    /// The run with this id, alias or trace id. Where several have it (a name is its caller's own), the latest; an id wins over a
    /// trace id.
    public func run(_ id: String) throws(StoreError) -> StoredRun? {
        let utf8 = Array(id.utf8)
        let trace = TraceID(hex: id.lowercased())
        return try snapshot { () throws(StoreError) in
            var best: (row: Int64, isByID: Bool)?
            var rows = try candidates(hash.hash(utf8.raw))
            if let trace { rows += try candidates(hash.hash(trace)) }
            for row in Set(rows) {
                guard let ids = try read(row, { RunIDs(row: $0) }) ?? nil else { continue }
                let isKey = !ids.isNamed && trace.map { RunKey($0) } == ids.key
                let isByID = isKey || ids.names.contains(utf8)
                guard isByID || trace.map({ ids.isNamed && (ids.traces.contains($0) || ids.tracesAreCut) }) ?? false else { continue }
                if let known = best, (known.isByID && !isByID) || (known.isByID == isByID && known.row > row) { continue }
                best = (row, isByID)
            }
            return try best.flatMap { best throws(StoreError) in try stored(best.row) }
        }
    }

    /// The run in a row, as it is now.
    private func stored(_ row: Int64) throws(StoreError) -> StoredRun? {
        rowOfRun.bind(1, row)
        defer { rowOfRun.reset() }
        guard try rowOfRun.step() else { return nil }
        let last = rowOfRun.integer(1)
        let state = StoredState(rawValue: UInt8(clamping: rowOfRun.integer(2))) ?? .byTime
        return rowOfRun.withBlob(3) { summary in
            StoredRun(row: row, lastSpan: last, state: state, summary, RunFilter(RunQuery(), now: clock.wall(), times: shared.runTimes))
        }
    }

    private func read<Result>(_ row: Int64, _ body: (RawSpan) -> Result) throws(StoreError) -> Result? {
        rowOfRun.bind(1, row)
        defer { rowOfRun.reset() }
        return try rowOfRun.step() ? rowOfRun.withBlob(3, body) : nil
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
