import Foundation
import HTTP
import JSON
import Store
import Synchronization
import Testing
import Tracing

@testable import QueryAPI

@Suite struct `The program's health` {
    static var picture: HealthPicture {
        var surroundings = Surroundings(version: "1.2.3", startedAt: Seed.now - 90_061_000_000_000)
        surroundings.readiness = { .draining }
        var store = StoreHealth()
        (store.spans, store.runs, store.openRuns, store.bytes, store.recorded, store.written, store.queuedBytes) = (1_000_000, 5_000, 12, 1 << 30, 999, 998, 4096)
        store.lost = ["queue_full": 3, "disk_full": 7]
        (store.retiredSpans, store.retiredRuns) = (50, 5)
        (store.failure, store.failingSince) = (.diskFull, Seed.now - 5_000_000_000)
        var gateway = GatewayState()
        (gateway.malformedHeads, gateway.unknownPaths, gateway.failedHandshakes, gateway.activeExchanges) = (1, 2, 7, 3)
        gateway.upstreams = [.init(provider: "openai", idleConnections: 4, connects: 5, connectFailures: 6)]
        var good = ExporterState(destination: "http://127.0.0.1:4318/v1/traces")
        (good.exported, good.bytes, good.lastSuccessAt) = (990, 123_456, Seed.now - 1_000_000_000)
        var bad = ExporterState(destination: "https://otlp.example.com/v1/traces")
        (bad.isFailing, bad.failures, bad.lastError, bad.lastErrorAt) = (true, 9, "HTTP 503", Seed.now - 2_500_000)
        bad.backoff = 1_500_000_000
        (bad.rejected, bad.dropped, bad.retired, bad.pending, bad.oldestPending) = (1, 2, 3, 998, Seed.now - 3_600_000_000_000)
        var process = ProcessFigures()
        (process.cpuNanoseconds, process.residentBytes) = (12_340_000_000, 24 << 20)
        return HealthPicture(surroundings: surroundings, store: store, gateway: gateway, exporters: [good, bad], process: process, now: Seed.now)
    }

    /// `RECORD=1` writes the files anew.
    private func expect(_ text: String, in name: String) throws {
        let file = `The api's answers`.fixtures.appending(path: name)
        if ProcessInfo.processInfo.environment["RECORD"] == "1" { try text.write(to: file, atomically: true, encoding: .utf8) }
        #expect(try text == String(contentsOf: file, encoding: .utf8))
    }

    @Test func `is told to people as JSON`() throws {
        let json = Self.picture.json
        try expect(JSONValue(unsafe json.span.bytes).pretty() + "\n", in: "health.json")
    }

    @Test func `is told to Prometheus, hops first`() async throws {
        let seed = try await Scenario.seeded()
        try expect(Self.picture.metrics(of: seed.store.metrics), in: "metrics.txt")
    }

    @Test func `has every metric that is declared, and no other`() async throws {
        let seed = try await Scenario.seeded()
        let response = await seed.get("/metrics")
        #expect(response.fields.contains(HTTPField("content-type", "text/plain; version=0.0.4; charset=utf-8")))
        guard case .bytes(let bytes) = response.body else { return }
        let types = String(decoding: bytes, as: UTF8.self).split(separator: "\n").filter { $0.hasPrefix("# TYPE ") }
        let expected = Metric.allCases.map { "# TYPE \($0.prometheusName) \($0.definition.instrument.rawValue)" }
        #expect(types.map(String.init).sorted() == expected.sorted())
    }

    @Test func `counts what the store has seen`() async throws {
        let seed = try await Scenario.seeded()
        let store = try await seed.json("/api/health")["store"]
        // Nine hops and a root.
        #expect(store?["recorded"]?.int == 9)
        #expect(store?["stored"]?.int == 10)
        #expect(store?["runs"]?.int == 4)
    }

    @Test func `is put into words on the thread that took the picture`() async throws {
        let threads = Mutex<[UInt]>([])
        let seed = try Seed {
            $0.gateway = {
                threads.withLock { $0.append(UInt(pthread_self())) }
                return GatewayState()
            }
            // Asked while the answer is written.
            $0.readiness = {
                threads.withLock { $0.append(UInt(pthread_self())) }
                return .ready
            }
        }
        #expect(await seed.get("/api/health").status == 200)
        let seen = threads.withLock { $0 }
        #expect(seen.count == 2 && Set(seen).count == 1)
    }

    @Test func `says whether it takes traffic`() async throws {
        let readiness = Mutex(Surroundings.Readiness.starting)
        let seed = try Seed { $0.readiness = { readiness.withLock { $0 } } }
        #expect(await seed.get("/readyz").status == 503)
        #expect(await seed.get("/healthz").status == 200)
        readiness.withLock { $0 = .ready }
        #expect(await seed.get("/readyz").status == 200)
        readiness.withLock { $0 = .draining }
        let draining = await seed.get("/readyz")
        #expect(draining.status == 503)
        guard case .bytes(let bytes) = draining.body else { return }
        #expect(String(decoding: bytes, as: UTF8.self) == "draining\n")
    }
}
