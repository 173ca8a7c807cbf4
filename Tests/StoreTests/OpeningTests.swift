import Foundation
import Testing
import Tracing

@testable import Store

@Suite struct `A store's file` {
    @Test func `is refused to a second store`() throws {
        let fixture = StoreFixture()
        try fixture.start()
        #expect(throws: StoreError.inUse) { try Store(fixture.options) }
        fixture.stop()
        try fixture.start()
    }

    @Test func `is refused to another process`() throws {
        let fixture = StoreFixture()
        FileManager.default.createFile(atPath: fixture.path, contents: nil)
        let holder = Process()
        holder.executableURL = URL(fileURLWithPath: "/usr/bin/flock")
        holder.arguments = [fixture.path, "sh", "-c", "echo held; read line"]
        let (input, output) = (Pipe(), Pipe())
        (holder.standardInput, holder.standardOutput) = (input, output)
        try holder.run()
        #expect(String(decoding: output.fileHandleForReading.readData(ofLength: 5), as: UTF8.self) == "held\n")
        #expect(throws: StoreError.inUse) { try Store(fixture.options) }
        try input.fileHandleForWriting.close()
        holder.waitUntilExit()
        try fixture.start()
    }

    @Test func `can be looked at while it is in use, and before it is there`() throws {
        let fixture = StoreFixture()
        try Store.look(at: fixture.path)
        #expect(!FileManager.default.fileExists(atPath: fixture.path), "nothing is made")
        try fixture.start()
        try Store.look(at: fixture.path)
        fixture.stop()
        try Store.look(at: fixture.path)
        try Store.look(at: ":memory:")
    }

    @Test func `is looked through before it is opened`() throws {
        let fixture = StoreFixture()
        #expect(throws: StoreError.cannotOpen(code: ENOENT)) { try Store.look(at: fixture.path + "-no-such-folder/hopspan.db") }
        #expect(throws: StoreError.cannotOpen(code: EISDIR)) { try Store.look(at: "/tmp") }
        #expect(throws: StoreError.cannotOpen(code: ENOTDIR)) { try Store.look(at: "/dev/null/hopspan.db") }
        try "hello".write(toFile: fixture.path, atomically: false, encoding: .utf8)
        #expect(throws: StoreError.foreign) { try Store.look(at: fixture.path) }
        try Data().write(to: URL(filePath: fixture.path))
        try Store.look(at: fixture.path)
        try Database(fixture.path, .readWrite).execute("CREATE TABLE precious (x)")
        #expect(throws: StoreError.foreign) { try Store.look(at: fixture.path) }
        try FileManager.default.removeItem(atPath: fixture.path)
        try fixture.start()
        fixture.stop()
        try Database(fixture.path, .readWrite).execute("PRAGMA user_version = 999")
        for suffix in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: fixture.path + suffix) }
        #expect(throws: StoreError.newerSchema(found: 999, known: Int64(Schema.steps.count))) { try Store.look(at: fixture.path) }
    }

    @Test func `is its owner's only`() throws {
        let fixture = StoreFixture()
        try fixture.start()
        let mode = try FileManager.default.attributesOfItem(atPath: fixture.path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    @Test func `is refused when a newer build has written it`() throws {
        let fixture = StoreFixture()
        try fixture.start()
        fixture.stop()
        try Database(fixture.path, .readWrite).execute("PRAGMA user_version = 999")
        #expect(throws: StoreError.newerSchema(found: 999, known: Int64(Schema.steps.count))) { try Store(fixture.options) }
    }

    @Test func `is refused when it is another program's database, and left alone`() throws {
        let fixture = StoreFixture()
        try Database(fixture.path, .readWrite).execute("CREATE TABLE precious (x); INSERT INTO precious VALUES (1)")
        #expect(throws: StoreError.foreign) { try Store(fixture.options) }
        #expect(try Database(fixture.path, .readWrite).integer("SELECT x FROM precious") == 1)
    }

    @Test(arguments: ["DELETE", "WAL"]) func `keeps every byte when it is another program's`(journal: String) throws {
        let fixture = StoreFixture()
        do {
            let other = try Database(fixture.path, .readWrite)
            try other.execute("PRAGMA journal_mode = \(journal)")
            try other.execute("CREATE TABLE precious (x); INSERT INTO precious VALUES (1)")
        }
        let before = try Data(contentsOf: URL(fileURLWithPath: fixture.path))
        #expect(throws: StoreError.foreign) { try Store(fixture.options) }
        #expect(try Data(contentsOf: URL(fileURLWithPath: fixture.path)) == before)
    }

    @Test func `is made with the pages and the journal that the store wants`() throws {
        let fixture = StoreFixture()
        let database = try StoreFile(path: fixture.path).openForWriting()
        #expect(try database.integer("PRAGMA page_size") == Int64(Database.pageSize))
        #expect(try database.integer("PRAGMA auto_vacuum") == 2)
    }

    @Test func `is refused when it is no database`() throws {
        let fixture = StoreFixture()
        try Data(repeating: 0x41, count: 10_000).write(to: URL(fileURLWithPath: fixture.path))
        #expect(throws: StoreError.foreign) { try Store(fixture.options) }
    }

    @Test func `cannot be made where there is no folder`() throws {
        #expect(throws: StoreError.cannotOpen(code: ENOENT)) { try Store(Store.Options(path: "/no/such/folder/hopspan.db")) }
    }

    @Test func `is brought up to date step by step`() throws {
        let fixture = StoreFixture()
        let database = try Database(fixture.path, .readWrite)
        let steps = ["CREATE TABLE a (x); INSERT INTO a VALUES (1)", "CREATE TABLE b (y); INSERT INTO b SELECT x + 1 FROM a"]
        try Schema.migrate(database, steps: Array(steps.prefix(1)))
        #expect(try database.integer("PRAGMA user_version") == 1)
        try Schema.migrate(database, steps: steps)
        #expect(try database.integer("PRAGMA user_version") == 2)
        #expect(try database.integer("SELECT y FROM b") == 2)
        #expect(throws: StoreError.newerSchema(found: 2, known: 1)) { try Schema.migrate(database, steps: Array(steps.prefix(1))) }
        // A step that fails leaves the version before.
        #expect(throws: StoreError.self) { try Schema.migrate(database, steps: steps + ["CREATE TABLE c (z); NOT SQL"]) }
        #expect(try database.integer("PRAGMA user_version") == 2)
        #expect(try database.integer("SELECT count(*) FROM sqlite_schema WHERE name = 'c'") == 0)
    }

    @Test func `need not be there at all`() async throws {
        let fixture = StoreFixture(inMemory: true)
        try fixture.start()
        try await fixture.write((0..<200).map { Hop(trace: .test($0)) })
        let reader = try fixture.store.makeReader()
        #expect(try reader.run(TraceID.test(150).description) != nil)
        #expect(fixture.store.health().bytes == 0)
        // Another one in memory is another store.
        let other = StoreFixture(inMemory: true)
        try other.start()
        #expect(try other.store.makeReader().runs(RunQuery()).runs.isEmpty)
    }
}
