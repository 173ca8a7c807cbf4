import EventLoop
import Foundation
import FoundationNetworking
import HTTP
import JSON
import Synchronization
import Testing

@testable import QueryAPI
@testable import Store

@Suite struct `The api listener` {
    @Test func `answers over a real socket, on a loop of its own`() async throws {
        let seed = try await Scenario.seeded()
        let api = try QueryAPI(
            Seed.settings, listen: SocketAddress("127.0.0.1", port: 0)!, store: seed.store, surroundings: Surroundings(version: "1.2.3", startedAt: Seed.now))
        #expect(api.address.port != 0)
        func get(_ target: String, _ method: String = "GET") async throws -> (Data, HTTPURLResponse) {
            var request = URLRequest(url: URL(string: "http://\(api.address)\(target)")!)
            request.httpMethod = method
            let (data, response) = try await URLSession.shared.data(for: request)
            return (data, response as! HTTPURLResponse)
        }
        let (list, listed) = try await get("/api/runs?limit=2")
        #expect(listed.statusCode == 200)
        #expect(listed.value(forHTTPHeaderField: "cache-control") == "no-store")
        #expect(try JSONValue(String(decoding: list, as: UTF8.self))["runs"]?.elements?.count == 2)
        let (head, headed) = try await get("/api/runs", "HEAD")
        #expect(headed.statusCode == 200)
        #expect(head.isEmpty)
        let (gone, deleted) = try await get("/api/runs/nightly-42", "DELETE")
        #expect(deleted.statusCode == 204)
        #expect(gone.isEmpty)
        #expect(try await get("/api/runs/nightly-42").1.statusCode == 404)
        let metrics = String(decoding: try await get("/metrics").0, as: UTF8.self)
        #expect(metrics.contains(#"hopspan_loop_turns_total{loop="api"} "#))
        await api.stop(within: .seconds(5))
    }

    @Test func `does not start where somebody listens`() async throws {
        let seed = try Seed()
        let taken = try ListeningSockets.bind(to: SocketAddress("127.0.0.1", port: 0)!, count: 1)
        #expect(throws: QueryAPIError.self) {
            try QueryAPI(Seed.settings, listen: taken.address, store: seed.store, surroundings: Surroundings(version: "1", startedAt: 0))
        }
    }

    @Test func `is not waited for when its loop is stuck`() async throws {
        let seed = try Seed()
        let api = try QueryAPI(
            Seed.settings, listen: SocketAddress("127.0.0.1", port: 0)!, store: seed.store, surroundings: Surroundings(version: "1", startedAt: 0))
        let isStuck = WorkSignal()
        let gate = WorkSignal()
        let end = WorkSignal()
        let wasLetGo = Mutex(false)
        Task(executorPreference: api.loop) {
            isStuck.signal()
            let inTime = gate.wait(nanoseconds: 300_000_000_000)
            wasLetGo.withLock { $0 = inTime }
            end.signal()
        }
        isStuck.wait()
        await api.stop(within: .zero)
        gate.signal()
        end.wait()
        #expect(wasLetGo.withLock { $0 })
    }

    @Test func `says so when the store has been closed`() async throws {
        let seed = try await Scenario.seeded()
        seed.store.close()
        let response = await seed.ask(.post, "/api/runs/nightly-42/end")
        #expect(response.status == 503)
        #expect(response.fields.contains(HTTPField("retry-after", "1")))
    }

    /// Holds every thread of `readers` until `gate` is signalled as often.
    private func hold(_ readers: ReaderThreads, _ count: Int, until gate: WorkSignal) async -> [Task<Void, any Error>] {
        let held = Held()
        let tasks = (0..<count).map { _ in
            Task {
                try await readers.run {
                    held.threads.add(1, ordering: .relaxed)
                    gate.wait()
                }
            }
        }
        while held.threads.load(ordering: .relaxed) < count { await Task.yield() }
        return tasks
    }

    private final class Held: Sendable { let threads = Atomic<Int>(0) }

    @Test func `answers a list while a question over the whole store is being answered`() async throws {
        let seed = try await Scenario.seeded()
        let gate = WorkSignal()
        let held = await hold(seed.readers, 1, until: gate)
        #expect(await seed.get("/api/runs").status == 200)
        gate.signal()
        for task in held { try await task.value }
    }

    @Test(arguments: ["/metrics", "/api/health", "/healthz", "/readyz", "/api/config"])
    func `tells of its health while nobody reads the store`(target: String) async throws {
        let seed = try await Scenario.seeded()
        let gate = WorkSignal()
        let held = await hold(seed.readers, 2, until: gate)
        #expect(await seed.get(target).status == 200)
        for _ in held { gate.signal() }
        for task in held { try await task.value }
    }

    @Test func `refuses more questions than may wait`() async throws {
        let seed = try await Scenario.seeded()
        let readers = ReaderThreads(seed.store)
        let gate = WorkSignal()
        let held = await hold(readers, 2, until: gate)
        var refused = 0
        await withTaskGroup(of: Int?.self) { group in
            for _ in 0..<ReaderThreads.waitingAtMost + 10 {
                group.addTask {
                    do {
                        try await readers.run {}
                        return nil
                    } catch { return (error as? Problem)?.status }
                }
            }
            for await status in group where status == 503 {
                refused += 1
                if refused == 10 { for _ in held { gate.signal() } }
            }
        }
        #expect(refused == 10)
        for task in held { try await task.value }
        readers.close()
        let late: Result<Void, Problem>
        do { late = .success(try await readers.run {}) } catch { late = .failure(error) }
        #expect(throws: Problem.self) { try late.get() }
    }
}
