import Deflate
import OTLP
import Runs
import Tracing

/// The writing half: spans in, one transaction per batch out. Used on the store's thread only.
///
/// A batch is `take` for each span, `endBatch` once, then `commit` until it succeeds (or `abandon`). Nothing else may come
/// between: what the batch changes in memory counts as true only with its commit.
final class StoreWriter {
    let database: Database
    let file: StoreFile
    let ledger: RunLedger
    let index: IDIndex
    let runs: RunRows
    let runFinder: StoredRunFinder
    let metrics: SpanMetrics

    /// The block being filled; the last row of `span_blocks` once it is written.
    private(set) var tail: SpanBlock
    private var sealed: [SpanBlock] = []
    private var spareBlocks: [SpanBlock] = []
    private var draft = SpanDraft()
    private var encoder: SpanEncoder
    private var deflater = BlockDeflater(usualSize: SpanBlock.usualBytes)
    /// Cursors to write with the next commit.
    private var cursors: [String: Int64] = [:]

    /// Rows of runs that are being deleted.
    var deleted: Set<Int64> = []

    private(set) var batchSpans = 0
    private(set) var batchBytes = 0
    /// A batch is committed when it has this many bytes of spans, so that no transaction is long.
    private static let fullBatch = 4 << 20
    var batchIsFull: Bool { batchBytes >= Self.fullBatch }
    /// What is in the store, as of the last commit.
    var stored: StoredCounts

    /// The same with the cursors that go with the next commit.
    var told: StoredCounts {
        guard !cursors.isEmpty else { return stored }
        var told = stored
        told.cursors.merge(cursors) { _, new in new }
        return told
    }

    private let insertBlock: Statement
    private let upsertCursor: Statement
    private let upsertRuns: Statement
    private let noteSettled: Statement

    /// Spans from the loops that are in the batch, and those that were settled before it: stored, or given up. How many those are stands in
    /// the store as long as it is open, and changes with what it counts: see `SpanTally`.
    private var taken: Int64 = 0
    private var settled: Int64 = 0

    init(_ file: StoreFile, ledger: RunLedger, metrics: SpanMetrics, limits: AttributeLimits) throws(StoreError) {
        self.file = file
        self.ledger = ledger
        self.metrics = metrics
        encoder = SpanEncoder(limits: limits)
        database = try file.openForWriting()
        index = try IDIndex(database, hash: try Self.idHash(of: database))
        runs = try RunRows(database)
        runFinder = try StoredRunFinder(database)
        stored = try StoredCounts(database)
        tail = SpanBlock(first: stored.nextSpan)
        ledger.nextRow = stored.nextRun
        insertBlock = try database.prepare(
            """
            INSERT OR REPLACE INTO span_blocks (first, count, unsampled, started_min, started_max, ended_max, names, records, spans, size, checksum)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
            """)
        upsertCursor = try database.prepare("INSERT OR REPLACE INTO cursors (destination, span) VALUES (?1, ?2)")
        upsertRuns = try database.prepare("INSERT OR REPLACE INTO meta (key, value) VALUES ('runs', ?1)")
        noteSettled = try database.prepare("INSERT OR REPLACE INTO meta (key, value) VALUES ('open', ?1)")
    }

    // MARK: a batch

    /// Takes a finished span into the batch.
    /// - Parameter now: monotonic nanoseconds.
    func take(_ record: SpanRecord, _ entries: RawSpan, now: UInt64) {
        taken += 1
        let facts = SpanFacts(entries)
        metrics.add(record, entries, facts)
        let absorbed = ledger.absorb(
            record, entries, facts, sequence: { tail.next }, now: now, stored: { key, run in load(key, into: run) },
            settle: { run in writeRoot(of: run) })
        let run = absorbed.run
        if absorbed.runIsNew {
            index.insert(index.hash.hash(record.run), run: run.row)
            if record.runIsNamed, !facts.runID.isEmpty { index.insert(index.hash.hash(facts.runID.bytes(in: entries)), run: run.row) }
        }
        if absorbed.traceIsNew { index.insert(index.hash.hash(record.traceID), run: run.row) }
        append(record, entries, facts, run: run.row, previous: absorbed.previous)
    }

    /// Closes what has come to its end; the roots that are owed join the batch. When there are more of them than a batch has room for, the
    /// next one has them.
    func endBatch(now: UInt64) {
        let most = max(Self.fullBatch, batchBytes + Self.fullBatch / 4)
        ledger.closeEnded(now: now, while: { batchBytes < most }) { run in writeRoot(of: run) }
    }

    func writeRoot(of run: OpenRun) {
        run.drawRoot(into: &draft)
        let previous = ledger.noteRoot(of: run, sequence: tail.next)
        let record = draft.record
        draft.withEntries { entries in
            append(record, entries, SpanFacts(entries), run: run.row, previous: previous)
        }
    }

    private func append(_ record: SpanRecord, _ entries: RawSpan, _ facts: SpanFacts, run: Int64, previous: Int64) {
        let before = tail.size
        encoder.encode(record, entries)
        tail.append(record, entries, facts, run: run, previous: previous, otlp: encoder)
        batchSpans += 1
        batchBytes += tail.size - before
        if tail.isFull { seal() }
    }

    private func seal() {
        let block = tail
        sealed.append(block)
        tail = spareBlocks.popLast() ?? SpanBlock(first: block.next)
        block.seal(with: &deflater, next: tail)
        tail.reset(first: block.next)
    }

    func setCursor(_ destination: String, _ span: Int64) { cursors[destination] = span }

    var hasBatch: Bool { batchSpans > 0 || !ledger.touched.isEmpty || !cursors.isEmpty }

    /// Writes the batch. What throws has changed nothing: call again, or `abandon`.
    func commit() throws(StoreError) {
        guard hasBatch else { return }
        var newRuns = 0
        try database.transaction { () throws(StoreError) in
            for block in sealed { try write(block) }
            if batchSpans > 0, tail.count > 0 { try write(tail) }
            newRuns = try runs.write(ledger.touched)
            if newRuns != 0 { try noteRuns(stored.runs + Int64(newRuns)) }
            try index.write()
            if taken > 0 {
                noteSettled.bind(1, settled + taken)
                try noteSettled.run()
            }
            for (destination, span) in cursors {
                upsertCursor.bind(1, text: destination)
                upsertCursor.bind(2, span)
                try upsertCursor.run()
            }
        }
        index.committed()
        ledger.committed()
        stored.add(spans: batchSpans, runs: newRuns, next: tail.next)
        for (destination, span) in cursors { stored.cursors[destination] = span }
        cursors.removeAll()
        endOfBatch()
        if tail.isWorthSealing { seal(); spareBlocks.append(sealed.removeLast()) }
    }

    /// Gives the batch up: its spans are lost.
    func abandon() {
        ledger.abandoned()
        endOfBatch()
        // The tail may hold spans of the batch: it stays as it was last written.
        seal()
        sealed.removeAll()
        // Nobody has seen the numbers of what is lost: the next spans have them, and none is missing.
        tail.reset(first: stored.nextSpan)
        cursors.removeAll()
    }

    private func endOfBatch() {
        spareBlocks.append(contentsOf: sealed.prefix(64 - min(64, spareBlocks.count)))
        sealed.removeAll(keepingCapacity: true)
        batchSpans = 0
        batchBytes = 0
        settled += taken
        taken = 0
    }

    /// Starts a new block, so that every written one is final.
    func sealTail() {
        guard tail.count > 0 else { return }
        seal()
        spareBlocks.append(sealed.removeLast())
    }

    // MARK: rows

    private func write(_ block: SpanBlock) throws(StoreError) {
        block.deflate(with: &deflater)
        insertBlock.bind(1, block.first)
        insertBlock.bind(2, block.count)
        insertBlock.bind(3, block.unsampled)
        insertBlock.bind(4, block.startedMin)
        insertBlock.bind(5, block.startedMax)
        insertBlock.bind(6, block.endedMax)
        insertBlock.bind(10, block.size)
        insertBlock.bind(11, Int64(block.checksum))
        try block.withBlobs { names, records, spans throws(StoreError) in
            // Sound: the block's bytes stay until the statement has run.
            unsafe insertBlock.bind(7, inPlace: names)
            unsafe insertBlock.bind(8, inPlace: records)
            unsafe insertBlock.bind(9, inPlace: spans)
            try insertBlock.run()
        }
    }

    /// How many runs there are, kept because counting them would take long.
    func noteRuns(_ count: Int64) throws(StoreError) {
        upsertRuns.bind(1, count)
        try upsertRuns.run()
    }

    // MARK: runs that are known

    /// Fills `run` from its row where the store has the key.
    func load(_ key: RunKey, into run: OpenRun) -> Bool {
        index.search(index.hash.hash(key)) { row in load(row: row, into: run) { $0.key == key } }
    }

    /// Fills `run` from what is stored under a number if its head is the wanted one. What cannot be read, or is being deleted, counts as none.
    func load(row: Int64, into run: OpenRun, where isWanted: (RunHead) -> Bool) -> Bool {
        guard !deleted.contains(row) else { return false }
        let isThere = try? runFinder.read(row) { state, lastSpan, summary in
            var reader = PackedReader(summary)
            guard let head = RunHead(from: &reader), isWanted(head) else { return false }
            return run.read(row: row, lastSequence: lastSpan, state: state, summary: summary)
        }
        return isThere ?? false
    }
}
