public import EventLoop

/// A loop of its own for one test: what is confined to a loop runs in `body`.
public func onLoop<Value: Sendable>(_ body: @Sendable (EventLoop) async throws -> Value) async throws -> Value {
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
