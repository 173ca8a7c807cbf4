public import EventLoop
public import LLM
import Synchronization
public import Tracing

/// The gateway listener and its loops.
public final class Gateway: Sendable {
    /// The address it listens on, with its port.
    public let address: SocketAddress
    public let loops: [EventLoop]
    public let counters: GatewayCounters
    /// Runs that callers have named; whoever closes runs tells it.
    public let runs: NamedRuns
    private let workers: [GatewayLoop]
    /// The threads beside the loops, one each (`Worker.beside`).
    let readers: [EventLoop]
    /// What running exchanges are given to end.
    let drainNanoseconds: Atomic<UInt64>
    private let reloads = Atomic<UInt64>(0)

    /// Binds the listener and starts a loop for each queue.
    /// - Parameters:
    ///   - queues: where finished spans go; one a loop.
    ///   - seed: for ids; nil takes the system's randomness.
    public init(
        _ settings: GatewaySettings, listen: SocketAddress, queues: [SpanQueue], catalogue: PriceCatalogue, clock: Clock = .system, seed: UInt64? = nil,
        resolver: Resolver = Resolver()
    ) throws(SystemError) {
        let sockets = try ListeningSockets.bind(to: listen, count: queues.count)
        address = sockets.address
        drainNanoseconds = Atomic(settings.drainNanoseconds)
        counters = GatewayCounters()
        runs = NamedRuns()
        var workers: [GatewayLoop] = []
        var readers: [EventLoop] = []
        for (number, queue) in queues.enumerated() {
            let words = seed.map { ($0, $0 &+ UInt64(number) &+ 1, 0x1234_5678, 1) } ?? System.randomSeed()
            let loop = try EventLoop(name: "loop-\(number)")
            let reader = try EventLoop(name: "read-\(number)")
            readers.append(reader)
            let worker = Worker(
                loop: loop, reader: reader, settings: settings, clock: clock, ids: IDGenerator(seed: words), resolver: resolver, runs: runs, spans: queue,
                counters: counters, catalogue: catalogue)
            workers.append(GatewayLoop(worker, loop: loop))
        }
        self.workers = workers
        loops = workers.map(\.loop)
        self.readers = readers
        for reader in readers { reader.start() }
        for (worker, descriptor) in zip(workers, sockets.descriptors) {
            Task(executorPreference: worker.loop) { await worker.listen(on: descriptor) }
            worker.loop.start()
        }
    }

    /// Stops listening, lets running exchanges end within the configured time, ends the others. Returns when all spans are queued.
    public func drain() async {
        for worker in workers { await worker.drain() }
        let start = Clock.system.monotonic
        while activeExchanges > 0, Clock.system.monotonic - start < drainNanoseconds.load(ordering: .relaxed) { try? await Task.sleep(nanoseconds: 20_000_000) }
        for worker in workers { await worker.abort() }
        let lastCall = Clock.system.monotonic + 2_000_000_000
        while activeExchanges > 0, Clock.system.monotonic < lastCall { try? await Task.sleep(nanoseconds: 10_000_000) }
        for loop in loops + readers { loop.stop() }
        // One that is stuck in a turn must not keep the others' spans from the store; the process ends without it.
        let end = Clock.system.monotonic + 2_000_000_000
        for loop in loops + readers {
            let now = Clock.system.monotonic
            loop.join(within: end > now ? end - now : 0)
        }
    }

    /// Gives running exchanges no more time to end, also where `drain` waits for them already. Their spans are recorded all the same.
    public func hurry() { drainNanoseconds.store(0, ordering: .relaxed) }

    /// From the next request on, these settings and prices, and from the next connection on, this certificate; the listener stays as it
    /// is. Returns at once.
    public func reconfigure(_ settings: GatewaySettings, catalogue: PriceCatalogue) {
        drainNanoseconds.store(settings.drainNanoseconds, ordering: .relaxed)
        let number = reloads.add(1, ordering: .relaxed).newValue
        for worker in workers { Task(executorPreference: worker.loop) { await worker.reconfigure(settings, catalogue, number) } }
    }

    /// Exchanges that are running.
    public var activeExchanges: Int { workers.reduce(0) { $0 + $1.activeExchanges.count } }
}
