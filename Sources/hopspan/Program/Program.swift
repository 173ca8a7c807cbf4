import Commands
import Configuration
import EventLoop
import Export
import Gateway
import Glibc
import LLM
import MCPHost
import OTLP
import QueryAPI
import Store
import Synchronization
import TLS
import Tracing

/// Why the program did not start: words for the terminal.
struct StartFailure: Error {
    let message: String
}

/// A running Hopspan: gateway, store, exporters and api, put together from one configuration. `serve` runs one until a signal, the demo
/// runs one for its agent.
///
/// Put together from the bottom up, so that a hop that ends finds its store and a span that is stored its exporters; taken apart in
/// the order traffic flows, so that nothing on its way is lost.
final class Program: Sendable {
    let gateway: Gateway
    let store: Store
    let api: QueryAPI
    let exporters: Exporters
    /// MCP servers that are programs.
    let host: MCPHost
    private let log: Log
    private let standing: Standing
    private let contexts = TLSContexts()
    private let source: SpanSource

    /// The configuration in force.
    var configuration: Configuration { standing.configuration.withLock { $0 } }

    /// Starts everything; when it returns, both listeners take connections.
    init(_ configuration: Configuration, importedPrices: [UInt8]? = nil) throws(StartFailure) {
        let log = Log(level: configuration.openTelemetry.logLevel)
        self.log = log
        let standing = Standing(configuration)
        self.standing = standing
        try Self.checkExecutor()
        let closed = ClosedRuns()
        do {
            store = try Store(.init(configuration), runIsUnderWay: { closed.isUnderWay($0, at: $1) }, onRunClosed: { closed.forget($0) })
        } catch {
            throw StartFailure(message: error.sentence(of: configuration.store.path))
        }
        let store = store
        if store.formerEnd == .unknown {
            log.warn("the store was not closed the last time; how many spans had not been written by then is not known", ["path": configuration.store.path])
        }
        let source = SpanSource.hopspan(
            version: "\(ProgramVersion.version)", serviceName: configuration.openTelemetry.serviceName, instance: Self.instance(),
            attributes: configuration.openTelemetry.resourceAttributes.map { ($0.key, $0.value) })
        self.source = source

        let exporters = Exporters(spans: source, version: "\(ProgramVersion.version)") { destination, event in log.export(destination, event) }
        self.exporters = exporters
        do { try exporters.use(ExportDestination.all(of: configuration), following: store, contexts: contexts) } catch {
            throw StartFailure(message: "telemetry.otlp: \(error).")
        }
        store.onCommit { exporters.notify() }

        let catalogue = try Self.prices(configuration, importedPrices)
        var limits = HostLimits()
        limits.message = configuration.gateway.maxBody
        host = MCPHost(limits)
        host.use(try HostedServer.all(of: configuration, contexts))
        let settings = try GatewaySettings(configuration, contexts, host: host, runKeySalt: store.runKeySalt)
        // A disk that stands still for some seconds at full load loses nothing; memory is taken as spans wait.
        let cores = System.availableCores
        let queues = (0..<cores).map { _ in store.makeQueue(limit: max(32 << 20, (128 << 20) / cores)) }
        do {
            gateway = try Gateway(settings, listen: Self.address(configuration.gateway.listen), queues: queues, catalogue: catalogue)
        } catch {
            throw StartFailure(message: Self.portMessage("gateway.listen", "\(configuration.gateway.listen)", error))
        }
        closed.runs = gateway.runs
        let gateway = gateway

        var surroundings = Surroundings(version: "\(ProgramVersion.version)", startedAt: Clock.system.wall)
        surroundings.loops = gateway.loops
        surroundings.exporters = { exporters.health().map { ExporterState($0, store.health()) } }
        surroundings.gateway = { GatewayState(gateway) }
        surroundings.readiness = { standing.readiness.withLock { $0 } }
        surroundings.configuration = { standing.configuration.withLock { $0.json } }
        do {
            api = try QueryAPI(
                .init(configuration, source: source), listen: Self.address(configuration.api.listen), store: store, surroundings: surroundings)
        } catch {
            guard case .listen(let error) = error else { preconditionFailure() }
            throw StartFailure(message: Self.portMessage("api.listen", "\(configuration.api.listen)", error))
        }
        store.start()
        System.trimHeap()
        standing.readiness.withLock { $0 = .ready }
    }

    // MARK: while it runs

    /// Takes up a changed configuration as far as that goes without a restart; all of it, or where it throws, nothing.
    /// - Parameter importedPrices: those beside the store that is in use.
    /// - Returns: the keys whose new values wait for a restart.
    func reconfigure(_ wanted: Configuration, importedPrices: [UInt8]?) throws(StartFailure) -> [String] {
        let configuration = wanted.takenUp(by: configuration)
        // First all that can fail.
        let catalogue = try Self.prices(configuration, importedPrices)
        let settings = try GatewaySettings(configuration, contexts, host: host, runKeySalt: store.runKeySalt)
        let servers = try HostedServer.all(of: configuration, contexts)
        let prepared: Exporters.Prepared
        do { prepared = try exporters.prepare(ExportDestination.all(of: configuration), following: store, contexts: contexts) } catch {
            throw StartFailure(message: "telemetry.otlp: \(error).")
        }
        reconfigureStore(.init(configuration))
        exporters.use(prepared)
        host.use(servers)
        gateway.reconfigure(settings, catalogue: catalogue)
        api.reconfigure(.init(configuration, source: source))
        standing.configuration.withLock { $0 = configuration }
        return configuration.changes(to: wanted).map(\.key)
    }

    /// Returns when the store knows the destinations, so that their exporters find their cursors. A store that cannot write says so and
    /// is not waited for: traffic has no part in that.
    private func reconfigureStore(_ options: Store.Options) {
        let isDone = WorkSignal()
        store.reconfigure(options) { [log] result in
            if case .failure(let error) = result { log.error("the store could not write down the destinations", ["reason": "\(error)"]) }
            isDone.signal()
        }
        _ = isDone.wait(nanoseconds: 2_000_000_000)
    }

    // MARK: its end

    /// Takes no more requests, lets running ones end, writes every span, exports a last time, closes the store.
    /// - Parameter lastExport: what a receiver that is there may take for what it does not have yet.
    func stop(lastExport: Duration = .seconds(5)) async {
        standing.readiness.withLock { $0 = .draining }
        host.drain()
        await gateway.drain()
        await host.stop()
        let store = store
        await suspend { (done: Resumption<Void>) in store.finishRuns { _ in done.resume() } }
        exporters.finish(within: lastExport)
        await api.stop(within: .seconds(1))
        store.close()
    }

    // MARK: parts

    private static func prices(_ configuration: Configuration, _ imported: [UInt8]?) throws(StartFailure) -> PriceCatalogue {
        do { return try PriceCatalogue.of(configuration, imported: imported) } catch {
            let place = imported == nil ? "The prices" : configuration.store.importedPrices ?? "The imported prices"
            throw StartFailure(message: "\(place): \(error.sentence). hopspan prices --import FILE puts a good file there; without the file the bundled prices hold.")
        }
    }

    private static func address(_ listen: ListenAddress) -> SocketAddress {
        guard let address = SocketAddress(listen.host, port: listen.port) else { preconditionFailure("a checked address is one") }
        return address
    }

    private static func checkExecutor() throws(StartFailure) {
        let result: EventLoop.SelfTestResult
        do { result = try EventLoop.selfTest() } catch { throw StartFailure(message: "No event loop could be made: \(error).") }
        guard result.passed else {
            throw StartFailure(
                message:
                    "The executor's self-test failed: \(result.jobs) jobs and \(result.foreignJobs) foreign ones for \(result.suspensions) suspensions. This build would be slow; please report it with the compiler's version.")
        }
    }

    private static func portMessage(_ key: String, _ address: String, _ error: SystemError) -> String {
        error.code == EADDRINUSE
            ? "\(address) is in use: another process, perhaps another Hopspan, listens there. Stop it, or set \(key)."
            : "\(key): cannot listen on \(address): \(error)."
    }

    /// Tells this process from others of the service.
    private static func instance() -> String {
        let seed = System.randomSeed()
        return TraceID(high: seed.0, low: seed.1 | 1).description
    }
}

/// Asks the gateway which named runs may close, and tells it of those that have, once there is a gateway.
private final class ClosedRuns: @unchecked Sendable {
    /// Set once, before the store's thread starts.
    var runs: NamedRuns?

    func isUnderWay(_ run: RunKey, at now: UInt64) -> Bool { runs?.isUnderWay(run, at: now) ?? false }

    func forget(_ run: RunKey) { runs?.forget(run) }
}

/// What changes while the program runs, as its api shows it.
private final class Standing: Sendable {
    let configuration: Mutex<Configuration>
    let readiness = Mutex(Surroundings.Readiness.starting)

    init(_ configuration: Configuration) { self.configuration = Mutex(configuration) }
}
