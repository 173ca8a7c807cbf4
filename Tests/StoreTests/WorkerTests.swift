import Dispatch
import OTLP
import Runs
import Synchronization
import Testing
import Tracing

@testable import Store

/// The store's thread, one turn at a time: what it does and when it would do the next, without a thread.
final class WorkerBench {
    let fixture = StoreFixture()
    let worker: StoreWorker
    let queue: SpanQueue
    private let shared = StoreShared()
    private let time = TestTime()

    init(_ change: (inout Store.Options) -> Void = { _ in }) throws {
        var options = fixture.options
        // Whoever waits to gather more waits longer than any test does.
        options.gather = .seconds(3_600)
        change(&options)
        let writer = try StoreWriter(StoreFile(path: options.path), ledger: RunLedger(), metrics: SpanMetrics(), limits: AttributeLimits())
        worker = StoreWorker(writer, shared: shared, clock: time.clock, tally: SpanTally(of: 0, nil))
        queue = SpanQueue { [shared] in shared.signal.wake() }
        shared.add(queue)
        worker.apply(options)
        // The first turn is always due, for retention.
        turn()
    }

    func record(_ hops: [Hop]) {
        var draft = SpanDraft()
        for hop in hops {
            hop.draw(into: &draft, at: time.wall.load(ordering: .relaxed))
            queue.record(draft)
        }
    }

    func turn() { worker.turn(isClosing: false) }

    func advance(seconds: UInt64) {
        time.passed.add(seconds * 1_000_000_000, ordering: .relaxed)
    }

    /// Tells after each commit how many spans are written.
    func onCommit(_ body: @escaping @Sendable (UInt64) -> Void) { shared.add { [shared] in body(shared.health(nil).written) } }

    /// What a turn would wait for if the thread were asked now: until when more is gathered, by the machine's monotonic clock.
    func gathering() -> UInt64? { worker.gathering(shared.signal.wait(until: 0) { _ in true }) }

    var isDue: Bool { worker.nextTurn <= time.clock.monotonic() }
    var written: UInt64 { shared.health(nil).written }
}

@Suite struct `The store's thread` {
    /// 60 kB each.
    private func large(_ numbers: Range<Int>) -> [Hop] {
        numbers.map { Hop(trace: .test($0), span: UInt64($0 + 1), content: String(repeating: "x", count: 60_000)) }
    }

    /// Runs whose roots are a batch and a half.
    private func owing(_ count: Int) -> [Hop] {
        let agent = String(repeating: "a", count: 250)
        return (0..<count).map { Hop(trace: .test($0), span: UInt64($0 + 1), root: UInt64($0 + 1_000_000), linkedBy: .new, agent: agent) }
    }
    private let count = 8_000

    /// A killed process loses what has not been written: 200 ms of traffic at most, and within 250 ms a hop is to be seen. What is planned of
    /// that is the wait for more; the commit has the rest.
    @Test func `waits no longer than 150 ms for more, and then has written`() throws {
        let bench = try WorkerBench { $0.gather = Store.Options(path: "").gather }
        let before = StoreClock.system.monotonic()
        bench.record([Hop(trace: .test(1))])
        let after = StoreClock.system.monotonic()
        let end = try #require(bench.gathering())
        #expect(end > before && end <= after + 150_000_000)
        #expect(bench.written == 0)

        // Later spans do not put it off: the first one's time counts.
        bench.record([Hop(trace: .test(2))])
        #expect(bench.gathering() == nil, "nobody is woken twice for one queue")
        bench.turn()
        #expect(bench.written == 2)

        let killed = try bench.fixture.copyAsKilled()
        let reader = try killed.start().makeReader()
        for number in 1...2 { #expect(try reader.run(TraceID.test(number).description) != nil) }
        killed.stop()
    }

    @Test func `takes at once what came while it had more than a batch`() throws {
        let bench = try WorkerBench()
        bench.record(large(0..<80))
        bench.turn()
        #expect(bench.written > 0 && bench.written < 80, "more than a batch")
        #expect(bench.isDue)
        bench.record(large(80..<81))
        // It has been woken for that one; had it gathered more, or forgotten, it would be an hour.
        _ = bench.worker.wait()
        bench.turn()
        #expect(bench.written == 80)
        #expect(bench.isDue)
        _ = bench.worker.wait()
        bench.turn()
        #expect(bench.written == 81)
        #expect(!bench.isDue)
    }

    @Test func `closes no more runs at once than a batch has room for`() throws {
        let bench = try WorkerBench()
        bench.record(owing(count))
        while bench.written < count { bench.turn() }
        bench.advance(seconds: 100_000)
        bench.turn()
        #expect(bench.written > count && bench.written < 2 * count)
        for _ in 0..<3 where bench.written < 2 * count { bench.turn() }
        #expect(bench.written == 2 * count)
    }

    @Test func `writes the roots of all runs at the end, in batches`() throws {
        let bench = try WorkerBench()
        bench.record(owing(count))
        while bench.written < count { bench.turn() }
        let commits = Seen<UInt64>()
        bench.onCommit { commits.add($0) }
        try bench.worker.finishRuns()
        #expect(bench.written == 2 * count)
        #expect(commits.all.count > 1)
    }

    @Test func `deletes a long run some blocks at a time, its row last`() throws {
        let bench = try WorkerBench()
        // Two spans a block, one of them of the run.
        let count = 8 * StoreWriter.mostErasedBlocks / 3
        for start in stride(from: 0, to: 2 * count, by: 40) {
            bench.record((start..<min(start + 40, 2 * count)).map {
                Hop(trace: .test($0 % 2), span: UInt64($0 + 1), content: ($0 % 2 == 0 ? "QZX" : "") + String(repeating: "x", count: 35_000))
            })
            bench.turn()
            bench.turn()
        }
        #expect(bench.written == UInt64(2 * count))
        let done = Seen<Bool>()
        bench.worker.delete(1) { done.add((try? $0.get()) ?? false) }
        #expect(done.all.isEmpty && bench.isDue)
        let halfway = try bench.fixture.copyAsKilled()

        // What comes meanwhile is of another run, though it has the same trace.
        bench.record([Hop(trace: .test(0), span: 1_000_000)])
        var turns = 0
        while done.all.isEmpty, turns < 10 {
            bench.turn()
            turns += 1
        }
        #expect(done.all == [true])
        #expect(turns == 2, "the first turn was the message's")
        try expectDeleted(bench.fixture.path, others: count, new: 1)

        // A process that was killed halfway has the run, and deletes what is left.
        let store = try halfway.start()
        let reader = try store.makeReader()
        let run = try #require(try reader.run(TraceID.test(0).description))
        let isDone = Mailed<Bool>()
        store.delete(run) { isDone.put((try? $0.get()) ?? false) }
        #expect(isDone.take())
        halfway.stop()
        try expectDeleted(halfway.path, others: count, new: 0)
    }

    /// Of the run that was deleted nothing is left, of the others all.
    private func expectDeleted(_ path: String, others: Int, new: Int) throws {
        let database = try Database(path, .readOnly)
        let finder = try BlockFinder(database)
        var (kept, gone) = (0, 0)
        let last = try database.integer("SELECT max(first + count) FROM span_blocks")! - 1
        for number in 1...last {
            let block = try #require(try finder.block(of: number, whole: true))
            if block.columns(of: number).isGone { gone += 1 } else { kept += 1 }
            let text = block.spans[block.frame(of: number)]
            #expect(!text.contains { $0 == UInt8(ascii: "Q") } || !String(decoding: text, as: UTF8.self).contains("QZX"))
        }
        #expect(kept == others + new)
        #expect(gone == others)
    }
}

/// One value from another thread.
private final class Mailed<Value: Sendable>: Sendable {
    private let value = Mutex<Value?>(nil)
    private let isThere = DispatchSemaphore(value: 0)

    func put(_ new: Value) {
        value.withLock { $0 = new }
        isThere.signal()
    }

    func take() -> Value {
        isThere.wait()
        return value.withLock { $0! }
    }
}
