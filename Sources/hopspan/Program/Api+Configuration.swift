import Configuration
import EventLoop
import Export
import Gateway
import HTTP
import OTLP
import QueryAPI
import Store
import Synchronization
import TLS

// What the exporters and the api are given of the configuration, and what the api is shown of the rest.

extension ExportDestination {
    /// The destinations of a configuration, by the names their cursors have in the store.
    static func all(of configuration: Configuration) -> [ExportDestination] {
        zip(configuration.telemetry.otlp, configuration.cursorNames()).map { destination, name in
            let url = destination.url
            var made = ExportDestination(
                name: name, origin: Origin(isTLS: url.scheme == .https, host: url.host, port: url.port), target: url.target)
            made.proxy = Proxy(for: made.origin, by: configuration.proxies)
            if let ca = destination.ca { made.trust = .file(ca.path) }
            if let certificate = destination.certificate, let key = destination.key {
                made.identity = TLSIdentity(certificateFile: certificate.path, keyFile: key.path)
            }
            made.certificates = [destination.ca, destination.certificate, destination.key].hashValue
            for header in destination.headers { made.headers.append(header.name, header.value.revealed) }
            made.isCompressed = destination.compression == .gzip
            made.batchDelay = destination.batchDelay
            made.timeout = destination.timeout
            made.spansAtMost = configuration.openTelemetry.batch.maxSpans
            return made
        }
    }
}

extension QueryAPISettings {
    init(_ configuration: Configuration, source: SpanSource) {
        self.init(source: source)
        token = configuration.api.token?.revealed
        hosts = configuration.api.hosts
        isLoopback = configuration.api.listen.isLoopback
    }
}

extension GatewayState {
    init(_ gateway: Gateway) {
        self.init()
        malformedHeads = gateway.counters.malformedHeads.load(ordering: .relaxed)
        unknownPaths = gateway.counters.unknownPaths.load(ordering: .relaxed)
        failedHandshakes = gateway.counters.failedHandshakes.load(ordering: .relaxed)
        activeExchanges = gateway.activeExchanges
        upstreams = gateway.counters.upstreams().map {
            Upstream(provider: $0.name, idleConnections: $0.idle, connects: $0.connects, connectFailures: $0.failures)
        }
    }
}

extension ExporterState {
    init(_ health: ExporterHealth, _ store: StoreHealth) {
        self.init(destination: health.destination)
        exported = health.exported
        rejected = health.rejected
        dropped = health.dropped
        failures = health.failures
        bytes = health.bytes
        isFailing = health.isFailing
        backoff = health.backoff?.nanoseconds
        lastError = health.lastError
        lastErrorAt = health.lastErrorAt
        lastSuccessAt = health.lastSuccessAt
        pending = health.pending
        oldestPending = health.oldestPending
        retired = store.retiredUnexported[health.name] ?? 0
    }
}

extension Log {
    func export(_ destination: String, _ event: ExportEvent) {
        switch event {
        case .failing(let reason): warn("export is failing; spans wait in the store", ["destination": destination, "reason": reason])
        case .recovered(let failures): info("export goes on", ["destination": destination, "failures": "\(failures)"])
        case .rejected(let spans, let message): warn("spans were rejected", ["destination": destination, "spans": "\(spans)", "reason": message])
        case .warned(let message): warn("the receiver has something to say", ["destination": destination, "message": message])
        case .dropped(let spans, let reason): error("spans were given up", ["destination": destination, "spans": "\(spans)", "reason": reason])
        }
    }
}
