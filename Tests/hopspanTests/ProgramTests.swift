import Configuration
import Gateway
import Store
import Synchronization
import TLS
import Testing

@testable import Export
@testable import QueryAPI
@testable import hopspan

@Suite struct `A program` {
    /// Of everything on ports of its own and nothing on disk.
    private func configuration(_ more: String = "") throws -> Configuration {
        let file = "gateway: { listen: '127.0.0.1:0' }\napi: { listen: '127.0.0.1:0' }\nstore: { path: ':memory:' }\n" + more
        return try Configuration.load(file: Array(file.utf8), environment: ["OTEL_LOG_LEVEL": "none"]) { _ in nil }.configuration
    }

    @Test func `is gone once it has stopped`() async throws {
        weak var left: Program?
        do {
            let program = try Program(try configuration())
            left = program
            #expect(left != nil)
            await program.stop()
        }
        #expect(left == nil)
    }

    @Test func `counts failed handshakes where its health is shown`() async throws {
        let program = try Program(try configuration())
        program.gateway.counters.failedHandshakes.add(3, ordering: .relaxed)
        #expect(GatewayState(program.gateway).failedHandshakes == 3)
        await program.stop()
    }
}

@Suite struct `A reload` {
    @Test func `does not read the system's certificates again`() throws {
        let contexts = TLSContexts()
        let first = try GatewaySettings(Configuration(), contexts).upstreamTLS
        #expect(first != nil)
        #expect(try GatewaySettings(Configuration(), contexts).upstreamTLS === first)
    }
}

@Suite struct `An exporter's health` {
    @Test func `has what the store deleted before the destination had it, and how long it waits`() {
        var health = ExporterHealth(name: "http://c/v1/traces?key=1#2", destination: "http://c/v1/traces", cursor: 7)
        health.backoff = .milliseconds(1_500)
        var store = StoreHealth()
        store.retiredUnexported = ["http://c/v1/traces?key=1": 4, "http://c/v1/traces?key=1#2": 5]
        let state = ExporterState(health, store)
        #expect(state.retired == 5)
        #expect(state.backoff == 1_500_000_000)
        #expect(state.destination == "http://c/v1/traces")
    }
}
