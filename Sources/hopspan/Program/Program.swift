import Configuration
import EventLoop
import Gateway
import Glibc
import LLM
import OTLP
import Store
import Tracing

/// Why the program did not start: words for the terminal.
struct StartFailure: Error {
    let message: String
}

/// A running Hopspan: gateway, store, exporters and api, put together from one configuration. `serve` runs one until a signal, the demo
/// runs one for its agent.
final class Program: Sendable {
    let configuration: Configuration
    let gateway: Gateway
    let store: Store

    /// Starts everything; when it returns, both listeners take connections.
    init(_ configuration: Configuration, importedPrices: [UInt8]? = nil) throws(StartFailure) {
        self.configuration = configuration
        try Self.checkExecutor()
        let limits = configuration.openTelemetry.limits
        let encoder = Encoder(AttributeLimits(count: limits.attributeCount, valueLength: limits.attributeValueLength))
        let closed = ClosedRuns()
        do {
            store = try Store(.init(configuration), encode: { encoder.encode($0, $1, $2) }, onRunClosed: { closed.forget($0) })
        } catch {
            throw StartFailure(message: "The store \(configuration.store.path) cannot be opened: \(error).")
        }
        let catalogue: PriceCatalogue
        do { catalogue = try PriceCatalogue.of(configuration, imported: importedPrices) } catch {
            throw StartFailure(message: "The prices cannot be read: \(error).")
        }
        let store = store
        let queues = (0..<System.availableCores).map { _ in store.makeQueue() }
        guard let listen = SocketAddress(configuration.gateway.listen.host, port: configuration.gateway.listen.port) else {
            throw StartFailure(message: "gateway.listen: \(configuration.gateway.listen) is no address.")
        }
        let settings = try GatewaySettings(configuration)
        do {
            gateway = try Gateway(settings, listen: listen, queues: queues, catalogue: catalogue)
        } catch {
            throw StartFailure(message: Self.portMessage("gateway.listen", "\(configuration.gateway.listen)", error))
        }
        closed.runs = gateway.runs
        store.start()
    }

    private static func checkExecutor() throws(StartFailure) {
        do {
            let result = try EventLoop.selfTest()
            guard result.passed else {
                throw StartFailure(message: "The executor's self-test failed: \(result.jobs) jobs and \(result.foreignJobs) foreign ones for \(result.suspensions) suspensions. This build would be slow: please report it with the compiler's version.")
            }
        } catch let failure as StartFailure { throw failure } catch { throw StartFailure(message: "No event loop could be made: \(error).") }
    }

    private static func portMessage(_ key: String, _ address: String, _ error: SystemError) -> String {
        error.code == EADDRINUSE
            ? "\(address) is in use: another process, perhaps another Hopspan, listens there. Stop it, or set \(key)."
            : "\(key): cannot listen on \(address): \(error)."
    }

    /// Takes no more requests, lets running ones end, writes every span, exports a last time, closes the store.
    func stop() async {
        await gateway.drain()
        let store = store
        await suspend { (done: Resumption<Void>) in store.finishRuns { _ in done.resume() } }
        store.close()
    }
}

/// The span encoder, as the store's thread uses it.
private final class Encoder: @unchecked Sendable {
    private var encoder: SpanEncoder

    init(_ limits: AttributeLimits) { encoder = SpanEncoder(limits: limits) }

    /// On the store's thread only.
    func encode(_ record: SpanRecord, _ entries: RawSpan, _ take: (RawSpan) -> Void) {
        encoder.encode(record, entries, take)
    }
}

/// Tells the gateway of named runs that have closed, once there is a gateway.
private final class ClosedRuns: @unchecked Sendable {
    /// Set once, before the store's thread starts.
    var runs: NamedRuns?

    func forget(_ run: RunKey) { runs?.forget(run) }
}
