import Foundation
import Runs
import Testing
import Tracing

@testable import Store

@Suite struct `A store under load` {
    /// Threads record, read, export, end and delete at once. For the thread sanitizer (`Tests/run.sh --sanitize`).
    @Test(arguments: [false, true]) func `keeps every count while all its users are busy`(inMemory: Bool) async throws {
        let fixture = StoreFixture(inMemory: inMemory)
        var options = fixture.options
        options.destinations = ["collector"]
        options.openRuns = 50
        let store = try Store(options)
        let queues = (0..<2).map { _ in store.makeQueue() }
        store.start()
        defer { store.close() }
        let perQueue = 3_000
        let isDone = Counter()

        try await withThrowingTaskGroup(of: Int.self) { group in
            for (number, queue) in queues.enumerated() {
                group.addTask { @concurrent in
                    var draft = SpanDraft()
                    for span in 0..<perQueue {
                        let run = number * perQueue + span / 3
                        Hop(trace: .test(run), span: UInt64(span + 1), root: span % 2 == 0 ? 0 : 7, cost: "0.001").draw(into: &draft, at: StoreClock.system.wall())
                        queue.record(draft)
                        if span % 100 == 99 { await Task.yield() }
                    }
                    return 0
                }
            }
            group.addTask { @concurrent in
                let reader = try store.makeReader()
                var reads = 0
                while isDone.count == 0 {
                    let page = try reader.runs(RunQuery())
                    for run in page.runs.prefix(5) { #expect(try reader.spans(of: run).count > 0) }
                    _ = try reader.run(TraceID.test(reads).description)
                    _ = try reader.spend(SpendQuery(by: [.model]))
                    _ = store.health()
                    var text = MetricsText()
                    store.metrics.write(to: &text)
                    reads += 1
                    await Task.yield()
                }
                return 0
            }
            group.addTask { @concurrent in
                let reader = try store.makeReader()
                var batch = ExportBatch()
                var cursor: Int64 = 0
                var count = 0
                while true {
                    let isLast = isDone.count > 0
                    while try reader.unexported(after: cursor, limit: 512, maxBytes: 1 << 20, into: &batch) {
                        count += batch.count
                        cursor = batch.upTo
                        store.setCursor("collector", cursor)
                    }
                    if isLast { return count }
                    await Task.yield()
                }
            }
            group.addTask { @concurrent in
                while store.health().recorded < UInt64(2 * perQueue) {
                    try await fixture.result { store.flush(completion: $0) }
                    store.end(RunKey(.test(3))) { _ in }
                    await Task.yield()
                }
                try await fixture.result { store.finishRuns(completion: $0) }
                isDone.add()
                return 0
            }
            var exported = 0
            for try await count in group { exported += count }
            let health = store.health()
            #expect(health.recorded == UInt64(2 * perQueue))
            #expect(health.lostTotal == 0)
            #expect(health.spans == Int64(exported))
            #expect(health.written == UInt64(exported))
            #expect(health.runs == Int64(2 * perQueue / 3))
        }
        let reader = try store.makeReader()
        let total = try reader.spend(SpendQuery(by: [.model])).total
        #expect(total.calls == Int64(2 * perQueue))
        #expect(total.cost == USD("6"))
    }
}
