import Runs

/// Writes runs into their blocks. Used on the store's thread only.
final class RunRows {
    private let select: Statement
    private let insert: Statement
    private let update: Statement
    private let selectRange: Statement
    private let delete: Statement
    private var builder = RunBlock.Builder()
    /// By place in a block: where the run to be written stands in the list; -1 where none is.
    private var group = [16 of Int](repeating: -1)

    init(_ database: Database) throws(StoreError) {
        select = try database.prepare("SELECT runs, started_min, started_max FROM run_blocks WHERE block = ?1")
        insert = try database.prepare("INSERT INTO run_blocks (block, started_min, started_max, owing, runs) VALUES (?1, ?2, ?3, ?4, ?5)")
        update = try database.prepare("UPDATE run_blocks SET started_min = ?2, started_max = ?3, owing = ?4, runs = ?5 WHERE block = ?1")
        selectRange = try database.prepare("SELECT block, runs, started_min, started_max FROM run_blocks WHERE block >= ?1 AND block <= ?2")
        delete = try database.prepare("DELETE FROM run_blocks WHERE block = ?1")
    }

    /// Writes runs, new ones and changed ones, block by block.
    /// - Parameter touched: in any order; runs of one block that stand together are written together.
    /// - Returns: how many are new.
    func write(_ touched: [OpenRun]) throws(StoreError) -> Int {
        var new = 0
        var index = 0
        while index < touched.count {
            let block = RunBlock.number(of: touched[index].row)
            var newOnes = 0
            while index < touched.count, RunBlock.number(of: touched[index].row) == block {
                group[RunBlock.place(of: touched[index].row)] = index
                if touched[index].storedState == nil { newOnes += 1 }
                index += 1
            }
            defer { group = [16 of Int](repeating: -1) }
            new += try write(block, of: touched, isNew: newOnes == RunBlock.runs)
        }
        return new
    }

    /// Writes `group` into a block. What else is in the block is kept; one that is all new need not be read.
    private func write(_ block: Int64, of touched: [OpenRun], isNew: Bool) throws(StoreError) -> Int {
        builder.removeAll()
        var before = 0
        var bounds = StartBounds()
        var isThere = false
        if isNew {
            for place in 0..<RunBlock.runs { add(touched[group[place]], &bounds) }
        } else {
            select.bind(1, block)
            var next = 0
            if try select.step() {
                isThere = true
                bounds = StartBounds(least: UInt64(clamping: select.integer(1)), most: UInt64(clamping: select.integer(2)))
                select.withBlob(0) { bytes in
                    RunBlock.forEach(in: bytes) { place, state, lastSpan, summary in
                        before += 1
                        while next < place {
                            if group[next] >= 0 { add(touched[group[next]], &bounds) }
                            next += 1
                        }
                        if group[place] >= 0 { add(touched[group[place]], &bounds) } else { builder.append(state, lastSpan, summary, at: place) }
                        next = place + 1
                    }
                }
            }
            select.reset()
            while next < RunBlock.runs {
                if group[next] >= 0 { add(touched[group[next]], &bounds) }
                next += 1
            }
        }
        try store(block, bounds, with: isThere ? update : insert)
        return builder.runs - before
    }

    private func add(_ run: OpenRun, _ bounds: inout StartBounds) {
        builder.append(run, at: RunBlock.place(of: run.row))
        bounds.include(run.head.startedAt)
    }

    private func store(_ block: Int64, _ bounds: StartBounds, with statement: Statement) throws(StoreError) {
        statement.bind(1, block)
        statement.bind(2, bounds.least)
        statement.bind(3, bounds.most)
        statement.bind(4, builder.owing)
        try builder.bytes.withBytes { bytes throws(StoreError) in
            // Sound: the bytes stay until the statement has run.
            unsafe statement.bind(5, inPlace: bytes)
            try statement.run()
        }
    }

    /// Deletes one run; 0 where it is not there.
    func remove(only run: Int64) throws(StoreError) -> Int64 {
        try remove(from: run, upTo: run) { _, _ in true }
    }

    /// Deletes the runs of a range that `isGone` accepts, with their number and the number of their latest span.
    /// - Returns: how many.
    func remove(from first: Int64 = 0, upTo last: Int64, _ isGone: (_ run: Int64, _ lastSpan: Int64) -> Bool) throws(StoreError) -> Int64 {
        func goes(_ run: Int64, _ lastSpan: Int64) -> Bool { run >= first && run <= last && isGone(run, lastSpan) }
        var changed: [(block: Int64, bounds: StartBounds, runs: [UInt8])] = []
        selectRange.bind(1, RunBlock.number(of: first))
        selectRange.bind(2, RunBlock.number(of: last))
        var removed: Int64 = 0
        while try selectRange.step() {
            let block = selectRange.integer(0)
            selectRange.withBlob(1) { bytes in
                var gone = false
                RunBlock.forEach(in: bytes) { place, _, lastSpan, _ in
                    let run = RunBlock.run(block, place)
                    if goes(run, lastSpan) {
                        gone = true
                        removed += 1
                    }
                }
                let bounds = StartBounds(least: UInt64(clamping: selectRange.integer(2)), most: UInt64(clamping: selectRange.integer(3)))
                // Sound: the bytes are read inside the closure only.
                if gone { changed.append((block, bounds, unsafe bytes.withUnsafeBytes { unsafe Array($0) })) }
            }
        }
        selectRange.reset()
        for (block, bounds, bytes) in changed {
            builder.removeAll()
            RunBlock.forEach(in: bytes.raw) { place, state, lastSpan, summary in
                let run = RunBlock.run(block, place)
                if !goes(run, lastSpan) { builder.append(state, lastSpan, summary, at: place) }
            }
            if builder.runs > 0 {
                try store(block, bounds, with: update)
            } else {
                delete.bind(1, block)
                try delete.run()
            }
        }
        return removed
    }
}

/// The earliest and the latest start of a block's runs; may be wider than they are now, never narrower.
struct StartBounds {
    var least = UInt64.max
    var most: UInt64 = 0

    mutating func include(_ time: UInt64) {
        least = min(least, time)
        most = max(most, time)
    }
}
