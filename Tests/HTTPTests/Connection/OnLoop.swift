import EventLoop
import Peers
import TLS

/// A loop of its own for one test: what is confined to a loop runs in `body`.
func onLoop<Value: Sendable>(_ body: @Sendable (EventLoop) async throws -> Value) async throws -> Value {
    let loop = try EventLoop(name: "test")
    loop.start()
    let runner = LoopRunner(loop: loop)
    defer {
        loop.stop()
        loop.join()
    }
    return try await withTaskExecutorPreference(loop) { try await runner.run(body) }
}

private actor LoopRunner {
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }

    init(loop: EventLoop) { self.loop = loop }

    func run<Value: Sendable>(_ body: @Sendable (EventLoop) async throws -> Value) async throws -> Value { try await body(loop) }
}

extension EventLoop {
    var inTenSeconds: UInt64 { Clock.system.monotonic + 10_000_000_000 }
}

/// The contexts of the two ends.
enum Contexts {
    static func client() throws -> TLSContext { try .client(trust: .file(Certificates.shared().authority)) }
    static func server(_ name: String = "server") throws -> TLSContext { try .server(Certificates.shared().identity(name)) }
}
