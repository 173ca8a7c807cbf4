import Synchronization
import Testing
import Tracing

/// What a reader of the queue sees: span id and the name entry of each span, in order.
private func spans(_ chunks: [SpanChunk]) -> [(id: UInt64, name: String)] {
    var result: [(UInt64, String)] = []
    for chunk in chunks {
        chunk.forEach { record, entries in
            var name = ""
            SpanEntry.forEach(in: entries) { tag, _, value in
                if tag == SpanEntry.Tag.name.rawValue { name = text(value) }
            }
            result.append((record.span, name))
        }
    }
    return result
}

private func record(_ id: UInt64, _ name: String, in queue: SpanQueue, with draft: inout SpanDraft) -> Bool {
    draft.reset()
    draft.record.span = id
    draft.setName(name)
    return queue.record(draft)
}

@Suite struct `A span queue` {
    @Test func `gives spans in the order they were recorded, over many chunks`() {
        let queue = SpanQueue {}
        var draft = SpanDraft()
        for id in 1...5000 as ClosedRange<UInt64> { #expect(record(id, "span \(id)", in: queue, with: &draft)) }
        let chunks = queue.drain()
        #expect(chunks.count > 1)
        let read = spans(chunks)
        #expect(read.map(\.id) == Array(1...5000))
        #expect(read[4999].name == "span 5000")
        #expect(queue.recorded == 5000 && queue.dropped == 0 && queue.queuedBytes == 0)
        #expect(queue.drain().isEmpty)
    }

    @Test func `takes a span larger than a chunk, and keeps the order around it`() {
        let queue = SpanQueue {}
        var draft = SpanDraft()
        let long = String(repeating: "x", count: 300_000)
        for (id, name) in [(1, "a"), (2, long), (3, "b")] as [(UInt64, String)] { #expect(record(id, name, in: queue, with: &draft)) }
        let read = spans(queue.drain())
        #expect(read.map(\.id) == [1, 2, 3])
        #expect(read[1].name == long)
    }

    @Test func `drops and counts what exceeds its limit, and takes again once drained`() {
        let queue = SpanQueue(limit: 10_000) {}
        var draft = SpanDraft()
        var taken = 0
        for id in 1...100 as ClosedRange<UInt64> where record(id, "span", in: queue, with: &draft) { taken += 1 }
        #expect(taken > 10 && taken < 100)
        #expect(queue.recorded == UInt64(taken) && queue.dropped == UInt64(100 - taken))
        #expect(queue.queuedBytes <= 10_000)
        #expect(spans(queue.drain()).map(\.id) == Array(1...UInt64(taken)))
        #expect(record(101, "span", in: queue, with: &draft))
        #expect(spans(queue.drain()).map(\.id) == [101])
    }

    @Test func `wakes its reader when it stops being empty, and only then`() {
        let wakes = Mutex(0)
        let queue = SpanQueue { wakes.withLock { $0 += 1 } }
        var draft = SpanDraft()
        for id in 1...10 as ClosedRange<UInt64> { _ = record(id, "span", in: queue, with: &draft) }
        #expect(wakes.withLock { $0 } == 1)
        _ = queue.drain()
        _ = record(11, "span", in: queue, with: &draft)
        #expect(wakes.withLock { $0 } == 2)
    }

    @Test func `uses recycled chunks again`() {
        let queue = SpanQueue {}
        var draft = SpanDraft()
        for round in 0..<50 as Range<UInt64> {
            for id in 0..<1000 as Range<UInt64> { _ = record(round * 1000 + id, "span", in: queue, with: &draft) }
            let chunks = queue.drain()
            #expect(spans(chunks).map(\.id) == Array(round * 1000..<(round + 1) * 1000))
            queue.recycle(chunks)
        }
    }

    /// Also run under the thread sanitizer: the queue is one of the few things that threads share.
    @Test func `loses and doubles nothing between writing threads and a reading one`() async {
        let queue = SpanQueue(limit: 1 << 20) {}
        let writers = 4
        let perWriter: UInt64 = 20_000
        let finished = Counter()
        var read: [UInt64] = []
        await withTaskGroup(of: UInt64.self) { group in
            for writer in 0..<writers {
                group.addTask {
                    var draft = SpanDraft()
                    var dropped: UInt64 = 0
                    for index in 0..<perWriter where !record(UInt64(writer) << 32 | index, "span", in: queue, with: &draft) { dropped += 1 }
                    finished.value.add(1, ordering: .releasing)
                    return dropped
                }
            }
            while true {
                let isLast = finished.value.load(ordering: .acquiring) == writers
                let chunks = queue.drain()
                read += spans(chunks).map(\.id)
                queue.recycle(chunks)
                if isLast { break }
                await Task.yield()
            }
            var dropped: UInt64 = 0
            for await count in group { dropped += count }
            #expect(dropped == queue.dropped)
        }
        #expect(UInt64(read.count) == queue.recorded)
        #expect(queue.recorded + queue.dropped == UInt64(writers) * perWriter)
        #expect(Set(read).count == read.count)
        for writer in 0..<writers {
            let own = read.filter { $0 >> 32 == UInt64(writer) }
            #expect(zip(own, own.dropFirst()).allSatisfy(<))
        }
    }
}

private final class Counter: Sendable {
    let value = Atomic<Int>(0)
}
