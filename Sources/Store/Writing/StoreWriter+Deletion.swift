import Deflate
import Runs
import Tracing

/// A run that is being deleted.
struct RunDeletion {
    let row: Int64
    /// The number of its latest span that may still be there.
    fileprivate(set) var next: Int64
}

extension StoreWriter {
    /// Blocks that are rewritten at a time: some tens of milliseconds, for which traffic's spans wait.
    static let mostErasedBlocks = 32

    /// Begins to delete a run and its spans, exported or not, so that their bytes are gone from the file (once the log has been copied:
    /// `checkpoint` follows). What comes of it from now on is another run. Between batches only.
    /// - Returns: nil where the row is not there.
    func beginDeletion(of row: Int64) throws(StoreError) -> RunDeletion? {
        let found = try runFinder.read(row) { _, lastSpan, summary in (last: lastSpan, key: RunIDs(row: summary)?.key) }
        guard let (last, key) = found else { return nil }
        // The block being filled may hold its spans; it is final from here on.
        sealTail()
        if let key { ledger.forget(key) }
        deleted.insert(row)
        return RunDeletion(row: row, next: last)
    }

    /// Erases the run's spans in its next blocks, and behind the last of them its row: a process that is killed meanwhile finds the run, and
    /// whoever deletes it again deletes what is left. Their numbers stay, empty. Between batches only; `endDeletion` where it throws.
    /// - Returns: whether the run is gone.
    func continueDeletion(_ deletion: inout RunDeletion) throws(StoreError) -> Bool {
        try database.execute("PRAGMA secure_delete = ON")
        defer { try? database.execute("PRAGMA secure_delete = FAST") }
        var number = deletion.next
        var isAtEnd = false
        var removed: Int64 = 0
        try database.transaction { () throws(StoreError) in
            let finder = try BlockFinder(database)
            for _ in 0..<Self.mostErasedBlocks where !isAtEnd {
                guard number > 0, let block = try finder.block(of: number, whole: true) else {
                    isAtEnd = true
                    break
                }
                let below = try erase(deletion.row, in: block, from: number)
                isAtEnd = below >= number || below == 0
                number = below
            }
            guard isAtEnd else { return }
            try note(nextSpan: tail.next, nextRun: ledger.nextRow)
            removed = try runs.remove(only: deletion.row)
            try noteRuns(stored.runs - removed)
        }
        deletion.next = number
        guard isAtEnd else { return false }
        stored.runs -= removed
        endDeletion(deletion)
        return true
    }

    func endDeletion(_ deletion: RunDeletion) { deleted.remove(deletion.row) }

    /// Writes a block again without the run's spans up to `number`.
    /// - Returns: the number of the run's next span further down, in another block; 0 at the end.
    private func erase(_ run: Int64, in block: StoredBlock, from number: Int64) throws(StoreError) -> Int64 {
        var gone: Set<Int64> = []
        var next = number
        while block.contains(next) {
            let columns = block.columns(of: next)
            guard columns.run == run else { break }
            if !columns.isGone { gone.insert(next) }
            guard columns.previous < next else { break }
            next = columns.previous
        }
        guard !gone.isEmpty else { return next }
        var records = PackedBytes(capacity: 4 << 10)
        var spans = PackedBytes(capacity: block.spans.count + 1)
        var before = SpanColumns()
        var named: Set<Int> = []
        var unsampled = 0
        for (index, kept) in block.columns.enumerated() {
            let number = block.first + Int64(index)
            var columns = kept
            if gone.contains(number) {
                columns = SpanColumns()
                columns.isGone = true
                columns.hopKind = HopKind.external.rawValue
                columns.isSampled = false
                // The way to the spans before it stays.
                columns.run = kept.run
                columns.previous = kept.previous
                columns.startedAt = kept.startedAt
            } else {
                let all = block.spans
                spans.append(all.raw.extracting(block.frame(of: number)))
                named.formUnion([kept.agent, kept.workspace, kept.provider, kept.model, kept.tool])
            }
            columns.write(to: &records, number: number, after: before)
            before = columns
            if !columns.isSampled { unsampled += 1 }
        }
        let names = try BlockNames.keeping(named, of: block.first, in: database)
        let update = try database.prepare(
            "UPDATE span_blocks SET records = ?2, spans = ?3, names = ?4, unsampled = ?5, size = ?6, checksum = ?7 WHERE first = ?1")
        update.bind(1, block.first)
        update.bind(5, unsampled)
        update.bind(6, spans.count)
        var deflater = BlockDeflater(usualSize: SpanBlock.usualBytes)
        update.bind(7, Int64(spans.withBytes { deflater.deflate($0) }))
        try records.withBytes { records throws(StoreError) in
            try deflater.withOutput { spans throws(StoreError) in
                // Sound: all three stay until the statement has run.
                unsafe update.bind(2, inPlace: records)
                unsafe update.bind(3, inPlace: spans)
                unsafe update.bind(4, inPlace: names.raw)
                try update.run()
            }
        }
        return next
    }
}

extension BlockNames {
    /// A stored block's names with the ones that no span has any more made empty, so that the numbers stay.
    fileprivate static func keeping(_ kept: Set<Int>, of first: Int64, in database: Database) throws(StoreError) -> [UInt8] {
        let select = try database.prepare("SELECT names FROM span_blocks WHERE first = ?1")
        select.bind(1, first)
        guard try select.step() else { return [] }
        var names: [UInt8] = []
        for (index, text) in select.withBlob(0, { read($0) }).enumerated() {
            let text = kept.contains(index + 1) ? Array(text.utf8) : []
            var length = PackedBytes(capacity: 16)
            length.append(varint: text.count)
            // Sound: the bytes are read inside the closure only.
            length.withBytes { unsafe $0.withUnsafeBytes { unsafe names.append(contentsOf: $0) } }
            names += text
        }
        select.reset()
        return names
    }
}
