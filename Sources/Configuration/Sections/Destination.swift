extension Configuration {
    /// An OTLP/HTTP destination for spans.
    public struct Destination: Sendable, Hashable {
        /// The whole URL that batches are posted to.
        public var url = HTTPURL.unset
        public var `protocol` = ExportProtocol.httpProtobuf
        /// Default gzip in the file; in the environment none, as OpenTelemetry has it.
        public var compression = Compression.gzip
        /// Sent with every batch; names in lower case, none twice.
        public var headers: [Header] = []
        /// How long spans may wait for a batch to fill. Default 1 s, or `OTEL_BSP_SCHEDULE_DELAY`.
        public var batchDelay: Duration = .seconds(1)
        /// For one batch, answer included; nil: no limit. Default 10 s.
        public var timeout: Duration? = .seconds(10)
        /// Who signs the destination's certificate, instead of the system's trust store.
        public var ca: PEMFile?
        /// What we show the destination (mutual TLS); both or neither.
        public var certificate, key: PEMFile?
        /// Where it was configured.
        public var source = Source.file

        public init() {}

        public enum Source: String, Sendable { case file, environment }
    }

    public enum ExportProtocol: String, Sendable, CaseIterable { case httpProtobuf = "http/protobuf" }

    public enum Compression: String, Sendable, CaseIterable { case gzip, none }

    /// A header to send. Its value may be a literal, but is never shown.
    public struct Header: Sendable, Hashable {
        /// In lower case.
        public let name: String
        public let value: Secret

        public init(name: String, value: Secret) {
            self.name = name
            self.value = value
        }
    }

    /// What a destination's cursor in the store goes by: its URL without the query, `#`, and a mark of what tells it from others there
    /// (query, headers, certificate). So it stays the same over restarts, and when other destinations come, go or change places. Only those
    /// that differ in nothing that matters are numbered.
    public func cursorNames() -> [String] {
        var seen: [String: Int] = [:]
        return telemetry.otlp.map { destination in
            let name = destination.url.withoutQuery + (destination.mark.map { "#\($0)" } ?? "")
            let count = seen[name, default: 0] + 1
            seen[name] = count
            return count == 1 ? name : "\(name)#\(count)"
        }
    }
}

extension Configuration.Destination {
    /// Of query, headers and certificate; nil where there are none. A secret counts with its reference, so that a new key does not make a new
    /// destination. FNV-1a, which keeps the rest out of the store's file.
    fileprivate var mark: String? {
        var parts = headers.map { "h" + $0.name + "\0" + ($0.value.isLiteral ? $0.value.revealed : $0.value.reference) }.sorted()
        if let query = url.query { parts.append("q" + query) }
        if let certificate { parts.append("c" + certificate.path) }
        guard !parts.isEmpty else { return nil }
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in parts.joined(separator: "\n").utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        return String(hash, radix: 16)
    }
}

extension Configuration.Destination {
    static let form = Form<Self>.section(
        "a mapping with endpoint",
        [
            Field(
                "endpoint", \.url, .tracesEndpoint, required: true, example: "http://127.0.0.1:4318",
                "The OTLP/HTTP receiver. /v1/traces is appended unless the path ends so."),
            Field("protocol", \.protocol, .choice("an OTLP protocol"), "How spans are sent."),
            Field("compression", \.compression, .choice("a compression"), "gzip or none."),
            Field(
                "headers", \.headers, .headers, example: "{ x-key: env:KEY }",
                "Sent with every batch. Values are references, or literals where the name is not that of a credential."),
            Field(
                "batch_delay", \.batchDelay, .duration(),
                "How long spans wait for a batch to fill. OTEL_BSP_SCHEDULE_DELAY holds where this is not set."),
            Field("timeout", \.timeout, Form.duration().orNone, "For one batch, with its answer. A shorter OTEL_BSP_EXPORT_TIMEOUT holds where this is not set."),
            Field("ca", \.ca, Form.pem(.certificates).optional, example: "ca.pem", "Who signs the receiver's certificate, PEM. Default: the system's trust store."),
            Field("certificate", \.certificate, Form.pem(.certificates).optional, example: "client.pem", "The certificate we show the receiver, PEM."),
            Field("key", \.key, Form.pem(.privateKey).optional, example: "client-key.pem", "Its private key, PEM."),
        ], defaults: Self(),
        check: { destination, node, place, reading in
            if node["batch_delay"] == nil { destination.batchDelay = reading.batchDelay }
            if node["timeout"] == nil { destination.limitTimeout(to: reading.exportTimeout) }
            if let lonely = node["certificate"] ?? node["key"], (node["certificate"] == nil) != (node["key"] == nil) {
                reading.mistake(lonely.mark, place.key(lonely.key), "certificate and key come together", "set both, or neither")
            }
        })

    /// One export is one batch, sent once: the exporter's time-out and the batch processor's both bound it, and the shorter one holds. What
    /// has not arrived in time is sent again.
    mutating func limitTimeout(to limit: Duration?) {
        guard let limit else { return }
        timeout = timeout.map { min($0, limit) } ?? limit
    }

    /// An OTLP endpoint as a base: the signal's path is appended (OTLP exporter specification, Endpoint URLs for OTLP/HTTP).
    static func tracesURL(base text: String) throws(Wrong) -> HTTPURL {
        var url = try HTTPURL(checking: text)
        while url.path.last == "/" { url.path.removeLast() }
        if !url.path.hasSuffix("/v1/traces") { url.path += "/v1/traces" }
        return url
    }
}

extension Form where Value == HTTPURL {
    static var tracesEndpoint: Form {
        .scalar(
            "a URL", expected: "a URL such as http://127.0.0.1:4318",
            parse: { (text) throws(Wrong) in try Configuration.Destination.tracesURL(base: text) }, write: { .text($0.description) })
    }
}

extension Form where Value == [Configuration.Header] {
    static var headers: Form {
        let expected = "a mapping from header names to references or values"
        return Form(
            expected,
            read: { node, place, reading in
                var headers: [Configuration.Header] = []
                for entry in reading.entries(node, place, "expected " + expected) ?? [] {
                    let at = place.name(entry.key)
                    if let wrong = wrong(withName: entry.key, among: headers) {
                        reading.mistake(entry.mark, at, wrong.problem ?? "", wrong.expected)
                    } else if let value = value(entry, at, reading) {
                        headers.append(Configuration.Header(name: entry.key.lowercased(), value: value))
                    }
                }
                return headers
            },
            write: { headers in .map(headers.map { Written.Entry($0.name, .text($0.value.reference)) }) })
    }

    static func wrong(withName name: String, among headers: [Configuration.Header]) -> Wrong? {
        if !FieldName.isToken(name) { return Wrong(problem: "not a header name") }
        if FieldName.ofTheSender.contains(name.lowercased()) { return Wrong(problem: "this header is the gateway's own", expected: "remove it") }
        if headers.contains(where: { $0.name == name.lowercased() }) { return Wrong(problem: "written twice, apart from case") }
        return nil
    }

    private static func value(_ entry: Node.Entry, _ place: Place, _ reading: Reading) -> Secret? {
        guard let text = reading.scalar(entry.value, place, "expected a reference such as env:KEY, or a value") else { return nil }
        let schemes = ["env", "file"] + NotInThisBuild.secretSchemes
        if FieldName.isSensitive(entry.key) || schemes.contains(where: { text.hasPrefix($0 + ":") }) {
            return reading.secret(text, entry.value.mark, place)
        }
        guard !text.isEmpty, !text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) else {
            reading.mistake(entry.value.mark, place, "not a header value", "expected text on one line")
            return nil
        }
        return Secret(literal: text)
    }
}
