@testable import Configuration
import Foundation
import Testing

@Suite struct `The reference configuration` {
    static let page = FixtureFolder.repository.appending(path: "otel/hopspan.yaml")

    /// `RECORD=1` prints it anew.
    @Test func `is what the table prints`() throws {
        if ProcessInfo.processInfo.environment["RECORD"] == "1" {
            try Configuration.reference.write(to: Self.page, atomically: true, encoding: .utf8)
        }
        #expect(try String(contentsOf: Self.page, encoding: .utf8) == Configuration.reference)
    }

    @Test func `is the defaults as it stands`() throws {
        let loaded = try Configuration.load(file: [UInt8](Data(contentsOf: Self.page)), environment: [:], read: { _ in nil })
        #expect(loaded.configuration == Configuration())
        #expect(loaded.warnings.isEmpty)
    }

    @Test func `holds only true defaults, and examples that are taken, once the hashes are gone`() throws {
        let lines = Configuration.reference.split(separator: "\n", omittingEmptySubsequences: false).map { line -> String in
            guard let hash = line.firstIndex(of: "#"), line[..<hash].allSatisfy({ $0 == " " }) else { return String(line) }
            let rest = line[line.index(after: hash)...]
            let isProse = rest.isEmpty || (rest.first == " " && rest.dropFirst().first != " ")
            return isProse ? String(line) : String(line[..<hash] + rest)
        }
        let environment = ["HOPSPAN_API_TOKEN": "t", "OPENAI_API_KEY": "k", "KEY": "v", "WEATHER_TOKEN": "w", "RESEARCHER_TOKEN": "r"]
        let pem = Array("-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\n".utf8)
        let known = KnownProviders(havePublicHost: { $0 == "openai" }, havePrices: { $0 == "openai" })
        let loaded = try Configuration.load(
            file: Array(lines.joined(separator: "\n").utf8), environment: environment, providers: known, read: { _ in pem })
        var configuration = loaded.configuration
        // The examples …
        #expect(configuration.gateway.tls?.clientCA?.path == "ca.pem")
        #expect(configuration.gateway.hosts == ["hopspan.example.com"])
        #expect(configuration.api.token?.revealed == "t")
        #expect(configuration.telemetry.otlp.map(\.url.description) == ["http://127.0.0.1:4318/v1/traces"])
        #expect(configuration.telemetry.otlp.first?.headers.map(\.name) == ["x-key"])
        #expect(configuration.providers.map(\.name) == ["openai"])
        #expect(configuration.providers.first?.prices.first?.rates.count == Configuration.Rate.allCases.count)
        #expect(configuration.providers.first?.timeout == Configuration.Timeout())
        // … and without them, the defaults.
        configuration.gateway.tls = nil
        configuration.gateway.hosts = []
        configuration.api.token = nil
        configuration.api.hosts = []
        configuration.telemetry.otlp = []
        configuration.providers = []
        #expect(configuration.mcp.map(\.name) == ["weather"])
        configuration.mcp = []
        #expect(configuration.a2a.map(\.name) == ["researcher"])
        configuration.a2a = []
        #expect(configuration == Configuration())
    }

    @Test func `and the help name every key of the design`() {
        let keys = [
            "gateway.listen: 127.0.0.1:8700", "gateway.tls", "gateway.max_body: 32MiB", "gateway.drain: 30s", "gateway.require_key: false",
            "gateway.hosts", "api.listen: 127.0.0.1:8701", "api.token", "api.hosts", "store.path: hopspan.db", "store.retention: 30d",
            "store.max_size: 20GiB", "telemetry.otlp", "telemetry.otlp[].endpoint", "telemetry.otlp[].protocol: http/protobuf",
            "telemetry.otlp[].compression: gzip", "telemetry.otlp[].headers", "telemetry.otlp[].batch_delay: 1s", "telemetry.otlp[].ca",
            "telemetry.content: none", "telemetry.content_limit: 64KiB", "telemetry.run_idle: 60s", "telemetry.run_wait: 10m",
            "telemetry.run_headers: [x-hopspan-run]", "telemetry.session_headers: [x-session-id]", "telemetry.link_content: true",
            "telemetry.forward_baggage: false", "providers.openai.base_url", "providers.openai.credential", "providers.openai.dialect",
            "providers.openai.timeout.connect: 5s", "providers.openai.timeout.first_byte: 10m", "providers.openai.timeout.idle: 5m",
            "providers.openai.timeout.total: none", "providers.openai.ca", "providers.openai.stream_usage", "providers.openai.price_as",
            "providers.openai.prices.llama3.input",
        ]
        let lines = Set(Configuration.help.split(separator: "\n").map(String.init))
        for key in keys { #expect(lines.contains(key)) }
    }

    @Test func `says of each key that is not in this build that it is not`() {
        for key in NotInThisBuild.keys {
            let text = "\(key.split(separator: ".").reversed().reduce("{}") { "{ \($1): \($0) }" })"
            #expect(throws: Mistakes.self) { try Configuration.load(file: Array(text.utf8), environment: [:], read: { _ in nil }) }
            #expect(Configuration.reference.contains(key.split(separator: ".").last!))
        }
    }
}

enum FixtureFolder {
    static let tests = URL(filePath: #filePath).deletingLastPathComponent()
    static let repository = tests.deletingLastPathComponent().deletingLastPathComponent()
}
