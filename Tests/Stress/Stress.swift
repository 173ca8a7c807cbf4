import EventLoop
import Runs
import Synchronization
import Tracing

/// What threads share on the way of a span, used by all of them at once, for the thread sanitizer (`Tests/run.sh` builds it so): loops
/// record into queues, the store's thread drains them and counts, the api reads the counts, tasks are resumed on a loop from elsewhere, and
/// loops ask one resolver for the same names while those who ask go.
@main enum Stress {
    private static let loops = 4
    private static let spansPerLoop = 4_000
    private static let resumptions = 2_000
    private static let lookUps = 300

    static func main() {
        // Two loops a queue: more than the program does, so that recording meets recording too.
        let queues = (0..<loops / 2).map { _ in SpanQueue(limit: 256 << 10) {} }
        let metrics = SpanMetrics()
        let recording = Atomic<Int>(loops)
        let isOver = Atomic<Bool>(false)
        let counted = Atomic<UInt64>(0)

        withThreads { start in
            for number in 0..<loops {
                start("loop-\(number)") {
                    record(number, in: queues[number % queues.count])
                    recording.subtract(1, ordering: .releasing)
                }
            }
            start("store") {
                while true {
                    let isLast = recording.load(ordering: .acquiring) == 0
                    for queue in queues { counted.add(drain(queue, into: metrics), ordering: .relaxed) }
                    if isLast { break }
                }
                isOver.store(true, ordering: .releasing)
            }
            start("query") {
                while !isOver.load(ordering: .acquiring) {
                    var text = MetricsText()
                    metrics.write(to: &text)
                    for queue in queues { text.add(.spansRecorded, queue.recorded + queue.dropped + UInt64(queue.queuedBytes)) }
                }
            }
        }
        let resumed = resumeFromElsewhere()
        let lookedUp = lookUp()

        let taken = queues.reduce(0) { $0 + $1.recorded }
        let offered = taken + queues.reduce(0) { $0 + $1.dropped }
        let checks = [
            ("every span is recorded or dropped", offered == UInt64(loops * spansPerLoop)), ("what is recorded is counted", counted.load(ordering: .relaxed) == taken),
            ("every task is resumed", resumed == resumptions), ("who asks for a name gets an answer, or its time is over", lookedUp == 2 * lookUps),
        ]
        for (claim, holds) in checks where !holds { print("not so: \(claim)") }
        let failed = checks.count { !$0.1 }
        print("\(checks.count - failed) passed, \(failed) failed")
        if failed > 0 { fatalError("the counts do not agree") }
    }

    private static func record(_ loop: Int, in queue: SpanQueue) {
        var draft = SpanDraft()
        for number in 0..<spansPerLoop {
            draft.reset()
            draft.record.span = UInt64(loop * spansPerLoop + number + 1)
            draft.record.hopKind = HopKind.llm.rawValue
            draft.record.tokens.input = Int64(number)
            draft.setName("chat")
            draft.set(.providerName, "openai")
            draft.set(.requestModel, "model-\(number % 50)")
            queue.record(draft)
        }
    }

    private static func drain(_ queue: SpanQueue, into metrics: SpanMetrics) -> UInt64 {
        let chunks = queue.drain()
        var count: UInt64 = 0
        for chunk in chunks {
            chunk.forEach { record, entries in
                metrics.add(record, entries, SpanFacts(entries))
                count += 1
            }
        }
        queue.recycle(chunks)
        return count
    }

    /// A task on a loop that waits for another thread again and again, while a third looks at the loop's figures.
    /// - Returns: how often it was resumed.
    private static func resumeFromElsewhere() -> Int {
        guard let loop = try? EventLoop(name: "loop") else { return 0 }
        let shared = Waiting()
        let ended = WorkSignal()
        loop.start()
        withThreads { start in
            start("resolve") {
                while !shared.isOver.load(ordering: .acquiring) {
                    for resumption in shared.takeAll() { resumption.resume(returning: 1) }
                }
            }
            start("query") {
                while !shared.isOver.load(ordering: .acquiring) {
                    _ = loop.health.turns.load(ordering: .relaxed) + loop.health.longestTurn
                }
            }
            Task(executorPreference: loop) {
                for _ in 0..<resumptions {
                    let one = await suspend { resumption in shared.tasks.withLock { $0.append(resumption) } }
                    shared.resumed.add(one, ordering: .relaxed)
                }
                shared.isOver.store(true, ordering: .releasing)
                ended.signal()
            }
            ended.wait()
        }
        loop.stop()
        loop.join()
        return shared.resumed.load(ordering: .relaxed)
    }

    /// Two loops ask for names that are found about when who asks gives up.
    /// - Returns: how many questions came to an end.
    private static func lookUp() -> Int {
        let resolver = Resolver(lifetimeSeconds: 0) { _ in .success([SocketAddress("192.0.2.1", port: 0)!]) }
        let shared = Waiting()
        let ended = WorkSignal()
        let loops = (0..<2).compactMap { try? EventLoop(name: "loop-\($0)") }
        for loop in loops {
            loop.start()
            Task(executorPreference: loop) {
                for number in 0..<lookUps {
                    let now = Clock.system.monotonic
                    do throws(Resolver.Failure) {
                        let found = try await resolver.addresses(of: "name-\(number)", port: 80, on: loop, until: now + UInt64(number % 100) * 1_000, for: nil)
                        shared.resumed.add(found.count, ordering: .relaxed)
                    } catch { shared.resumed.add(error == .timedOut ? 1 : 0, ordering: .relaxed) }
                }
                ended.signal()
            }
        }
        for _ in loops { ended.wait() }
        for loop in loops { loop.stop() }
        for loop in loops { loop.join() }
        return shared.resumed.load(ordering: .relaxed)
    }

    /// Waits for every thread that `body` starts.
    private static func withThreads(_ body: (_ start: (String, @escaping @Sendable () -> Void) -> Void) -> Void) {
        var threads: [Thread.Handle] = []
        body { name, work in threads.append(Thread.start(named: name, work)) }
        for thread in threads { thread.join() }
    }
}

/// Tasks that wait to be resumed by another thread.
private final class Waiting: Sendable {
    let tasks = Mutex<[Resumption<Int>]>([])
    let resumed = Atomic<Int>(0)
    let isOver = Atomic<Bool>(false)

    func takeAll() -> [Resumption<Int>] {
        tasks.withLock { tasks in
            defer { tasks = [] }
            return tasks
        }
    }
}
