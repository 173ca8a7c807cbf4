@testable import Export
import Foundation
import HTTP
import OTLP
import Peers
import Store
import TLS
import Testing
import Tracing

@Suite(.timeLimit(.minutes(2))) final class `Export from a store` {
    /// Of one test, from its start to its end.
    private let folder = FileManager.default.temporaryDirectory.appending(path: "hopspan-export-\(UUID().uuidString)").path

    init() throws { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// A store in a file that holds spans over several openings.
    private func options() -> Store.Options {
        var options = Store.Options(path: folder + "/hopspan.db")
        options.retention = nil  // the spans are of 2023
        options.gather = .milliseconds(1)
        options.destinations = ["test"]
        return options
    }

    private func record(_ range: Range<UInt64>, in queue: SpanQueue, unsampled: (UInt64) -> Bool = { _ in false }) {
        var draft = SpanDraft()
        for id in range {
            draft.reset()
            draft.record.traceLow = id / 10 + 1
            draft.record.runLow = id / 10 + 1
            draft.record.span = id
            draft.record.startTime = 1_700_000_000_000_000_000 + id
            draft.record.endTime = draft.record.startTime + 1
            draft.record.flags = unsampled(id) ? 0 : TraceFlags.sampled.rawValue
            draft.record.parent = 1
            draft.setName("chat m")
            draft.set(.requestModel, "m\(id)")
            let isTaken = queue.record(draft)
            #expect(isTaken)
        }
    }

    private func flush(_ store: Store) async {
        await withCheckedContinuation { done in store.flush { _ in done.resume() } }
    }

    private func start(_ bench: Bench, _ store: Store, _ destination: ExportDestination) throws {
        try bench.exporters.use([destination], following: store)
        store.onCommit { [exporters = bench.exporters] in exporters.notify() }
        store.start()
    }

    @Test func `sends what is recorded, without being asked`() async throws {
        let collector = try Collector()
        let store = try Store(options())
        let queue = store.makeQueue()
        let bench = Bench()
        try start(bench, store, .quick(collector))
        record(1..<1_001, in: queue, unsampled: { $0 % 5 == 0 })
        wait { collector.taken.count == 800 }
        let sampled = (1..<1_001 as Range<UInt64>).filter { $0 % 5 != 0 }
        #expect(collector.taken == sampled)
        bench.finish()
        store.close()
    }

    @Test func `goes on after a restart where it was, with what came meanwhile`() async throws {
        let options = options()
        let first = try Collector()
        do {
            let store = try Store(options)
            let bench = Bench()
            try start(bench, store, .quick(first))
            record(1..<501, in: store.makeQueue())
            await flush(store)
            bench.finish()
            #expect(first.taken.count == 500)
            store.close()
        }
        do {
            // Nobody exports.
            let store = try Store(options)
            store.start()
            record(501..<701, in: store.makeQueue())
            await flush(store)
            store.close()
        }
        let second = try Collector()
        let store = try Store(options)
        let bench = Bench()
        try start(bench, store, .quick(second))
        record(701..<801, in: store.makeQueue())
        await flush(store)
        bench.finish()
        #expect(second.taken == Array(501..<801 as Range<UInt64>))
        #expect(store.health().cursors["test"].map { $0 <= 800 } == true)
        store.close()
    }

    @Test func `sends again after a restart what was never answered`() async throws {
        let options = options()
        let silent = try Collector { _ in .silence }
        do {
            let store = try Store(options)
            let bench = Bench()
            try start(bench, store, .quick(silent))
            record(1..<101, in: store.makeQueue())
            await flush(store)
            wait { !silent.requests.isEmpty }
            bench.finish(.milliseconds(10))
            store.close()
        }
        let collector = try Collector()
        let store = try Store(options)
        let bench = Bench()
        try start(bench, store, .quick(collector))
        bench.finish()
        #expect(collector.taken == Array(1..<101 as Range<UInt64>))
        store.close()
    }

    @Test func `sends spans as they were stored, byte for byte`() async throws {
        let collector = try Collector()
        let store = try Store(options())
        let bench = Bench()
        // Before the store's thread starts, so that they are one commit.
        record(1..<51, in: store.makeQueue())
        try start(bench, store, .quick(collector))
        await flush(store)
        bench.finish()
        var batch = ExportBatch()
        #expect(try store.makeReader().unexported(after: 0, limit: 50, maxBytes: .max, into: &batch))
        store.close()
        let message = try #require(collector.requests.first).message
        let place = message.firstRange(of: batch.fields)
        #expect(place != nil)
        #expect(collector.requests.count == 1)
        #expect(collector.taken == Array(1..<51 as Range<UInt64>))
    }

    @Test func `goes over TLS to a receiver whose authority is named, with a certificate where one is asked for`() async throws {
        let files = try Certificates.shared()
        let collector = try Collector(tls: .server(files.identity("server"), clientAuthority: files.authority))
        let store = try Store(options())
        let bench = Bench()
        var destination = ExportDestination.quick(collector)
        destination.trust = .file(files.authority)
        destination.identity = files.identity("client")
        try start(bench, store, destination)
        record(1..<11, in: store.makeQueue())
        await flush(store)
        bench.finish()
        #expect(collector.taken == Array(1..<11 as Range<UInt64>))
        store.close()
    }

    @Test func `says what is wrong with a receiver's certificate, and keeps the spans`() async throws {
        let files = try Certificates.shared()
        let collector = try Collector(tls: .server(files.identity("stranger")))
        let store = try Store(options())
        let bench = Bench()
        var destination = ExportDestination.quick(collector)
        destination.trust = .file(files.authority)
        try start(bench, store, destination)
        record(1..<11, in: store.makeQueue())
        wait { bench.health.failures > 0 }
        #expect(bench.health.lastError?.hasPrefix("no TLS: ") == true, "\(bench.health.lastError ?? "")")
        bench.finish()
        #expect(collector.requests.isEmpty)
        #expect(store.health().cursors["test"] == 0)
        store.close()
    }
}
