import Runs
import Testing
import Tracing

@testable import Store

@Suite struct `The index of ids` {
    /// A database with the tables, and an index over it.
    private func open() throws -> (fixture: StoreFixture, database: Database) {
        let fixture = StoreFixture()
        let file = try StoreFile(path: fixture.path)
        return (fixture, try file.openForWriting())
    }

    private func commit(_ index: IDIndex, _ database: Database) throws {
        try database.transaction { () throws(StoreError) in try index.write() }
        index.committed()
        while index.wantsMerge {
            try database.transaction { () throws(StoreError) in try index.mergeStep() }
            index.mergeCommitted()
        }
    }

    private func rows(_ index: IDIndex, _ hash: UInt64) -> Set<Int64> {
        var rows: Set<Int64> = []
        _ = index.search(hash) { row in
            rows.insert(row)
            return false
        }
        return rows
    }

    @Test func `finds what a dictionary finds, through log, segments and merges, and after it is opened again`() throws {
        let (fixture, database) = try open()
        var filed: [UInt64: Set<Int64>] = [:]
        var index = try IDIndex(database, hash: IDHash(salt: 1))
        var random = SystemRandomNumberGenerator()
        var run: Int64 = 0
        // 80,000 ids in batches of all sizes: more than eight segments, so at least one merge. Some come twice.
        while run < 80_000 {
            for _ in 0..<Int.random(in: 1...3_000, using: &random) {
                run += 1
                let again = UInt8.random(in: 0..<50, using: &random) == 0 ? filed.keys.randomElement() : nil
                let hash = again ?? UInt64.random(in: 0...UInt64.max, using: &random)
                index.insert(hash, run: run)
                filed[hash, default: []].insert(run)
            }
            try commit(index, database)
            if UInt8.random(in: 0..<10, using: &random) == 0 { index = try IDIndex(database, hash: IDHash(salt: 1)) }
        }
        #expect(index.segmentCount < 10)
        for (hash, runs) in filed where hash % 16 == 0 { #expect(rows(index, hash) == runs) }
        for _ in 0..<5_000 {
            let hash = UInt64.random(in: 0...UInt64.max, using: &random)
            #expect(rows(index, hash) == filed[hash] ?? [])
        }
        _ = fixture
    }

    @Test func `asks the disk for few of the ids it lacks`() {
        var filter = IDFilter(entries: 10_000)
        var random = SystemRandomNumberGenerator()
        let there = (0..<10_000).map { _ in UInt64.random(in: 0...UInt64.max, using: &random) }
        for hash in there { filter.insert(hash) }
        #expect(there.allSatisfy { filter.mayContain($0) })
        let wrong = (0..<10_000).count { _ in filter.mayContain(UInt64.random(in: 0...UInt64.max, using: &random)) }
        #expect(wrong < 200)
        filter.withBytes { bytes in
            let again = IDFilter(stored: bytes)
            #expect(again != nil)
            #expect(there.allSatisfy { again?.mayContain($0) ?? false })
        }
    }

    @Test func `does a bounded piece of merging at a time, and readers find all meanwhile`() async throws {
        let fixture = StoreFixture()
        try fixture.start()
        // Nine full tables; the ninth makes the first eight mergeable.
        let hash = IDHash(salt: 0)
        try await fixture.onThread { writer throws(StoreError) in
            for segment in 0..<9 {
                for entry in 0..<IDIndex.tableEntries {
                    let run = Int64(segment * IDIndex.tableEntries + entry + 1)
                    writer.index.insert(hash.hash(RunKey(high: 0, low: UInt64(run))), run: run)
                }
                try writer.database.transaction { () throws(StoreError) in try writer.index.write() }
                writer.index.committed()
            }
            #expect(writer.index.segmentCount == 9)
            var steps = 0
            while writer.index.wantsMerge {
                try writer.database.transaction { () throws(StoreError) in try writer.index.mergeStep() }
                writer.index.mergeCommitted()
                steps += 1
                for run in stride(from: 1, through: 9 * IDIndex.tableEntries, by: 977) {
                    #expect(writer.index.search(hash.hash(RunKey(high: 0, low: UInt64(run)))) { $0 == Int64(run) })
                }
            }
            #expect(steps >= 1)
            #expect(writer.index.segmentCount == 2)
        }
    }

    @Test func `sweeps up what an unfinished merge has left`() throws {
        let (fixture, database) = try open()
        let index = try IDIndex(database, hash: IDHash(salt: 1))
        for run in 1...Int64(IDIndex.tableEntries) { index.insert(UInt64(run) << 48, run: run) }
        try commit(index, database)
        let parts = try database.integer("SELECT count(*) FROM id_parts")
        try database.execute("INSERT INTO id_parts (part, entries) VALUES (\(IDSegment.row(segment: 0, part: 3)), x'00'), (\(IDSegment.row(segment: 77, part: 0)), x'00')")
        let again = try IDIndex(database, hash: IDHash(salt: 1))
        #expect(try database.integer("SELECT count(*) FROM id_parts") == parts)
        #expect(rows(again, 5 << 48) == [5])
        _ = fixture
    }

    @Test func `leaves no parts of a merge that fails on its way`() throws {
        let (fixture, database) = try open()
        let index = try IDIndex(database, hash: IDHash(salt: 1))
        var random = SystemRandomNumberGenerator()
        for segment in 0..<9 {
            for entry in 1...IDIndex.tableEntries {
                index.insert(UInt64.random(in: 0...UInt64.max, using: &random), run: Int64(segment * IDIndex.tableEntries + entry))
            }
            try database.transaction { () throws(StoreError) in try index.write() }
            index.committed()
        }
        #expect(index.wantsMerge)
        let parts = try database.integer("SELECT count(*) FROM id_parts") ?? 0
        // A step that is committed, and one that is not.
        try database.transaction { () throws(StoreError) in try index.mergeStep(parts: 2) }
        index.mergeCommitted()
        #expect(try database.integer("SELECT count(*) FROM id_parts") == parts + 2)
        #expect(throws: StoreError.diskFull) {
            try database.transaction { () throws(StoreError) in
                try index.mergeStep(parts: 2)
                throw .diskFull
            }
        }
        index.mergeFailed()
        #expect(index.wantsMerge)
        try commit(index, database)
        #expect(try database.integer("SELECT count(*) FROM id_parts WHERE part >> 16 NOT IN (SELECT segment FROM id_segments)") == 0)
        _ = fixture
    }

    @Test func `can try a transaction again that has failed`() throws {
        let (fixture, database) = try open()
        let index = try IDIndex(database, hash: IDHash(salt: 1))
        for run in 1...Int64(IDIndex.tableEntries) { index.insert(UInt64(run) << 40, run: run) }
        #expect(throws: StoreError.diskFull) {
            try database.transaction { () throws(StoreError) in
                try index.write()
                throw .diskFull
            }
        }
        #expect(rows(index, 9 << 40) == [9])
        try commit(index, database)
        #expect(index.segmentCount == 1)
        #expect(rows(try IDIndex(database, hash: IDHash(salt: 1)), 9 << 40) == [9])
        _ = fixture
    }

    @Test func `spreads ids that callers have chosen`() {
        let hash = IDHash(salt: 0x1234_5678_9ABC_DEF0)
        var hashes: Set<UInt64> = []
        for number in 0..<1_000 as Range<UInt64> {
            hashes.insert(hash.hash(RunKey(high: number, low: 0)))
            hashes.insert(hash.hash(RunKey(high: 0, low: number + 1)))
            hashes.insert(hash.hash(RunKey(high: number + 1, low: number + 1)))
            hashes.insert(text(hash, "run-\(number)"))
        }
        #expect(hashes.count == 4_000)
        #expect(text(hash, "a") != text(hash, "a\0"))
        #expect(text(hash, "abcdefgh") != text(IDHash(salt: 5), "abcdefgh"))
    }

    private func text(_ hash: IDHash, _ text: String) -> UInt64 {
        let bytes = Array(text.utf8)
        return hash.hash(unsafe bytes.span.bytes)
    }
}
