import Foundation
import Testing
import Tracing

@testable import Store

@Suite struct `What a killed process had not stored` {
    private let fixture = StoreFixture()

    private func tally(of store: UInt64 = 7) throws -> SpanTally {
        SpanTally(of: store, try StoreFile(path: fixture.path), folder: fixture.folder.path)
    }

    /// Records one span in a queue that counts there.
    private func record(_ spans: Int, in tally: SpanTally) {
        let queue = SpanQueue(count: tally.makeCount()) {}
        for _ in 0..<spans { queue.record(SpanDraft()) }
        #expect(queue.recorded == spans)
    }

    @Test func `is among what it had recorded, which the next finds`() throws {
        do {
            let tally = try tally()
            #expect(tally.before == nil, "nobody was here before")
            record(5, in: tally)
            record(3, in: tally)
        }
        do {
            let next = try tally()
            #expect(next.before == 8)
        }
        #expect(try tally().before == 0, "each tells of its own spans only")
    }

    @Test(arguments: [(8, 6, 2), (8, 8, 0), (8, 9, 0), (0, 0, 0)]) func `is that, less what the store had settled`(recorded: Int, settled: Int64, lost: UInt64) async throws {
        try fixture.start()
        for _ in 0..<settled { fixture.queue.record(SpanDraft()) }
        try await fixture.flush()
        let salt = try #require(try Database(fixture.path, .readOnly).integer("SELECT value FROM meta WHERE key = 'id_salt'"))
        #expect(try Database(fixture.path, .readOnly).integer("SELECT value FROM meta WHERE key = 'open'") == settled)
        fixture.stop()
        #expect(try Database(fixture.path, .readOnly).integer("SELECT value FROM meta WHERE key = 'open'") == nil)
        // As a killed process leaves both.
        try Database(fixture.path, .readWrite).execute("INSERT INTO meta (key, value) VALUES ('open', \(settled))")
        record(recorded, in: SpanTally(of: UInt64(bitPattern: salt), try StoreFile(path: fixture.path)))
        let store = try fixture.start()
        #expect(store.formerEnd == .killed(lost: lost))
        #expect(store.health().lost == (lost > 0 ? ["killed": lost] : [:]))
    }

    @Test func `is not known where the store is another one`() throws {
        record(5, in: try tally(of: 7))
        #expect(try tally(of: 8).before == nil)
    }

    @Test func `is nothing where it closed the store`() throws {
        do {
            let tally = try tally()
            record(5, in: tally)
            tally.close()
        }
        #expect(try tally().before == nil)
    }

    @Test func `is not read from another's file`() throws {
        let file = try StoreFile(path: fixture.path)
        let place = try #require(file.place)
        let link = fixture.folder.appendingPathComponent("hopspan-\(place)")
        let other = fixture.folder.appendingPathComponent("other")
        try Data(repeating: 1, count: 4096).write(to: other)
        try FileManager.default.createSymbolicLink(at: link, withDestinationURL: other)
        let tally = SpanTally(of: 0x0101_0101_0101_0101, file, folder: fixture.folder.path)
        #expect(tally.before == nil)
        record(1, in: tally)
        #expect(try Data(contentsOf: other) == Data(repeating: 1, count: 4096))
    }

    @Test func `is counted for as many queues as there are places`() throws {
        do {
            let tally = try tally()
            for _ in 0..<SpanTally.slots + 3 { record(1, in: tally) }
        }
        #expect(try tally().before == UInt64(SpanTally.slots))
    }

    @Test func `a store that was closed has nothing to tell, one that was left open does not know`() throws {
        #expect(try fixture.start().formerEnd == .closed)
        fixture.stop()
        #expect(try fixture.start().formerEnd == .closed)
        fixture.stop()
        try Database(fixture.path, .readWrite).execute("INSERT INTO meta (key, value) VALUES ('open', 1)")
        #expect(try fixture.start().formerEnd == .unknown)
    }
}
