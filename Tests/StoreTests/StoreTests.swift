import OTLP
import Runs
import Synchronization
import Testing
import Tracing

@testable import Store

@Suite struct `A store` {
    @Test(arguments: [false, true]) func `gives a span back as it was encoded`(inMemory: Bool) async throws {
        let fixture = StoreFixture(inMemory: inMemory)
        try fixture.start()
        let hop = Hop(span: 0xABC, parent: 9, agent: "planner", asksFor: ["search"], content: "what is the weather?")
        try await fixture.write(hop)

        var draft = SpanDraft()
        hop.draw(into: &draft, at: fixture.now)
        let record = draft.record
        var encoder = SpanEncoder()
        draft.withEntries { encoder.encode(record, $0) }

        let reader = try fixture.store.makeReader()
        let run = try #require(try reader.run("00000000000000010000000000000001"))
        let spans = try reader.spans(of: run)
        #expect(spans.count == 1)
        let expected = encoder.bytes
        #expect(Array(spans.fields[spans.messages[0]]) == (0..<expected.byteCount).map { unsafe expected.unsafeLoad(fromByteOffset: $0, as: UInt8.self) })
    }

    @Test func `shows what a run has added up to, as soon as a flush is through`() async throws {
        let fixture = StoreFixture()
        try fixture.start()
        let reader = try fixture.store.makeReader()
        try await fixture.write([Hop(span: 1, cost: "0.1"), Hop(span: 2, cost: "0.25")])
        let first = try #require(try reader.runs(RunQuery()).runs.first)
        #expect(first.summary.head.totals.cost == USD("0.35"))
        try await fixture.write(Hop(span: 3, cost: "0.05"))
        let second = try #require(try reader.runs(RunQuery()).runs.first)
        #expect(second.summary.head.totals.cost == USD("0.4"))
        #expect(second.row == first.row)
        #expect(fixture.store.health().spans == 3)
        #expect(fixture.store.health().runs == 1)
    }

    @Test func `gives the spans of a run in the order they ended, however runs are mixed`() async throws {
        let fixture = StoreFixture()
        try fixture.start()
        // Enough, in batches, to fill several blocks.
        var span: UInt64 = 0
        for _ in 0..<20 {
            var hops: [Hop] = []
            for _ in 0..<50 {
                span += 1
                hops.append(Hop(trace: .test(Int(span % 7)), span: span, content: String(repeating: "x", count: 300)))
            }
            try await fixture.write(hops)
        }
        let reader = try fixture.store.makeReader()
        for number in 0..<7 {
            let run = try #require(try reader.run(TraceID.test(number).description))
            let spans = try reader.spans(of: run)
            let ids = try spans.messages.map { range in try decode(spans.fields, range).spanID.value }
            #expect(ids == (1...span).filter { $0 % 7 == number })
        }
        let cut = try reader.spans(of: try #require(try reader.run(TraceID.test(3).description)), limit: 10)
        #expect(cut.count == 10 && cut.isCut)
    }

    @Test func `keeps a span larger than any block`() async throws {
        let fixture = StoreFixture()
        try fixture.start()
        let text = String(repeating: "long ", count: 200_000)
        try await fixture.write([Hop(span: 1), Hop(span: 2, content: text), Hop(span: 3)])
        let reader = try fixture.store.makeReader()
        let spans = try reader.spans(of: try #require(try reader.runs(RunQuery()).runs.first))
        #expect(try spans.messages.map { try decode(spans.fields, $0).spanID.value } == [1, 2, 3])
        #expect(try decode(spans.fields, spans.messages[1]).value(of: .inputMessages) == .string(text))
    }

    @Test func `writes again what it had when it is opened anew`() async throws {
        let fixture = StoreFixture()
        try fixture.start()
        try await fixture.write((0..<300).map { Hop(trace: .test($0), span: UInt64($0 + 1)) })
        fixture.stop()
        try fixture.start()
        #expect(fixture.store.health().spans == 300)
        #expect(fixture.store.health().runs == 300)
        try await fixture.write([Hop(trace: .test(7), span: 900), Hop(trace: .test(900), span: 901)])
        #expect(fixture.store.health().runs == 301)
        let reader = try fixture.store.makeReader()
        let run = try #require(try reader.run(TraceID.test(7).description))
        #expect(run.summary.head.totals.hops == 2)
        let spans = try reader.spans(of: run)
        #expect(try spans.messages.map { try decode(spans.fields, $0).spanID.value } == [8, 900])
    }

    @Test func `has a salt of its own for the names of runs, and keeps it`() throws {
        let fixture = StoreFixture()
        let salt = try fixture.start().runKeySalt
        fixture.store.close()
        #expect(try fixture.start().runKeySalt == salt)
        let other = StoreFixture()
        #expect(try other.start().runKeySalt != salt)
        #expect(salt.0 != salt.1)
    }

    @Test func `loses nothing that was committed when its process is killed`() async throws {
        let fixture = StoreFixture()
        try fixture.start()
        for batch in 0..<10 { try await fixture.write((0..<40).map { Hop(trace: .test(batch * 40 + $0), span: UInt64($0 + 1), root: 5) }) }
        let killed = try fixture.copyAsKilled()
        try killed.start()
        let reader = try killed.store.makeReader()
        for number in 0..<400 {
            let run = try #require(try reader.run(TraceID.test(number).description))
            #expect(try reader.spans(of: run).count >= 1)
        }
        #expect(killed.store.health().runs == 400)
    }

    @Test func `tells of each commit that brought spans`() async throws {
        let fixture = StoreFixture()
        let commits = Counter()
        let store = try Store(fixture.options, clock: .system)
        store.onCommit { commits.add() }
        let queue = store.makeQueue()
        store.start()
        defer { store.close() }
        var draft = SpanDraft()
        Hop().draw(into: &draft, at: 5_000)
        queue.record(draft)
        try await fixture.result { store.flush(completion: $0) }
        let after = commits.count
        #expect(after >= 1)
        try await fixture.result { store.flush(completion: $0) }
        store.setCursor("a", 1)
        try await fixture.result { store.flush(completion: $0) }
        #expect(commits.count == after)
    }

    @Test func `answers what comes too late`() async throws {
        let fixture = StoreFixture()
        let store = try fixture.start()
        fixture.stop()
        await #expect(throws: StoreError.closed) { try await fixture.result { store.flush(completion: $0) } }
    }

    @Test func `counts what its queue could not take as lost`() async throws {
        let fixture = StoreFixture()
        let store = try Store(fixture.options, clock: .system)
        let queue = store.makeQueue(limit: 1_000)
        var draft = SpanDraft()
        Hop(content: String(repeating: "x", count: 2_000)).draw(into: &draft, at: 5_000)
        let isTaken = queue.record(draft)
        #expect(!isTaken)
        #expect(store.health().lost == ["queue_full": 1])
        store.close()
    }
}

@Suite struct `A run's root` {
    @Test func `is written once the run has been quiet for long enough`() async throws {
        let fixture = StoreFixture()
        try fixture.start()
        try await fixture.write([Hop(span: 1, parent: 7, root: 7, cost: "0.5", linkedBy: .new), Hop(span: 2, parent: 7, root: 7, cost: "0.25", linkedBy: .new)])
        let reader = try fixture.store.makeReader()
        #expect(try #require(try reader.runs(RunQuery()).runs.first).summary.state == .open)
        fixture.advance(seconds: 1_801)
        try await fixture.flush()
        let run = try #require(try reader.runs(RunQuery()).runs.first)
        #expect(run.summary.state == .closed)
        #expect(run.summary.head.totals.hops == 2)
        let root = try #require(try roots(of: run, reader).first)
        #expect(root.spanID.value == 7)
        #expect(root.parentSpanID == nil)
        #expect(root.value(of: .hops) == .int(2))
        #expect(root.value(of: .runCostUSD) == .string("0.75"))
    }

    @Test func `is written when a process finds the run that a killed one left`() async throws {
        let fixture = StoreFixture()
        try fixture.start()
        try await fixture.write((0..<600).map { Hop(trace: .test($0), span: 1, parent: 7, root: UInt64($0 + 10), linkedBy: .new) })
        let killed = try fixture.copyAsKilled()
        try killed.start()
        try await killed.result { killed.store.finishRuns(completion: $0) }
        do {
            // A reader keeps the file from others; it goes before the store is opened again.
            let reader = try killed.store.makeReader()
            var query = RunQuery()
            query.limit = 1_000
            let runs = try reader.runs(query).runs
            #expect(runs.count == 600)
            #expect(runs.allSatisfy { $0.summary.state == .closed })
            for run in runs.prefix(20) { #expect(try roots(of: run, reader).map(\.spanID.value) == [run.summary.head.root]) }
        }
        #expect(killed.store.health().spans == 1_200)
        // And not once more by the next process.
        killed.stop()
        try killed.start()
        try await killed.result { killed.store.finishRuns(completion: $0) }
        #expect(killed.store.health().spans == 1_200)
    }

    @Test func `is written for all that are open when the program ends`() async throws {
        let fixture = StoreFixture()
        try fixture.start()
        fixture.record((0..<50).map { Hop(trace: .test($0), parent: 7, root: 7, linkedBy: .new) })
        try await fixture.result { fixture.store.finishRuns(completion: $0) }
        #expect(fixture.store.health().spans == 100)
        #expect(fixture.store.health().openRuns == 0)
    }

    @Test func `comes by request, and once, though the run opens again`() async throws {
        let fixture = StoreFixture()
        try fixture.start()
        let hop = Hop(span: 1, parent: 7, runName: "nightly", root: 7)
        try await fixture.write(hop)
        #expect(try await fixture.result { fixture.store.end(hop.key, completion: $0) })
        #expect(fixture.closedRuns.all == [hop.key])
        let reader = try fixture.store.makeReader()
        #expect(try #require(try reader.run("nightly")).summary.state == .closed)
        try await fixture.write(Hop(span: 2, parent: 7, runName: "nightly", root: 7))
        #expect(try #require(try reader.run("nightly")).summary.state == .open)
        #expect(try await fixture.result { fixture.store.end(hop.key, completion: $0) })
        let run = try #require(try reader.run("nightly"))
        #expect(try roots(of: run, reader).map { $0.value(of: .hops) } == [.int(1)])
        // Only a root of its own that came with the opening has still to be written.
        try await fixture.write(Hop(span: 3, parent: 8, runName: "nightly", root: 8))
        #expect(try await fixture.result { fixture.store.end(hop.key, completion: $0) })
        let again = try #require(try reader.run("nightly"))
        #expect(try roots(of: again, reader).map { $0.value(of: .hops) } == [.int(1), .int(3)])
        #expect(try await !fixture.result { fixture.store.end(RunKey(high: 9, low: 9), completion: $0) })
    }

    private func roots(of run: StoredRun, _ reader: StoreReader) throws -> [OTLPSpan] {
        let spans = try reader.spans(of: run)
        return try spans.messages.map { try decode(spans.fields, $0) }.filter { $0.value(of: .hopKind) == .string("run") }
    }
}

func decode(_ fields: [UInt8], _ message: Range<Int>) throws -> OTLPSpan {
    let bytes = Array(fields[message])
    return try OTLPSpan(decoding: unsafe bytes.span.bytes)
}

final class Counter: Sendable {
    private let value = Atomic<Int>(0)
    func add() { value.add(1, ordering: .relaxed) }
    var count: Int { value.load(ordering: .relaxed) }
}
