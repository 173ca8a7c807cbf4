import Runs
import Testing
import Tracing

@testable import Store

@Suite struct `Retention` {
    /// Batches of forty spans an hour apart: runs 0 to 9 of each hour, and one run that lives through all.
    private func fill(_ fixture: StoreFixture, hours: Int, text: Int = 300) async throws {
        for hour in 0..<hours {
            try await fixture.write((0..<40).map { number in
                Hop(
                    trace: number == 0 ? .test(1_000_000) : .test(hour * 10 + number % 10), span: UInt64(hour * 40 + number + 1), cost: "0.001",
                    content: .noise(text, seed: UInt64(hour * 40 + number)))
            })
            try await seal(fixture)
            fixture.advance(seconds: 3_600)
        }
    }

    /// Ends the block that is being filled. Where blocks end depends on where batches do, and so on how busy the machine is; a block that
    /// goes on with later spans is as young as they are.
    private func seal(_ fixture: StoreFixture) async throws { try await fixture.onThread { $0.sealTail() } }

    /// Lets the thread do its steps until one finds nothing, and until what retired spans leave behind is `done` too.
    private func settle(_ fixture: StoreFixture, until done: () throws -> Bool = { true }) async throws {
        var spans: UInt64 = .max
        var (quiet, passed) = (0, 0)
        let patience = ContinuousClock.now + .seconds(120)
        while ContinuousClock.now < patience {
            if quiet >= 4, try done() { return }
            quiet = fixture.store.health().retiredSpans == spans ? quiet + 1 : 0
            spans = fixture.store.health().retiredSpans
            // Not for ever: what lives on must not grow too old meanwhile. The rest is for the thread to do.
            if passed < 8_000 { fixture.advance(seconds: 40) } else { try await Task.sleep(for: .milliseconds(5)) }
            passed += 40
            try await fixture.flush()
            try await fixture.flush()
        }
        Issue.record("retention has not come to an end")
    }

    @Test func `takes what is too old, whole blocks and whole runs, and keeps what lives on`() async throws {
        let fixture = StoreFixture()
        var options = fixture.options
        options.retention = .seconds(10 * 3_600)
        options.destinations = ["behind", "done"]
        try fixture.start(options)
        fixture.store.setCursor("done", 1_000_000)
        try await fill(fixture, hours: 20)
        try await settle(fixture)
        let health = fixture.store.health()
        #expect(health.retiredSpans > 0)
        #expect(health.spans == 800 - Int64(health.retiredSpans))
        #expect(health.retiredUnexported == ["behind": health.retiredSpans])
        // Not younger than ten hours, and not much older: blocks go whole.
        #expect((300...400).contains(health.spans))

        let reader = try fixture.store.makeReader()
        var query = RunQuery()
        query.limit = 1_000
        let runs = try reader.runs(query).runs
        #expect(health.runs == Int64(runs.count))
        #expect(runs.count == 201 - Int(health.retiredRuns))
        // The one that lives through all is there, with the spans that are left and the totals of all.
        let long = try #require(try reader.run(TraceID.test(1_000_000).description))
        #expect(long.summary.head.totals.hops == 20)
        #expect((8...11).contains(try reader.spans(of: long).count))
        #expect(try reader.run(TraceID.test(5).description) == nil)
        for run in runs { #expect(try reader.spans(of: run).count > 0) }
        let spend = try reader.spend(SpendQuery(by: [.model])).total
        #expect(spend.calls == health.spans)
    }

    @Test(arguments: [1, 100]) func `does not wait for blocks from a clock that was ahead`(blocks: Int) async throws {
        let fixture = StoreFixture()
        var options = fixture.options
        options.retention = .seconds(10 * 3_600)
        try fixture.start(options)
        let ahead: UInt64 = 400 * 86_400 * 1_000_000_000
        fixture.now += ahead
        for number in 0..<blocks {
            try await fixture.write(Hop(trace: .test(2_000_000 + number), span: UInt64(900_000 + number)))
            try await seal(fixture)
        }
        fixture.now -= ahead
        // Nothing behind them is too old: neither are they.
        try await fill(fixture, hours: 3)
        try await settle(fixture)
        #expect(fixture.store.health().retiredSpans == 0)
        try await fill(fixture, hours: 17)
        try await settle(fixture)
        #expect((300...400).contains(fixture.store.health().spans))
    }

    @Test func `takes the oldest when the file is too large, and uses its pages again`() async throws {
        let fixture = StoreFixture()
        var options = fixture.options
        options.retention = nil
        options.maxSize = 2 << 20
        try fixture.start(options)
        var largest: Int64 = 0
        for _ in 0..<12 {
            try await fill(fixture, hours: 3, text: 4_000)
            try await settle(fixture)
            largest = max(largest, try Database(fixture.path, .readOnly).integer("PRAGMA page_count")! * 8_192)
        }
        #expect(fixture.store.health().retiredSpans > 500)
        #expect(fixture.store.health().spans > 50)
        #expect(largest <= 2 << 20)
    }

    @Test func `keeps the block that is being filled, however old`() async throws {
        let fixture = StoreFixture()
        var options = fixture.options
        options.retention = .seconds(60)
        try fixture.start(options)
        try await fixture.write(Hop())
        fixture.advance(seconds: 3_600)
        try await settle(fixture)
        #expect(fixture.store.health().spans == 1)
        try await fixture.write(Hop(span: 2))
        #expect(fixture.store.health().spans == 2)
    }

    @Test func `never gives a number twice, in whatever process`() async throws {
        let fixture = StoreFixture()
        var options = fixture.options
        options.retention = .seconds(60)
        try fixture.start(options)
        try await fill(fixture, hours: 3, text: 4_000)
        fixture.stop()
        fixture.advance(seconds: 36_000)
        try fixture.start(options)
        // The former process's last block is no longer being filled.
        try await settle(fixture)
        #expect(fixture.store.health().spans == 0)
        #expect(fixture.store.health().runs == 0)
        #expect(fixture.store.health().lastSpan == 120)
        fixture.stop()
        try fixture.start(options)
        #expect(fixture.store.health().lastSpan == 120)
        try await fixture.write(Hop(trace: .test(5)))
        #expect(fixture.store.health().lastSpan == 121)
        let reader = try fixture.store.makeReader()
        #expect(try reader.run(TraceID.test(5).description)?.summary.head.totals.hops == 1)
    }

    @Test func `drops the ids of runs that are gone, and files those that live on anew`() async throws {
        let fixture = StoreFixture()
        var options = fixture.options
        options.retention = nil
        try fixture.start(options)
        try await fixture.write(Hop(trace: .test(9_999_999), runName: "the-long-one"))
        let each = IDIndex.tableEntries
        for part in 0..<2 {
            try await fixture.write((0..<each).map { Hop(trace: .test(part * each + $0)) })
            try await seal(fixture)
            fixture.advance(seconds: 6 * 3_600)
            try await fixture.write(Hop(trace: .test(9_999_999), runName: "the-long-one"))
        }
        func segments() throws -> Int64 { try Database(fixture.path, .readOnly).integer("SELECT count(*) FROM id_segments")! }
        #expect(try segments() == 2)
        options.retention = .seconds(10 * 3_600)
        try await fixture.result { fixture.store.reconfigure(options, completion: $0) }
        try await settle(fixture, until: { try segments() == 1 })
        let reader = try fixture.store.makeReader()
        for id in ["the-long-one", TraceID.test(9_999_999).description, TraceID.test(2 * each - 1).description] {
            #expect(try reader.run(id) != nil)
        }
        #expect(try reader.run(TraceID.test(1).description) == nil)
        try await fixture.write(Hop(trace: .test(9_999_999), runName: "the-long-one"))
        #expect(try reader.run("the-long-one")?.summary.head.totals.hops == 4)
    }

    @Test func `does not lose a run that is open although its row is gone`() async throws {
        let fixture = StoreFixture()
        var options = fixture.options
        options.retention = .seconds(3_600)
        options.runIdle = .seconds(1_000_000)
        try fixture.start(options)
        try await fixture.write(Hop(trace: .test(1), span: 1, root: 7, linkedBy: .new))
        try await fixture.write((0..<200).map { Hop(trace: .test(2), span: UInt64($0 + 10), content: .noise(500)) })
        fixture.advance(seconds: 7_200)
        try await settle(fixture)
        let reader = try fixture.store.makeReader()
        #expect(try reader.run(TraceID.test(1).description) == nil)
        try await fixture.write(Hop(trace: .test(1), span: 2, root: 7, linkedBy: .new))
        #expect(try reader.run(TraceID.test(1).description)?.summary.head.totals.hops == 2)
        #expect(try Database(fixture.path, .readOnly).integer("SELECT sum(owing) FROM run_blocks") == 1)
    }
}
