public import HTTP
public import TLS

/// Where an exporter sends spans, and how: an OTLP/HTTP receiver of protobuf (OTLP 1.11, "OTLP/HTTP").
public struct ExportDestination: Sendable, Equatable {
    /// What its cursor in the store goes by; no two share one. May hold a URL with its query: not for display.
    public var name: String
    public var origin: Origin
    /// The receiver's path, with its query.
    public var target: String
    /// Sent with every batch, besides the exporter's own.
    public var headers: HTTPFields = [:]
    /// For `https`: whom to believe, and what to show where a certificate is asked for.
    public var trust = TLSTrust.system
    public var identity: TLSIdentity?
    /// Anything that changes with the contents of the files that these two name.
    public var certificates = 0
    public var proxy: Proxy?
    /// Whether batches are sent as gzip.
    public var isCompressed = true
    /// How long a span waits for a batch to fill.
    public var batchDelay: Duration = .seconds(1)
    /// For one batch, its answer included; nil for no limit.
    public var timeout: Duration? = .seconds(10)
    public var spansAtMost = 512
    /// Bytes of a batch before compression. Receivers refuse large ones, the Collector from 20 MiB on; a single larger span is sent alone.
    public var bytesAtMost = 4 << 20
    public var backoff = BackoffLimits()

    public init(name: String, origin: Origin, target: String) {
        self.name = name
        self.origin = origin
        self.target = target
    }

    /// Its URL for logs and metrics: without the query, where some receivers want a key.
    public var label: String { "\(origin.scheme)://\(origin.authority)\(target.prefix { $0 != "?" })" }

    /// "The client SHOULD … limit the size of requests"; larger ones are dropped and not sent (OTLP 1.11, 64 MiB).
    static let requestBytesAtMost = 64 << 20
}

// Headers are credentials: what prints a destination prints its label.
extension ExportDestination: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { label }
    public var debugDescription: String { label }
    public var customMirror: Mirror { Mirror(self, children: ["label": label]) }
}
