import EventLoop
import LLM
import Synchronization

/// The actor of one loop: it owns the worker, and every task of the loop is one of its calls.
actor GatewayLoop {
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }
    private let worker: Worker
    nonisolated let activeExchanges: ActiveExchanges
    private var listener: Listener?
    private var lastReload: UInt64 = 0

    init(_ worker: sending Worker, loop: EventLoop) {
        activeExchanges = worker.activeExchanges
        self.worker = worker
        self.loop = loop
    }

    /// Takes connections from the listening socket until told to drain.
    func listen(on descriptor: Int32) async {
        let listener: Listener
        do { listener = try Listener(descriptor, on: loop) } catch { return }
        guard !worker.isDraining else { return listener.close() }
        self.listener = listener
        Task(executorPreference: loop) { await self.evictIdleConnections() }
        while let accepted = await listener.accept() {
            Task(executorPreference: loop) { await self.take(accepted) }
        }
    }

    private func take(_ descriptor: Int32) async { await worker.take(descriptor) }

    private func evictIdleConnections() async {
        while !worker.isDraining {
            await loop.sleep(nanoseconds: worker.settings.upstreamIdleNanoseconds / 10)
            worker.evictIdleConnections()
        }
    }

    /// - Parameter number: of the reload; one that a later one has overtaken changes nothing.
    func reconfigure(_ settings: GatewaySettings, _ catalogue: PriceCatalogue, _ number: UInt64) {
        guard number > lastReload else { return }
        lastReload = number
        worker.reconfigure(settings, catalogue)
    }

    /// Stops listening, takes no more requests, lets running exchanges go on.
    func drain() {
        listener?.close()
        worker.drain()
    }

    func abort() { worker.abort() }
}

/// How many exchanges run on one loop. Written by the loop, read by any thread: who asks how the gateway does must get an answer also
/// when a loop is stuck or has ended.
final class ActiveExchanges: Sendable {
    private let running = Atomic<Int>(0)

    var count: Int { running.load(ordering: .relaxed) }

    // One writer: load and store is enough, and cheaper than a locked add.
    @inline(__always) func began() { running.store(running.load(ordering: .relaxed) + 1, ordering: .relaxed) }
    @inline(__always) func ended() { running.store(running.load(ordering: .relaxed) - 1, ordering: .relaxed) }
}
