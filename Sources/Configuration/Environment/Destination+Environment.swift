import Tracing

/// `OTEL_EXPORTER_OTLP_*` and `OTEL_EXPORTER_OTLP_TRACES_*` (OpenTelemetry specification, OTLP Exporter Configuration). What
/// is set for traces wins over what is set for all signals.
extension Configuration.Destination {
    private static let options = ["ENDPOINT", "PROTOCOL", "HEADERS", "COMPRESSION", "TIMEOUT", "CERTIFICATE", "CLIENT_KEY", "CLIENT_CERTIFICATE", "INSECURE"]

    /// Whether `OTEL_TRACES_EXPORTER` lets spans go by OTLP; nil when it is not set.
    static func isChosen(_ reading: Reading) -> Bool? {
        guard let text = reading.variable("OTEL_TRACES_EXPORTER") else { return nil }
        let names = Set(text.split(separator: ",").map { $0.trimmingWhitespace().lowercased() }.filter { !$0.isEmpty })
        guard names == ["otlp"] || names == ["none"] else {
            reading.mistake(variable: "OTEL_TRACES_EXPORTER", "\(quoted(text)) is not supported", "expected otlp or none")
            return false
        }
        return names == ["otlp"]
    }

    /// The destination that the environment names; nil when it names none.
    static func fromEnvironment(_ reading: Reading, isChosen: Bool?) -> Self? {
        let isNamed = options.contains { reading.exporterOption($0) != nil }
        guard isChosen ?? isNamed else { return nil }
        var destination = Self()
        destination.source = .environment
        destination.batchDelay = reading.batchDelay
        destination.compression = .none
        if let url = endpoint(reading) { destination.url = url }
        if let option = reading.exporterOption("PROTOCOL"), option.value.trimmingWhitespace().lowercased() != "http/protobuf" {
            reading.mistake(variable: option.name, "\(quoted(option.value)) is \(NotInThisBuild.phrase)", "expected http/protobuf")
        }
        if let option = reading.exporterOption("COMPRESSION"), let word = reading.word(option.name, among: ["gzip", "none"]) {
            destination.compression = Configuration.Compression(rawValue: word)!
        }
        // "0 means no limit" for time-outs.
        if let option = reading.exporterOption("TIMEOUT"), let timeout = reading.number(option.name, in: 0...OpenTelemetry.longest) {
            destination.timeout = timeout == 0 ? nil : .milliseconds(timeout)
        }
        destination.limitTimeout(to: reading.exportTimeout)
        if let option = reading.exporterOption("HEADERS") { destination.headers = headers(option, reading) }
        destination.ca = pem("CERTIFICATE", .certificates, reading)
        destination.certificate = pem("CLIENT_CERTIFICATE", .certificates, reading)
        destination.key = pem("CLIENT_KEY", .privateKey, reading)
        let pair = ["CLIENT_CERTIFICATE", "CLIENT_KEY"].compactMap { reading.exporterOption($0) }
        if pair.count == 1 { reading.mistake(variable: pair[0].name, "a client's certificate and key come together", "set both, or neither") }
        return destination
    }

    /// The general endpoint is a base, the signal's own is taken as it is, and with neither it is the specification's default.
    private static func endpoint(_ reading: Reading) -> HTTPURL? {
        let traces = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
        let general = "OTEL_EXPORTER_OTLP_ENDPOINT"
        let name = reading.variable(traces) != nil ? traces : general
        do throws(Wrong) {
            if let text = reading.variable(traces) {
                var url = try HTTPURL(checking: text.trimmingWhitespace())
                if url.path.isEmpty { url.path = "/" }
                return url
            }
            var url = try HTTPURL(checking: (reading.variable(general) ?? "http://localhost:4318").trimmingWhitespace())
            while url.path.last == "/" { url.path.removeLast() }
            url.path += "/v1/traces"
            return url
        } catch {
            reading.mistake(variable: name, error.problem ?? "not a URL", error.expected ?? "expected a URL such as http://127.0.0.1:4318")
            return nil
        }
    }

    /// `k1=v1,k2=v2`, values percent-encoded, as in a W3C baggage header without properties. Nothing of it is shown.
    private static func headers(_ option: (name: String, value: String), _ reading: Reading) -> [Configuration.Header] {
        var headers: [Configuration.Header] = []
        for member in option.value.split(separator: ",") where !member.trimmingWhitespace().isEmpty {
            guard let equals = member.firstIndex(of: "="),
                let value = PercentEncoding.decode(member[member.index(after: equals)...].trimmingWhitespace()), !value.isEmpty,
                !value.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F })
            else {
                reading.mistake(variable: option.name, "not name=value pairs with commas between, values percent-encoded", "Authorization=Basic%20… for one")
                return []
            }
            let name = member[..<equals].trimmingWhitespace().lowercased()
            headers.removeAll { $0.name == name }
            // A name can hold a misplaced credential as well, so it is not shown either.
            if let wrong = Form<[Configuration.Header]>.wrong(withName: name, among: headers) {
                reading.mistake(variable: option.name, wrong.problem ?? "not a header name", wrong.expected)
                return []
            }
            headers.append(Configuration.Header(name: name, value: Secret(reference: "env:" + option.name, revealed: value)))
        }
        return headers
    }

    private static func pem(_ option: String, _ kind: PEMFile.Kind, _ reading: Reading) -> PEMFile? {
        guard let (name, path) = reading.exporterOption(option) else { return nil }
        do throws(Wrong) {
            return try PEMFile.read(path, kind, reading)
        } catch {
            reading.mistake(variable: name, error.problem ?? "not PEM", error.expected)
            return nil
        }
    }
}

extension Reading {
    /// `OTEL_EXPORTER_OTLP_TRACES_X`, else `OTEL_EXPORTER_OTLP_X`, with the name of the one that is set.
    fileprivate func exporterOption(_ option: String) -> (name: String, value: String)? {
        for name in ["OTEL_EXPORTER_OTLP_TRACES_\(option)", "OTEL_EXPORTER_OTLP_\(option)"] {
            if let value = variable(name) { return (name, value) }
        }
        return nil
    }
}
