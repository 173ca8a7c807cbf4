public import HTTP
public import TLS

/// Where an exporter sends spans, and how: an OTLP/HTTP receiver of protobuf (OTLP 1.11, "OTLP/HTTP").
public struct ExportDestination: Sendable, Equatable {
    /// What its cursor in the store goes by; no two share one. Not for display.
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

    /// The context for its connections; nil where they are plain. Reads the files of certificates.
    /// - Parameter contexts: the program's, for what several share.
    public func context(_ contexts: TLSContexts) throws(TLSError) -> TLSContext? {
        guard origin.isTLS else { return nil }
        guard let identity else { return try contexts.client(trusting: trust) }
        return try TLSContext.client(trust: trust, identity: identity)
    }

    public init(name: String, origin: Origin, target: String) {
        self.name = name
        self.origin = origin
        self.target = target
    }

    /// Its URL for logs and metrics: without the query, where some receivers want a key.
    public var label: String { "\(origin.scheme)://\(origin.authority)\(target.prefix { $0 != "?" })" }

    /// What nobody else may read: the values of its headers, the words of them, such as the token of `Bearer …`, and those of its query's members.
    /// What is shorter than four bytes is no secret, and part of many a message.
    var confidences: [String] {
        let query = target.split(separator: "?", maxSplits: 1).dropFirst().flatMap { $0.split(separator: "&") }
        let values = query.map { $0.drop { $0 != "=" }.dropFirst() }
        let words = headers.lines.flatMap { line in [Substring(line.value)] + line.value.split(separator: " ").filter { $0.utf8.count > 6 } }
        return (words + values).filter { $0.utf8.count > 3 }.map(String.init)
    }

    /// "The client SHOULD … limit the size of requests"; larger ones are dropped and not sent (OTLP 1.11, 64 MiB).
    static let requestBytesAtMost = 64 << 20
}

// Headers are credentials: what prints a destination prints its label.
extension ExportDestination: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { label }
    public var debugDescription: String { label }
    public var customMirror: Mirror { Mirror(self, children: ["label": label]) }
}
