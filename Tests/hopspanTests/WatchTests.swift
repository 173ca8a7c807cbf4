import Configuration
import EventLoop
import Synchronization
import Testing

@testable import Gateway
@testable import Store
@testable import hopspan

@Suite struct `What the log tells of` {
    private func program() throws -> Program {
        let file = "gateway: { listen: '127.0.0.1:0' }\napi: { listen: '127.0.0.1:0' }\nstore: { path: ':memory:' }\n"
        return try Program(Configuration.load(file: Array(file.utf8), environment: ["OTEL_LOG_LEVEL": "none"]) { _ in nil }.configuration)
    }

    @Test func `is said once, with how much of it there was`() async throws {
        let program = try program()
        let counters = program.gateway.counters
        var watch = Watch()
        #expect(watch.look(at: program) == [])
        counters.runNamesOfWrongLength.add(1, ordering: .relaxed)
        counters.runNamesOfWrongCharacters.add(1_000_000, ordering: .relaxed)
        counters.failedHandshakes.add(2, ordering: .relaxed)
        counters.foreignHosts.add(3, ordering: .relaxed)
        #expect(watch.look(at: program) == [.runNamesIgnored(wrongLength: 1, wrongCharacters: 1_000_000), .handshakesFailed(2), .foreignHosts(3)])
        #expect(watch.look(at: program) == [])
        counters.runNamesOfWrongLength.add(5, ordering: .relaxed)
        #expect(watch.look(at: program) == [.runNamesIgnored(wrongLength: 5, wrongCharacters: 0)])
        await program.stop()
    }

    @Test func `has connections that wait, with the reason`() async throws {
        let program = try program()
        var watch = Watch()
        let health = program.gateway.loops[0].health
        health.lastAcceptError.store(24, ordering: .relaxed)
        health.failedAccepts.add(7, ordering: .relaxed)
        #expect(watch.look(at: program) == [.acceptsFailed(7, reason: "accept: Too many open files")])
        #expect(watch.look(at: program) == [])
        await program.stop()
    }

    private func upstream(_ failures: UInt64, isFailing: Bool) -> GatewayCounters.Upstream {
        GatewayCounters.Upstream(name: "openai", idle: 0, connects: 3, failures: failures, isFailing: isFailing, lastFailure: failures > 0 ? "why" : nil)
    }

    @Test func `has a provider when it can no longer be reached, and when it can be again`() {
        var watch = Watch()
        #expect(watch.look(at: upstream(0, isFailing: false)) == [])
        #expect(watch.look(at: upstream(2, isFailing: true)) == [.unreachable(provider: "openai", failures: 2, reason: "why")])
        #expect(watch.look(at: upstream(9, isFailing: true)) == [])
        // Nobody has asked meanwhile.
        #expect(watch.look(at: upstream(9, isFailing: true)) == [])
        // Some do, some do not: it is no better yet.
        #expect(watch.look(at: upstream(10, isFailing: false)) == [])
        #expect(watch.look(at: upstream(10, isFailing: false)) == [.reachable(provider: "openai", failures: 10)])
        #expect(watch.look(at: upstream(10, isFailing: false)) == [])
        #expect(watch.look(at: upstream(11, isFailing: false)) == [.unreachable(provider: "openai", failures: 1, reason: "why")])
        #expect(watch.look(at: upstream(11, isFailing: false)) == [.reachable(provider: "openai", failures: 1)])
    }

    @Test func `has a store that does not write, and what is lost`() {
        var watch = Watch()
        var store = StoreHealth()
        #expect(watch.look(at: store) == [])
        store.failure = .diskFull
        store.lost = ["queue_full": 4]
        #expect(watch.look(at: store) == [.storeFails(reason: "\(StoreError.diskFull)"), .spansLost(4, reason: "queue_full")])
        store.lost = ["queue_full": 5]
        store.retiredUnexported = ["http://127.0.0.1:4318": 6]
        #expect(watch.look(at: store) == [.spansLost(1, reason: "queue_full"), .spansRetired(6, destination: "http://127.0.0.1:4318")])
        store.failure = nil
        #expect(watch.look(at: store) == [.storeWorks])
        #expect(watch.look(at: store) == [])
    }
}
