@testable import Configuration
import Testing

/// OpenTelemetry specification 1.60, Environment Variable Specification and OTLP Exporter Configuration.
@Suite struct `The OTEL environment` {
    /// Loads with these variables, no file, and certificates under every path but `nowhere`.
    private func load(_ environment: [String: String], file: String? = nil) throws(Mistakes) -> Configuration.Loaded {
        try Configuration.load(
            file: file.map { Array($0.utf8) }, environment: environment,
            read: { $0 == "nowhere" ? nil : Array("-----BEGIN CERTIFICATE-----\n-----BEGIN EC PRIVATE KEY-----".utf8) })
    }

    private func destination(_ environment: [String: String]) throws -> Configuration.Destination? {
        try load(environment).configuration.telemetry.otlp.first
    }

    // MARK: where to

    @Test(arguments: [
        (["OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"], "http://c:4318/v1/traces"),
        (["OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318/mycoll/"], "http://c:4318/mycoll/v1/traces"),
        (["OTEL_EXPORTER_OTLP_ENDPOINT": "https://c/mycoll"], "https://c/mycoll/v1/traces"),
        (["OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"], "http://c/v1/traces"),
        (["OTEL_EXPORTER_OTLP_ENDPOINT": "http://c/?tenant=a"], "http://c/v1/traces?tenant=a"),
        (["OTEL_EXPORTER_OTLP_ENDPOINT": "http://[::1]:4318"], "http://[::1]:4318/v1/traces"),
        (["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:4318"], "http://c:4318/"),
        (["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c/in?x=1", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://d"], "http://c/in?x=1"),
        (["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://d"], "http://d/v1/traces"),
        (["OTEL_TRACES_EXPORTER": "otlp"], "http://localhost:4318/v1/traces"),
        (["OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"], "http://localhost:4318/v1/traces"),
        (["OTEL_TRACES_EXPORTER": " OTLP ", "OTEL_EXPORTER_OTLP_ENDPOINT": " http://c "], "http://c/v1/traces"),
    ]) func `names the destination`(environment: [String: String], url: String) throws {
        let found = try destination(environment)?.url
        #expect(found.map { "\($0.scheme)://\($0.authority)\($0.target)" } == url)
    }

    @Test(arguments: [
        [:], ["OTEL_EXPORTER_OTLP_ENDPOINT": ""], ["OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"],
        ["OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://c"], ["OTEL_SDK_DISABLED": "True", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"],
    ]) func `exports nothing when nothing is named, or it is switched off`(environment: [String: String]) throws {
        #expect(try destination(environment) == nil)
    }

    @Test func `has the specification's defaults for a destination`() throws {
        let destination = try #require(try destination(["OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"]))
        #expect(destination.compression == .none)
        #expect(destination.timeout == .seconds(10))
        #expect(destination.batchDelay == .seconds(1))
        #expect(destination.headers.isEmpty && destination.ca == nil && destination.certificate == nil && destination.key == nil)
        #expect(destination.source == .environment)
    }

    @Test func `lets what is set for traces win over what is set for all signals`() throws {
        let general = [
            "OTEL_EXPORTER_OTLP_ENDPOINT": "https://c", "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip", "OTEL_EXPORTER_OTLP_TIMEOUT": "2500",
            "OTEL_EXPORTER_OTLP_HEADERS": "a=1", "OTEL_EXPORTER_OTLP_CERTIFICATE": "general-ca", "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": "cc",
            "OTEL_EXPORTER_OTLP_CLIENT_KEY": "ck", "OTEL_BSP_SCHEDULE_DELAY": "250",
        ]
        let first = try #require(try destination(general))
        #expect(first.compression == .gzip)
        #expect(first.timeout == .milliseconds(2500))
        #expect(first.ca?.path == "general-ca" && first.certificate?.path == "cc" && first.key?.path == "ck")
        #expect(first.batchDelay == .milliseconds(250))
        let second = try #require(
            try destination(
                general.merging([
                    "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION": "none", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT": "0", "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "b=2",
                    "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE": "traces-ca",
                ]) { $1 }))
        #expect(second.compression == .none)
        #expect(second.timeout == .seconds(30))
        #expect(second.headers.map(\.name) == ["b"])
        #expect(second.ca?.path == "traces-ca")
    }

    /// The exporter's time-out, the batch processor's, and what holds; 0 is none.
    @Test(arguments: [(nil, nil, 10_000), (nil, "4000", 4_000), ("2500", "4000", 2_500), ("60000", nil, 30_000), ("0", "4000", 4_000), ("0", "0", nil), ("60000", "0", 60_000)] as [(String?, String?, Int?)])
    func `gives an export the shorter of its two time-outs`(exporter: String?, batch: String?, holds: Int?) throws {
        var environment = ["OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"]
        environment["OTEL_EXPORTER_OTLP_TIMEOUT"] = exporter
        environment["OTEL_BSP_EXPORT_TIMEOUT"] = batch
        #expect(try destination(environment)?.timeout == holds.map { .milliseconds($0) })
    }

    @Test func `leaves a time-out that the file sets as it is`() throws {
        let file = "telemetry: { otlp: [ { endpoint: http://f }, { endpoint: http://g, timeout: 20s }, { endpoint: http://h, timeout: none } ] }"
        func timeouts(_ environment: [String: String]) throws -> [Duration?] { try load(environment, file: file).configuration.telemetry.otlp.map(\.timeout) }
        #expect(try timeouts([:]) == [.seconds(10), .seconds(20), nil])
        #expect(try timeouts(["OTEL_BSP_EXPORT_TIMEOUT": "4000"]) == [.seconds(4), .seconds(20), nil])
    }

    @Test(arguments: [
        ("Authorization=Basic%20YTpi==", [("authorization", "Basic YTpi==")]),
        (" a = 1 , b=%C3%A9 ,, A=3", [("b", "é"), ("a", "3")]),
        ("k=v=w", [("k", "v=w")]),
    ]) func `percent-decodes headers`(text: String, headers: [(String, String)]) throws {
        let destination = try #require(try destination(["OTEL_EXPORTER_OTLP_HEADERS": text]))
        #expect(destination.headers.map { [$0.name, $0.value.revealed] } == headers.map { [$0.0, $0.1] })
        #expect(destination.headers.allSatisfy { $0.value.reference == "env:OTEL_EXPORTER_OTLP_HEADERS" })
    }

    @Test func `gives way to telemetry.otlp in the file, right or wrong`() throws {
        let environment = ["OTEL_EXPORTER_OTLP_ENDPOINT": "nonsense", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_BSP_SCHEDULE_DELAY": "5000"]
        let file = try load(environment, file: "telemetry: { otlp: [ { endpoint: http://f }, { endpoint: http://g, batch_delay: 2s } ] }").configuration
        #expect(file.telemetry.otlp.map(\.url.authority) == ["f", "g"])
        #expect(file.telemetry.otlp.map(\.batchDelay) == [.seconds(5), .seconds(2)])
        #expect(try load(environment, file: "telemetry: { otlp: [] }").configuration.telemetry.otlp.isEmpty)
        #expect(try load(["OTEL_EXPORTER_OTLP_ENDPOINT": "http://e"], file: "telemetry: { otlp: }").configuration.telemetry.otlp.map(\.url.authority) == ["e"])
        let warned = try load(["OTEL_TRACES_EXPORTER": "none"], file: "telemetry: { otlp: { endpoint: http://f } }")
        #expect(warned.configuration.telemetry.otlp.count == 1)
        #expect(warned.warnings.map(\.key) == ["OTEL_TRACES_EXPORTER"])
        let disabled = try load(["OTEL_SDK_DISABLED": "true"], file: "telemetry: { otlp: { endpoint: http://f } }")
        #expect(disabled.configuration.telemetry.otlp.isEmpty)
        #expect(disabled.warnings.map(\.key) == ["OTEL_SDK_DISABLED"])
    }

    // MARK: the resource

    @Test(arguments: [
        ([:], "hopspan", []),
        (["OTEL_SERVICE_NAME": "edge"], "edge", []),
        (["OTEL_RESOURCE_ATTRIBUTES": "service.name=a,team=x"], "a", ["team=x"]),
        (["OTEL_SERVICE_NAME": "edge", "OTEL_RESOURCE_ATTRIBUTES": "service.name=a"], "edge", []),
        (["OTEL_RESOURCE_ATTRIBUTES": " k%2C1 = v%3D1 , a=1,a=2,, e="], "hopspan", ["k,1=v=1", "a=2", "e="]),
        (["OTEL_RESOURCE_ATTRIBUTES": "a=1,b=%zz"], "hopspan", []),
        (["OTEL_RESOURCE_ATTRIBUTES": "a=1,b"], "hopspan", []),
        (["OTEL_RESOURCE_ATTRIBUTES": "service.name="], "hopspan", []),
    ]) func `names the resource`(environment: [String: String], service: String, attributes: [String]) throws {
        let openTelemetry = try load(environment).configuration.openTelemetry
        #expect(openTelemetry.serviceName == service)
        #expect(openTelemetry.resourceAttributes.map { "\($0.key)=\($0.value)" } == attributes)
    }

    // MARK: sampler, propagators, limits

    @Test(arguments: [
        (nil, nil, OpenTelemetry.Sampler(root: .alwaysOn, isParentBased: true)),
        ("always_on", "0", .init(root: .alwaysOn, isParentBased: false)),
        ("Always_Off", nil, .init(root: .alwaysOff, isParentBased: false)),
        ("traceidratio", "0.25", .init(root: .traceIDRatio(0.25), isParentBased: false)),
        ("traceidratio", nil, .init(root: .traceIDRatio(1), isParentBased: false)),
        ("parentbased_traceidratio", "1e-3", .init(root: .traceIDRatio(0.001), isParentBased: true)),
        ("parentbased_traceidratio", "1.5", .init(root: .traceIDRatio(1), isParentBased: true)),
        ("parentbased_traceidratio", "nan", .init(root: .traceIDRatio(1), isParentBased: true)),
        ("parentbased_always_off", nil, .init(root: .alwaysOff, isParentBased: true)),
        (nil, "0.5", .init(root: .alwaysOn, isParentBased: true)),
    ] as [(String?, String?, OpenTelemetry.Sampler)])
    func `chooses the sampler`(name: String?, argument: String?, sampler: OpenTelemetry.Sampler) throws {
        var environment: [String: String] = [:]
        environment["OTEL_TRACES_SAMPLER"] = name
        environment["OTEL_TRACES_SAMPLER_ARG"] = argument
        #expect(try load(environment).configuration.openTelemetry.sampler == sampler)
    }

    @Test func `chooses the propagators`() throws {
        #expect(try load([:]).configuration.openTelemetry.propagatesBaggage)
        #expect(try load(["OTEL_PROPAGATORS": "baggage, TraceContext,baggage"]).configuration.openTelemetry.propagatesBaggage)
        #expect(try !load(["OTEL_PROPAGATORS": "tracecontext"]).configuration.openTelemetry.propagatesBaggage)
    }

    @Test func `sets limits, the span's own before the general`() throws {
        let limits = try load([
            "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "100", "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT": "50", "OTEL_ATTRIBUTE_COUNT_LIMIT": "64",
            "OTEL_SPAN_EVENT_COUNT_LIMIT": "1", "OTEL_SPAN_LINK_COUNT_LIMIT": "2", "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT": "3",
            "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT": "0",
        ]).configuration.openTelemetry.limits
        #expect(limits.attributeValueLength == 50)
        #expect(limits.attributeCount == 64)
        #expect(limits.eventCount == 1 && limits.linkCount == 2 && limits.attributesPerEvent == 3 && limits.attributesPerLink == 0)
        #expect(try load([:]).configuration.openTelemetry.limits == OpenTelemetry.SpanLimits())
    }

    @Test func `sets the batches, but no queue`() throws {
        let loaded = try load(["OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "100", "OTEL_BSP_EXPORT_TIMEOUT": "1000", "OTEL_BSP_MAX_QUEUE_SIZE": "1"])
        #expect(loaded.configuration.openTelemetry.batch.maxSpans == 100)
        #expect(loaded.configuration.openTelemetry.batch.exportTimeout == .seconds(1))
        #expect(loaded.warnings.map(\.key) == ["OTEL_BSP_MAX_QUEUE_SIZE"])
    }

    // MARK: trouble

    @Test(arguments: [
        ("OTEL_BSP_SCHEDULE_DELAY", "soon"), ("OTEL_BSP_SCHEDULE_DELAY", "-1"), ("OTEL_BSP_SCHEDULE_DELAY", "1.5"),
        ("OTEL_BSP_EXPORT_TIMEOUT", "99999999999999999999"), ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "many"), ("OTEL_SDK_DISABLED", "1"),
        ("OTEL_RESOURCE_ATTRIBUTES", "=v"), ("OTEL_METRICS_EXPORTER", "otlp"), ("OTEL_LOGS_EXPORTER", "console"),
    ]) func `warns and goes on`(variable: String, value: String) throws {
        let loaded = try load([variable: value])
        #expect(loaded.configuration == Configuration())
        #expect(loaded.warnings.map(\.key) == [variable])
    }

    @Test(arguments: [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"), ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json"), ("OTEL_TRACES_EXPORTER", "zipkin"),
        ("OTEL_TRACES_EXPORTER", "otlp,console"), ("OTEL_TRACES_EXPORTER", "none,otlp"), ("OTEL_PROPAGATORS", "b3"), ("OTEL_PROPAGATORS", "none"),
        ("OTEL_PROPAGATORS", "baggage"), ("OTEL_TRACES_SAMPLER", "jaeger_remote"), ("OTEL_CONFIG_FILE", "otel.yaml"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:not-be-shown@c"), ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "unix:///run/otel"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "not-be-shown"), ("OTEL_EXPORTER_OTLP_HEADERS", "a=not-be-shown%0A"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "not-be-shown here=1"), ("OTEL_EXPORTER_OTLP_HEADERS", "Host=x"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "nowhere"), ("OTEL_EXPORTER_OTLP_CLIENT_KEY", "key.pem"), ("OTEL_LOG_LEVEL", "chatty"),
        ("HTTPS_PROXY", "https://proxy:443"), ("http_proxy", "http://:not-be-shown@"), ("https_proxy", "http://a:%zz@proxy"),
    ]) func `stops the start`(variable: String, value: String) throws {
        let error = #expect(throws: Mistakes.self) { try load([variable: value]) }
        #expect(error?.mistakes.map(\.key) == [variable])
        #expect(error?.description.hasPrefix("environment: \(variable): ") == true)
        #expect(error?.description.contains("not-be-shown") == false)
    }
}
