import Foundation
import Runs
import Testing
import Tracing

@testable import Store

@Suite(.timeLimit(.minutes(3))) struct `A disk that refuses` {
    /// Keeps the file from growing, as a full disk does (`SQLITE_FULL`).
    private func setFull(_ fixture: StoreFixture, _ isFull: Bool) async throws {
        try await fixture.onThread { writer throws(StoreError) in
            let pages = try writer.database.integer("PRAGMA page_count") ?? 0
            try writer.database.execute("PRAGMA max_page_count = \(isFull ? pages : 1_073_741_823)")
        }
    }

    /// For as long as it takes: what never comes is ended by the suite's limit.
    private func wait(_ condition: () -> Bool) async throws {
        while !condition() { try await Task.sleep(for: .milliseconds(2)) }
    }

    @Test func `loses nothing while the queue holds, and all is written once there is room`() async throws {
        let fixture = StoreFixture()
        try fixture.start()
        try await fixture.write((0..<100).map { Hop(trace: .test($0), span: UInt64($0 + 1)) })
        try await setFull(fixture, true)
        for number in 100..<1_500 { fixture.record([Hop(trace: .test(number), span: UInt64(number + 1), root: 5, content: .noise(300, seed: UInt64(number)))]) }
        try await wait { fixture.store.health().failure == .diskFull }
        #expect(fixture.store.health().failingSince != nil)
        // Messages are answered, not kept waiting.
        await #expect(throws: StoreError.diskFull) { try await fixture.flush() }
        let reader = try fixture.store.makeReader()
        #expect(try reader.runs(RunQuery()).runs.count == 50)
        #expect(fixture.store.health().lostTotal == 0)

        try await makeRoom(fixture)
        try await fixture.flush()
        let health = fixture.store.health()
        #expect(health.failure == nil)
        #expect(health.lostTotal == 0)
        #expect(health.spans == 1_500)
        #expect(health.runs == 1_500)
        for number in stride(from: 0, to: 1_500, by: 111) {
            let run = try #require(try reader.run(TraceID.test(number).description))
            #expect(try reader.spans(of: run).count == 1)
        }
    }

    @Test func `counts what the queue could not hold, and goes on`() async throws {
        let fixture = StoreFixture()
        try fixture.start(queueLimit: 20_000)
        try await fixture.write(Hop(span: 1))
        try await setFull(fixture, true)
        fixture.record([Hop(span: 2, content: .noise(60_000))])
        for number in 0..<40 { fixture.record([Hop(trace: .test(number), content: .noise(9_000))]) }
        try await wait { fixture.store.health().failure == .diskFull }
        for number in 0..<40 { fixture.record([Hop(trace: .test(number), content: .noise(9_000))]) }
        try await makeRoom(fixture)
        try await fixture.flush()
        let health = fixture.store.health()
        #expect(health.lost["queue_full"]! > 30)
        #expect(health.recorded + health.lostTotal == 82)
        #expect(UInt64(health.spans) == health.recorded)
    }

    @Test func `is given up on when the store closes, and what is lost is counted`() async throws {
        let fixture = StoreFixture()
        let store = try fixture.start()
        try await fixture.write(Hop(span: 1))
        try await setFull(fixture, true)
        for number in 0..<500 { fixture.record([Hop(trace: .test(number), content: .noise(500, seed: UInt64(number)))]) }
        try await wait { fixture.store.health().failure == .diskFull }
        fixture.stop()
        // The thread may have drained the first few before the rest came: what fitted was written, all else is counted.
        let lost = store.health().lost
        #expect(Set(lost.keys) == ["disk_full"])
        try fixture.start()
        #expect(fixture.store.health().spans + Int64(lost["disk_full"] ?? 0) == 501)
        #expect(lost["disk_full"] ?? 0 > 400)
    }

    @Test func `is no reason to wait for ever where trying again cannot help`() async throws {
        let fixture = StoreFixture()
        try fixture.start()
        try await fixture.write(Hop(span: 1))
        // A trigger that fails stands for a bug: no later try will do better.
        try await fixture.onThread { writer throws(StoreError) in
            try writer.database.execute("CREATE TRIGGER no BEFORE INSERT ON span_blocks BEGIN SELECT raise(ABORT, 'no'); END")
        }
        fixture.record([Hop(trace: .test(2), span: 2), Hop(trace: .test(3), span: 3)])
        try await wait { fixture.store.health().lostTotal == 2 }
        #expect(fixture.store.health().lost == ["sqlite_error": 2])
        try await fixture.onThread { writer throws(StoreError) in try writer.database.execute("DROP TRIGGER no") }
        try await fixture.write([Hop(trace: .test(2), span: 4), Hop(trace: .test(4), span: 5)])
        let health = fixture.store.health()
        #expect(health.failure == nil && health.failingSince == nil)
        #expect(health.spans == 3 && health.lastSpan == 3)
        do {
            let reader = try fixture.store.makeReader()
            #expect(try reader.runs(RunQuery()).runs.count == 3)
            let run = try #require(try reader.run(TraceID.test(2).description))
            #expect(try reader.spans(of: run).count == 1)
        }
        fixture.stop()
        try fixture.start()
        #expect(fixture.store.health().spans == 3)
    }

    @Test func `still takes up a configuration, and gives a renamed destination its place`() async throws {
        let fixture = StoreFixture()
        var options = fixture.options
        options.destinations = ["http://a/v1/traces#1"]
        try fixture.start(options)
        try await fixture.write((1...10).map { Hop(trace: .test($0), span: UInt64($0)) })
        fixture.store.setCursor("http://a/v1/traces#1", 4)
        try await fixture.flush()
        try await setFull(fixture, true)
        fixture.record((0..<20).map { Hop(trace: .test(1), span: UInt64($0 + 20), content: .noise(60_000, seed: UInt64($0))) })
        try await wait { fixture.store.health().failure == .diskFull }

        options.destinations = ["http://a/v1/traces#2", "http://b/v1/traces#3"]
        options.runIdle = .seconds(7)
        let changed = options
        await #expect(throws: StoreError.diskFull) { try await fixture.result { fixture.store.reconfigure(changed, completion: $0) } }
        var health = fixture.store.health()
        #expect(health.failure == .diskFull)
        // What the exporters go by.
        #expect(health.cursors["http://a/v1/traces#2"] == 4)
        #expect(health.cursors["http://b/v1/traces#3"] == 10)
        #expect(try await runIdle(fixture) == 7_000_000_000)

        try await makeRoom(fixture)
        try await fixture.flush()
        fixture.stop()
        try fixture.start(changed)
        health = fixture.store.health()
        #expect(health.spans == 30)
        #expect(health.cursors["http://a/v1/traces#2"] == 4)
    }

    private func runIdle(_ fixture: StoreFixture) async throws -> UInt64 {
        let seen = Seen<UInt64>()
        await fixture.store.whileFailing { writer in seen.add(writer.ledger.limits.idle) }
        return try #require(seen.all.first)
    }

    /// The pragma is refused to other connections, so the message goes through while the batch waits.
    private func makeRoom(_ fixture: StoreFixture) async throws {
        await fixture.store.whileFailing { writer in
            try? writer.database.execute("PRAGMA max_page_count = 1073741823")
        }
    }
}
