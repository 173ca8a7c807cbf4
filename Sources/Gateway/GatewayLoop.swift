import EventLoop
import LLM

/// The actor of one loop: it owns the worker, and every task of the loop is one of its calls.
actor GatewayLoop {
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }
    private let worker: Worker
    private var listener: Listener?

    init(_ worker: sending Worker, loop: EventLoop) {
        self.worker = worker
        self.loop = loop
    }

    /// Takes connections from the listening socket until told to drain.
    func listen(on descriptor: Int32) async {
        let listener: Listener
        do { listener = try Listener(descriptor, on: loop) } catch { return }
        self.listener = listener
        Task(executorPreference: loop) { await self.evictIdleConnections() }
        while let accepted = await listener.accept() {
            Task(executorPreference: loop) { await self.take(accepted) }
        }
    }

    private func take(_ descriptor: Int32) async { await worker.take(descriptor) }

    private func evictIdleConnections() async {
        while !worker.isDraining {
            await loop.sleep(nanoseconds: 5_000_000_000)
            worker.evictIdleConnections()
        }
    }

    func reconfigure(_ settings: GatewaySettings, _ catalogue: PriceCatalogue) { worker.reconfigure(settings, catalogue) }

    var active: Int { worker.active }

    /// Stops listening, takes no more requests, lets running exchanges go on.
    func drain() {
        listener?.close()
        worker.drain()
    }

    func abort() { worker.abort() }
}
