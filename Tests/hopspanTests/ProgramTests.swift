import Configuration
import EventLoop
import Foundation
import HTTP
import LLM
import Peers
import Store
import Synchronization
import TLS
import Testing

@testable import Export
@testable import Gateway
@testable import QueryAPI
@testable import hopspan

@Suite struct `A program` {
    /// Of everything on ports of its own and nothing on disk.
    private func configuration(_ more: String = "") throws -> Configuration {
        let file = "gateway: { listen: '127.0.0.1:0' }\napi: { listen: '127.0.0.1:0' }\nstore: { path: ':memory:' }\n" + more
        return try Configuration.load(file: Array(file.utf8), environment: ["OTEL_LOG_LEVEL": "none"]) { _ in nil }.configuration
    }

    @Test func `is gone once it has stopped`() async throws {
        weak var left: Program?
        do {
            let program = try Program(try configuration())
            left = program
            #expect(left != nil)
            await program.stop()
        }
        #expect(left == nil)
    }

    @Test func `counts failed handshakes where its health is shown`() async throws {
        let program = try Program(try configuration())
        program.gateway.counters.failedHandshakes.add(3, ordering: .relaxed)
        #expect(GatewayState(program.gateway).failedHandshakes == 3)
        await program.stop()
    }
}

@Suite struct `A reload` {
    @Test func `does not read the system's certificates again`() throws {
        let contexts = TLSContexts()
        let first = try GatewaySettings(Configuration(), contexts).upstreamTLS
        #expect(first != nil)
        #expect(try GatewaySettings(Configuration(), contexts).upstreamTLS === first)
    }

    private static func file(_ more: String, token: String = "T1", listen: String = "127.0.0.1:0", otlp: String = "http://127.0.0.1:9") -> String {
        """
        gateway: { listen: '127.0.0.1:0', drain: \(more) }
        api: { listen: '\(listen)', token: env:\(token) }
        store: { path: ':memory:' }
        telemetry: { otlp: { endpoint: \(otlp) } }
        """
    }

    @Test func `takes a new token and a new time to drain`() async throws {
        let program = try Program(try read(Self.file("30s")))
        func status(_ token: String) throws -> Int { try ask(program, token) }
        #expect(try status("t-1") == 200)
        #expect(try status("t-2") == 401)
        #expect(try program.reconfigure(read(Self.file("7s", token: "T2")), importedPrices: nil).isEmpty)
        #expect(try status("t-1") == 401)
        #expect(try status("t-2") == 200)
        #expect(program.gateway.drainNanoseconds.load(ordering: .relaxed) == 7_000_000_000)
        await program.stop()
    }

    @Test func `says what waits for a restart, again and again, and shows what is in force`() async throws {
        let program = try Program(try read(Self.file("30s")))
        let wanted = Self.file("7s").replacing("gateway: { listen: '127.0.0.1:0'", with: "gateway: { listen: '127.0.0.1:4711'").replacing(":memory:", with: "other.db")
        for _ in 1...2 { #expect(try program.reconfigure(read(wanted), importedPrices: nil) == ["gateway.listen", "store.path"]) }
        #expect(program.configuration.json.contains(#""gateway":{"listen":"127.0.0.1:0""#))
        #expect(program.configuration.json.contains(#""drain":"7s""#))
        #expect(program.configuration.store.path == ":memory:")
        await program.stop()
    }

    @Test func `that fails changes nothing`() async throws {
        let certificates = try Certificates.shared()
        let program = try Program(try read(Self.file("30s")))
        let before = program.configuration
        // A PEM block that is none.
        let bad = FileManager.default.temporaryDirectory.appending(path: "hopspan-\(UUID().uuidString).pem")
        try "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".write(to: bad, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: bad) }
        for text in [
            Self.file("7s", otlp: "'https://127.0.0.1:9', ca: \(bad.path)"),
            Self.file("7s", otlp: "http://127.0.0.1:10").replacing("drain:", with: "tls: { certificate: \(certificates.path("server.pem")), key: \(certificates.path("client.key")) }, drain:"),
        ] {
            let wanted = try read(text)
            #expect(throws: StartFailure.self) { try program.reconfigure(wanted, importedPrices: nil) }
            #expect(program.configuration == before)
            #expect(program.gateway.drainNanoseconds.load(ordering: .relaxed) == 30_000_000_000)
            #expect(program.exporters.health().map(\.name) == ["http://127.0.0.1:9/v1/traces"])
            #expect(!wanted.startFailures().isEmpty, "check says so too")
        }
        #expect(before.startFailures().isEmpty)
        await program.stop()
    }

    /// What the api says to who has this token.
    private func ask(_ program: Program, _ token: String) throws -> Int {
        let answer = try HTTPClient.sendBlocking(
            HTTPClientRequest(.get, Origin(isTLS: false, host: "127.0.0.1", port: program.api.address.port), target: "/api/config", headers: ["authorization": "Bearer \(token)"]))
        return answer.status
    }
}

@Suite struct `A configuration's file` {
    @Test func `may name a provider that only the imported prices have`() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "hopspan-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "hopspan.yaml").path
        try "store: { path: hopspan.db }\nproviders: { own: { base_url: 'http://o', price_as: newcomer } }".write(toFile: path, atomically: true, encoding: .utf8)
        #expect(throws: Failure.self) { try Configuration.read(path, environment: [:]) }
        let prices = #"{"providers":{"newcomer":{"models":{"m":{"input":"1"}}}}}"#
        try prices.write(to: folder.appending(path: "prices.json"), atomically: true, encoding: .utf8)
        let configuration = try Configuration.read(path, environment: [:]).configuration
        #expect(try configuration.catalogue().entry(provider: "own", model: "m")?.provider == "newcomer")
    }
}

@Suite struct `An exporter's health` {
    @Test func `has what the store deleted before the destination had it, and how long it waits`() {
        var health = ExporterHealth(name: "http://c/v1/traces?key=1#2", destination: "http://c/v1/traces")
        health.backoff = .milliseconds(1_500)
        var store = StoreHealth()
        store.retiredUnexported = ["http://c/v1/traces?key=1": 4, "http://c/v1/traces?key=1#2": 5]
        let state = ExporterState(health, store)
        #expect(state.retired == 5)
        #expect(state.backoff == 1_500_000_000)
        #expect(state.destination == "http://c/v1/traces")
    }
}

/// Files are those of the disk.
private func read(_ text: String) throws -> Configuration {
    try Configuration.load(file: Array(text.utf8), environment: ["OTEL_LOG_LEVEL": "none", "KEY": "k-1", "T1": "t-1", "T2": "t-2"]) { path in
        (try? Data(contentsOf: URL(filePath: path))).map { [UInt8]($0) }
    }.configuration
}

@Suite struct `A provider that has several names` {
    private func provider(_ name: String, of settings: GatewaySettings) -> ProviderSettings? {
        let bytes = Array(name.utf8)
        return settings.provider(named: unsafe bytes.span.bytes)  // sound: the array outlives the call
    }

    @Test(arguments: [
        ("mistral", "mistral_ai"), ("mistral_ai", "mistral"), ("mistral", "mistral"), ("mistralai", "mistral"), ("azure", "azure.ai.openai"), ("grok", "xai"),
    ]) func `is reached as it is configured, whichever of them is called`(configured: String, called: String) throws {
        let configuration = try read("providers: { \(configured): { base_url: 'http://proxy.internal:81/p', credential: env:KEY } }")
        let provider = try #require(provider(called, of: try GatewaySettings(configuration, TLSContexts())))
        #expect(provider.origin.host == "proxy.internal")
        #expect(provider.pathPrefix == "/p")
        #expect(provider.credential == "k-1")
        #expect(provider.name == called)
        #expect(provider.providerName == Provider.named(called)?.name.description)
    }

    @Test func `may have an entry for each`() throws {
        let configuration = try read("providers: { azure: { base_url: 'http://one' }, azure_openai: { base_url: 'http://two' } }")
        let settings = try GatewaySettings(configuration, TLSContexts())
        for (called, host) in [("azure", "one"), ("azure_openai", "two"), ("azure.ai.openai", "one")] {
            #expect(provider(called, of: settings)?.origin.host == host)
        }
    }

    @Test(arguments: Provider.all.flatMap { provider in Provider.names(of: provider).map { (provider.name.description, $0) } })
    func `has the prices of its entry by all of them`(provider: String, configured: String) throws {
        let configuration = try read(
            "providers: { \(configured): { base_url: 'http://h', prices: { my-deployment: { input: '1' } } }, own: { base_url: 'http://o', price_as: openai } }")
        let catalogue = try PriceCatalogue.of(configuration, imported: nil)
        let entry = try #require(catalogue.entry(provider: provider, model: "my-deployment"))
        #expect(entry.match == .configured)
        #expect(catalogue.entry(provider: "own", model: "gpt-4o")?.provider == "openai")
    }

    @Test func `is priced as another where its entry says so`() throws {
        let configuration = try read("providers: { mistral: { price_as: openai }, mistral_ai: { price_as: anthropic, prices: { m: { input: '1' } } } }")
        let catalogue = try PriceCatalogue.of(configuration, imported: nil)
        #expect(catalogue.entry(provider: "mistral_ai", model: "gpt-4o")?.provider == "openai")
        #expect(catalogue.entry(provider: "mistral_ai", model: "m")?.match == .configured)
    }
}

@Suite struct `A provider as configured` {
    private func settings(_ providers: String) throws -> [ProviderSettings] {
        let file = "providers: \(providers)"
        let configuration = try Configuration.load(file: Array(file.utf8), environment: [:], providers: .known(.bundled)) { _ in nil }.configuration
        return try GatewaySettings(configuration, TLSContexts()).providers
    }

    /// OpenAI, Azure, and whoever is said to speak OpenAI's dialect, unless `stream_usage: false`.
    @Test(arguments: [
        ("{ openai: {} }", true), ("{ openai: { stream_usage: false } }", false), ("{ groq: { dialect: openai } }", true),
        ("{ together: { dialect: openai, stream_usage: false } }", false), ("{ local: { dialect: openai, base_url: 'http://127.0.0.1:1' } }", true),
        ("{ local: { dialect: openai, base_url: 'http://127.0.0.1:1', stream_usage: false } }", false),
        ("{ local: { dialect: anthropic, base_url: 'http://127.0.0.1:1' } }", false),
    ]) func `is asked for the usage of streams where it takes that`(providers: String, asks: Bool) throws {
        #expect(try settings(providers).map(\.asksForStreamUsage) == [asks])
    }
}
