import Runs
import Tracing

/// From the hash of a run's key, name or trace to the run's row.
///
/// A B-tree keyed by random ids would cost a page per new run; this costs a few bytes: new entries go to a log and a table in
/// memory, full tables become sorted segments, eight segments become one of the next level (a log-structured merge tree; O'Neil et
/// al. 1996). Each entry is written four times in all. A filter per segment, in memory, says within about a tenth of a
/// microsecond that a run is new. Entries are never removed one by one: those of deleted runs lead to no row, and go with their
/// segment (`dropSegments`).
///
/// Used on the store's thread only. Changes in memory happen in `committed`, so that a transaction that fails can be tried again.
final class IDIndex {
    let hash: IDHash
    private let database: Database
    private var table = IDTable()
    private var segments: [IDSegment] = []
    private var nextSegment: Int64 = 1

    private var unlogged = PackedBytes(capacity: 4 << 10)
    private var written: IDSegment?
    private var merge: IDMerge?
    /// Targets of merges that failed: their parts belong to nobody.
    private var orphans: [Int64] = []

    private let insertLog: Statement
    private let clearLog: Statement
    private let readPart: Statement

    static let tableEntries = 8_192
    static let fanout = 8
    /// Segments of this level (half a million entries) are not merged any more, so that they can be dropped with their runs.
    static let lastLevel = 2

    init(_ database: Database, hash: IDHash) throws(StoreError) {
        self.database = database
        self.hash = hash
        insertLog = try database.prepare("INSERT INTO id_log (entries) VALUES (?1)")
        clearLog = try database.prepare("DELETE FROM id_log")
        readPart = try database.prepare("SELECT entries FROM id_parts WHERE part = ?1")
        try load()
    }

    var segmentCount: Int { segments.count }

    /// Calls `body` with the rows that may be the hash's run until it returns true. A part that cannot be read is passed over.
    func search(_ hash: UInt64, _ body: (Int64) -> Bool) -> Bool {
        if table.search(hash, body) { return true }
        // By index: walking over the array would hold and let go each filter.
        for index in segments.indices.reversed() where segments[index].filter.mayContain(hash) {
            let segment = segments[index]
            readPart.bind(1, segment.row(ofPart: segment.part(of: hash)))
            defer { readPart.reset() }
            guard let isThere = try? readPart.step(), isThere else { continue }
            if readPart.withBlob(0, { IDEntries($0).search(hash, body) }) { return true }
        }
        return false
    }

    /// Files a run under a hash; on disk with the next `write`.
    func insert(_ hash: UInt64, run: Int64) {
        let entry = IDEntry(hash: hash, run: run)
        table.insert(entry)
        unlogged.append(entry)
    }

    // MARK: with the batch's transaction

    /// Writes what is new, as a row of the log or, once there is enough, as a segment.
    func write() throws(StoreError) {
        written = nil
        if table.count >= Self.tableEntries {
            let entries = table.sorted()
            var segment = IDSegment(number: nextSegment, level: 0, entries: entries.count, lastRun: entries.reduce(0) { max($0, $1.run) })
            let writer = try IDPartWriter(database)
            for entry in entries {
                try writer.append(entry, of: segment)
                segment.filter.insert(entry.hash)
            }
            try writer.finish(segment)
            try clearLog.run()
            written = segment
        } else if unlogged.count > 0 {
            try unlogged.withBytes { bytes throws(StoreError) in
                // Sound: the bytes stay until the statement has run.
                unsafe insertLog.bind(1, inPlace: bytes)
                try insertLog.run()
            }
        }
    }

    func committed() {
        unlogged.removeAll()
        guard let segment = written else { return }
        segments.append(segment)
        nextSegment = segment.number + 1
        table.removeAll()
        written = nil
    }

    // MARK: merging, in transactions of its own

    /// Whether there is something to merge.
    var wantsMerge: Bool { merge != nil || mergeable != nil }

    /// Does a bounded piece of merging (some 65,000 entries). Call in a transaction; then `mergeCommitted`, or `mergeFailed`.
    func mergeStep(parts: Int = 128) throws(StoreError) {
        for number in orphans { try deleteParts(ofSegment: number) }
        if merge == nil, let level = mergeable {
            let sources = Array(segments.filter { $0.level == level }.prefix(Self.fanout))
            let number = nextSegment
            nextSegment += 1
            merge = try IDMerge(sources, into: number, database)
        }
        try merge?.step(parts: parts)
    }

    func mergeCommitted() {
        orphans = []
        guard let done = merge, done.isFinished else { return }
        let sources = Set(done.sources.map(\.number))
        let place = segments.firstIndex { sources.contains($0.number) } ?? 0
        segments.removeAll { sources.contains($0.number) }
        segments.insert(done.target, at: place)
        merge = nil
    }

    /// What earlier steps of it have written is deleted with the next one's, or at the next start.
    func mergeFailed() {
        if let merge { orphans.append(merge.target.number) }
        merge = nil
    }

    private var mergeable: Int? {
        (0..<Self.lastLevel).first { level in segments.count(where: { $0.level == level }) >= Self.fanout }
    }

    // MARK: retention

    /// The oldest segment, where it names no run beyond `run`.
    func segment(before run: Int64) -> IDSegment? {
        guard merge == nil else { return nil }
        return segments.filter { $0.lastRun <= run }.min { $0.lastRun < $1.lastRun }
    }

    /// Deletes a segment's rows; `dropped` after the commit.
    func drop(_ segment: IDSegment) throws(StoreError) {
        try deleteParts(ofSegment: segment.number)
        try database.execute("DELETE FROM id_segments WHERE segment = \(segment.number)")
    }

    private func deleteParts(ofSegment number: Int64) throws(StoreError) {
        let (from, to) = (IDSegment.row(segment: number, part: 0), IDSegment.row(segment: number + 1, part: 0))
        try database.execute("DELETE FROM id_parts WHERE part >= \(from) AND part < \(to)")
    }

    func dropped(_ segment: IDSegment) { segments.removeAll { $0.number == segment.number } }

    // MARK: at the start

    private func load() throws(StoreError) {
        let rows = try database.prepare("SELECT segment, level, bits, ids, last_run, filter FROM id_segments ORDER BY segment")
        while try rows.step() {
            guard let filter = rows.withBlob(5, { IDFilter(stored: $0) }) else { throw .corrupt }
            segments.append(
                IDSegment(
                    number: rows.integer(0), level: Int(rows.integer(1)), bits: Int(rows.integer(2)), entries: Int(rows.integer(3)),
                    lastRun: rows.integer(4), filter: filter))
        }
        rows.reset()
        nextSegment = (segments.map(\.number).max() ?? 0) + 1
        segments.sort { $0.lastRun < $1.lastRun }

        let log = try database.prepare("SELECT entries FROM id_log ORDER BY batch")
        while try log.step() {
            log.withBlob(0) { blob in
                let entries = IDEntries(blob)
                for index in 0..<entries.count where entries[index].run > 0 { table.insert(entries[index]) }
            }
        }
        log.reset()
        // Parts of merges that were cut short belong to no listed segment.
        var gap: Int64 = 0
        for number in segments.map(\.number).sorted() + [Int64.max >> 16] {
            if number > gap {
                let (from, to) = (IDSegment.row(segment: gap, part: 0), IDSegment.row(segment: number, part: 0))
                try database.execute("DELETE FROM id_parts WHERE part >= \(from) AND part < \(to)")
            }
            gap = number + 1
        }
    }
}
