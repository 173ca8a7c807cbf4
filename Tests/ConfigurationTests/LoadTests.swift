@testable import Configuration
import Foundation
import Testing
import Tracing

@Suite struct `A configuration` {
    @Test func `without a file and an environment is the design's defaults`() throws {
        let loaded = try Configuration.load(file: nil, environment: [:], read: { _ in nil })
        let configuration = loaded.configuration
        #expect(configuration == Configuration())
        #expect(loaded.warnings.isEmpty)
        #expect(configuration.gateway.listen.description == "127.0.0.1:8700")
        #expect(configuration.gateway.maxBody == 33_554_432)
        #expect(configuration.gateway.drain == .seconds(30))
        #expect(!configuration.gateway.requireKey)
        #expect(configuration.api.listen.description == "127.0.0.1:8701")
        #expect(configuration.api.token == nil)
        #expect(configuration.store.path == "hopspan.db")
        #expect(configuration.store.retention == .seconds(2_592_000))
        #expect(configuration.store.maxSize == 21_474_836_480)
        #expect(configuration.telemetry.otlp.isEmpty)
        #expect(configuration.telemetry.content == .none)
        #expect(configuration.telemetry.contentLimit == 65536)
        #expect(configuration.telemetry.runIdle == .seconds(60))
        #expect(configuration.telemetry.runWait == .seconds(600))
        #expect(configuration.telemetry.runHeaders == ["x-hopspan-run"])
        #expect(configuration.telemetry.sessionHeaders == ["x-session-id"])
        #expect(configuration.telemetry.linkContent)
        #expect(!configuration.telemetry.forwardBaggage)
        let timeout = Configuration.Provider().timeout
        #expect(timeout.connect == .seconds(5) && timeout.firstByte == .seconds(600) && timeout.idle == .seconds(300) && timeout.total == nil)
        #expect(configuration.openTelemetry.serviceName == "hopspan")
        #expect(configuration.openTelemetry.batch.delay == .seconds(1))
    }

    @Test(arguments: ["", "\n", "# nothing\n", "---\n", "{}", "gateway:\napi:\nstore:\ntelemetry:\n  otlp:\nproviders:\n", "\u{FEFF}store: {}\n"])
    func `of nothing but empty places is the defaults`(text: String) throws {
        #expect(try load(text) == Configuration())
    }

    /// The block of the design, less what is not in this build.
    static let design = """
        gateway:
          listen: 127.0.0.1:8700
          tls: { certificate: cert.pem, key: key.pem, client_ca: ca.pem }      # default: none
          max_body: 32MiB
          drain: 30s
          require_key: false              # true: only callers with a virtual key
        api: { listen: 127.0.0.1:8701, token: env:HOPSPAN_API_TOKEN }          # token default: none
        store: { path: hopspan.db, retention: 30d, max_size: 20GiB }           # path ":memory:" keeps nothing on disk
        telemetry:
          otlp:                           # one, or a list: each destination has its own cursor
            - { endpoint: http://127.0.0.1:4318, protocol: http/protobuf, compression: gzip, headers: { x-key: env:KEY }, batch_delay: 1s, ca: ca.pem }
          content: none                   # none | redacted | full
          content_limit: 64KiB            # per attribute
          run_idle: 60s
          run_headers: [x-hopspan-run]
          session_headers: [x-session-id] # become gen_ai.conversation.id and session.id; never merge runs
          forward_baggage: false          # to LLM providers; MCP servers and A2A agents always get it
        providers:
          openai: { base_url: https://api.openai.com, credential: env:OPENAI_API_KEY, timeout: { connect: 5s, first_byte: 10m, idle: 5m, total: none }, ca: ca.pem }
          local: { dialect: openai, base_url: http://127.0.0.1:11434, stream_usage: true, price_as: openai, prices: { llama3: { input: "0.10", output: "0.20" } } }
        """
    static let environment = ["HOPSPAN_API_TOKEN": "tok-1", "KEY": "key-2", "OPENAI_API_KEY": "sk-3\n"]

    @Test func `reads the design's own example`() throws {
        let configuration = try load(Self.design, path: "/etc/hopspan/hopspan.yaml", Self.environment)
        #expect(configuration.gateway.tls?.certificate.path == "/etc/hopspan/cert.pem")
        #expect(configuration.api.token?.revealed == "tok-1")
        #expect(configuration.store.path == "/etc/hopspan/hopspan.db")
        let destination = try #require(configuration.telemetry.otlp.first)
        #expect(destination.url.description == "http://127.0.0.1:4318/v1/traces")
        #expect(destination.compression == .gzip)
        #expect(destination.headers == [.init(name: "x-key", value: Secret(reference: "env:KEY", revealed: "key-2"))])
        #expect(destination.ca?.path == "/etc/hopspan/ca.pem")
        let openai = try #require(configuration.providers.first { $0.name == "openai" })
        #expect(openai.baseURL?.authority == "api.openai.com")
        #expect(openai.baseURL?.port == 443)
        #expect(openai.credential?.revealed == "sk-3")
        #expect(openai.timeout == Configuration.Timeout())
        #expect(openai.dialect == nil)
        let local = try #require(configuration.providers.first { $0.name == "local" })
        #expect(local.dialect == .openai)
        #expect(local.streamUsage == true)
        #expect(local.priceAs == "openai")
        #expect(local.prices.map(\.model) == ["llama3"])
        #expect(local.prices.map(\.rates) == [[.input: USD("0.1")!, .output: USD("0.2")!]])
    }

    @Test func `keeps a price exact, in quotes or not`() throws {
        let configuration = try load("providers: { x: { base_url: 'http://h', prices: { m: { input: 0.07499999999999, output: \"150\" } } } }")
        #expect(configuration.providers[0].prices[0][.input]?.description == "0.07499999999999")
        #expect(configuration.providers[0].prices[0][.output]?.description == "150")
    }

    @Test func `takes one destination without a list, and paths that already are the signal's`() throws {
        for (endpoint, url) in [
            ("http://c", "http://c/v1/traces"), ("http://c:4318/", "http://c:4318/v1/traces"), ("https://c/otlp/", "https://c/otlp/v1/traces"),
            ("https://c/api/v1/traces", "https://c/api/v1/traces"), ("https://c/x?org=1", "https://c/x/v1/traces?org=1"),
        ] {
            let read = try load("telemetry: { otlp: { endpoint: '\(endpoint)' } }").telemetry.otlp.map(\.url)
            #expect(read.map { "\($0.scheme)://\($0.authority)\($0.target)" } == [url])
        }
    }

    @Test func `numbers the cursors of destinations that nothing tells apart`() throws {
        let configuration = try load("telemetry: { otlp: [ { endpoint: http://a }, { endpoint: http://b }, { endpoint: http://a/ } ] }")
        #expect(configuration.cursorNames() == ["http://a/v1/traces", "http://b/v1/traces", "http://a/v1/traces#2"])
    }

    @Test func `names the cursors of destinations at one URL by what tells them apart, wherever they stand`() throws {
        let entries = [
            "{ endpoint: http://a }", "{ endpoint: http://a, headers: { x-tenant: one } }", "{ endpoint: http://a, headers: { x-tenant: two } }",
            "{ endpoint: http://a, headers: { x-key: env:ONE } }", "{ endpoint: http://a, headers: { x-key: env:TWO } }",
            "{ endpoint: 'http://a/?key=secret' }", "{ endpoint: http://a, certificate: c, key: k }",
        ]
        func names(_ entries: [String], one: String = "1") throws -> [String] {
            try load("telemetry: { otlp: [ \(entries.joined(separator: ", ")) ] }", ["ONE": one, "TWO": "1"]).cursorNames()
        }
        let all = try names(entries)
        #expect(Set(all).count == entries.count)
        #expect(all.allSatisfy { $0.split(separator: "#").first == "http://a/v1/traces" })
        #expect(try names(entries.reversed()) == all.reversed())
        #expect(try names(Array(entries.dropFirst(2))) == Array(all.dropFirst(2)))
        #expect(try names(entries, one: "another") == all, "a key that is replaced")
    }

    @Test func `resolves secrets from files, beside the configuration, without the line break`() throws {
        var asked: [String] = []
        let loaded = try Configuration.load(
            file: Array("api: { token: file:token }\nproviders: { openai: { credential: 'file:/run/key' } }".utf8), path: "conf/hopspan.yaml",
            environment: [:],
            read: { path in
                asked.append(path)
                return Array("from \(path)\r\n".utf8)
            })
        #expect(asked == ["conf/token", "/run/key"])
        #expect(loaded.configuration.api.token?.revealed == "from conf/token")
        #expect(loaded.configuration.api.token?.reference == "file:token")
    }

    @Test func `takes none where there may be no limit`() throws {
        let configuration = try load(
            "store: { retention: none, max_size: none }\nproviders: { openai: { timeout: { first_byte: none, idle: none, total: 1h30m } } }")
        #expect(configuration.store.retention == nil)
        #expect(configuration.store.maxSize == nil)
        let timeout = configuration.providers[0].timeout
        #expect(timeout.connect == .seconds(5) && timeout.firstByte == nil && timeout.idle == nil && timeout.total == .seconds(5400))
    }

    @Test func `refuses a file that is too large`() {
        #expect(throws: Mistakes.self) { try load(String(repeating: "#", count: (1 << 20) + 1)) }
    }

    @Test func `stops counting at a hundred mistakes`() throws {
        let text = (1...250).map { "key\($0): 1\n" }.joined()
        let error = #expect(throws: Mistakes.self) { try load(text) }
        #expect(error?.mistakes.count == 101)
        #expect(error?.mistakes.last?.problem == "and 150 more mistakes")
    }
}

@Suite struct `A reload` {
    @Test func `tells what changed, and what waits for a restart`() throws {
        let old = try load(`A configuration`.design, `A configuration`.environment)
        let text = `A configuration`.design
            .replacing("listen: 127.0.0.1:8700", with: "listen: 127.0.0.1:9700").replacing("path: hopspan.db", with: "path: other.db")
            .replacing("idle: 5m", with: "idle: 6m").replacing("\"0.20\"", with: "\"0.30\"").replacing("run_idle: 60s", with: "run_idle: 61s")
            .replacing("compression: gzip", with: "compression: none") + "\n  more: { base_url: http://127.0.0.1:1 }"
        let changes = old.changes(to: try load(text, `A configuration`.environment))
        #expect(
            changes.map(\.description) == [
                "gateway.listen (needs a restart)", "store.path (needs a restart)", "telemetry.otlp", "telemetry.run_idle",
                "providers.openai.timeout.idle", "providers.local.prices.llama3.output", "providers.more",
            ])
        #expect(old.changes(to: old).isEmpty)
    }

    @Test func `leaves in force what needs a restart, and no open api without its token`() throws {
        let old = try load("gateway: { listen: '127.0.0.1:1' }\napi: { listen: '0.0.0.0:2', token: env:T }\nstore: { path: a.db }", ["T": "t"])
        let new = try load("gateway: { drain: 1s }\nstore: { path: b.db, retention: 1d }\nproviders: { x: { base_url: 'http://x' } }")
        let taken = new.takenUp(by: old)
        #expect(taken.gateway.listen == old.gateway.listen && taken.api == old.api && taken.store.path == "a.db")
        #expect(taken.gateway.drain == .seconds(1) && taken.store.retention == .seconds(86_400) && taken.providers == new.providers)
        #expect(taken.changes(to: new).map(\.key) == ["gateway.listen", "api.listen", "api.token", "store.path"])
        #expect(taken.takenUp(by: old) == taken)
    }

    @Test func `sees a secret and a certificate that changed under the same name`() throws {
        let text = "gateway: { tls: { certificate: c, key: k } }\napi: { token: env:T }"
        func load(_ token: String, _ pem: String) throws -> Configuration {
            try Configuration.load(
                file: Array(text.utf8), environment: ["T": token],
                read: { _ in Array("-----BEGIN CERTIFICATE-----\(pem)-----BEGIN PRIVATE KEY-----".utf8) }
            ).configuration
        }
        #expect(try load("a", "1").changes(to: load("b", "1")).map(\.key) == ["api.token"])
        #expect(try load("a", "1").changes(to: load("a", "2")).map(\.key) == ["gateway.tls.certificate", "gateway.tls.key"])
        #expect(try load("a", "1").changes(to: Configuration()).map(\.key) == ["gateway.tls", "api.token"])
    }
}

@Suite struct `The configuration in force` {
    @Test func `is a JSON object with the file's keys, defaults filled in`() throws {
        let json = try load("store: { path: ':memory:' }").json
        let object = try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
        #expect(Set(object.keys) == ["gateway", "api", "store", "telemetry", "providers", "mcp", "a2a", "environment"])
        let store = try #require(object["store"] as? [String: Any])
        #expect(store as NSDictionary == ["path": ":memory:", "retention": "30d", "max_size": "20GiB"])
        #expect(json.hasPrefix(#"{"gateway":{"listen":"127.0.0.1:8700","tls":null,"max_body":"32MiB","drain":"30s","require_key":false,"hosts":[]},"#))
    }

    @Test func `shows no secret, whoever prints it`() throws {
        let text = `A configuration`.design.replacing("x-key: env:KEY", with: "x-key: env:KEY, x-team: literal-4")
            .replacing("http://127.0.0.1:4318", with: "'http://127.0.0.1:4318/?api_key=query-6'")
        let environment = [
            "HOPSPAN_API_TOKEN": "tok-1", "KEY": "key-2", "OPENAI_API_KEY": "sk-3", "HTTPS_PROXY": "http://user:pass-5@proxy:3128",
        ]
        let configuration = try load(text, environment)
        var dumped = ""
        dump(configuration, to: &dumped)
        for printed in [configuration.json, "\(configuration)", String(reflecting: configuration), dumped] {
            #expect(printed.contains("env:HOPSPAN_API_TOKEN") && printed.contains("env:OPENAI_API_KEY") && printed.contains("env:KEY"))
            for secret in ["tok-1", "key-2", "sk-3", "literal-4", "pass-5", "query-6", "bm90IGEgcmVhbCBrZXk"] { #expect(!printed.contains(secret)) }
        }
        #expect(configuration.json.contains(#""endpoint":"http://127.0.0.1:4318/v1/traces?…""#))
        #expect(configuration.json.contains(#""proxies":{"http":null,"https":"proxy:3128","exceptions":[]}"#))
    }

    @Test func `takes a program for an MCP server, and shows nothing of its environment`() throws {
        let text = """
            mcp:
              files: { command: [bin/server, "a b"], env: { MODE: literal-1, PATH: "env:PATH", API_KEY: env:KEY, NONE: "" } }
            """
        let loaded = try Configuration.load(file: Array(text.utf8), path: "/etc/hopspan/hopspan.yaml", environment: ["PATH": "/bin", "KEY": "key-2"], read: { _ in nil })
        let server = try #require(loaded.configuration.mcp.first)
        #expect(server.command == ["/etc/hopspan/bin/server", "a b"])
        #expect(server.environment.map { "\($0.name)=\($0.value.revealed)" } == ["MODE=literal-1", "PATH=/bin", "API_KEY=key-2", "NONE="])
        let json = loaded.configuration.json
        #expect(json.contains(#""command":["/etc/hopspan/bin/server","a b"],"env":{"MODE":"(set in the file)","PATH":"env:PATH","API_KEY":"env:KEY","NONE":"(set in the file)"}"#))
        #expect(json.contains(#""url":null"#) && !json.contains("literal-1") && !json.contains("key-2"))
    }

    @Test func `leaves out what this build does not act on`() throws {
        let json = Configuration().json
        #expect(json.contains("run_idle") && !json.contains("run_wait") && !json.contains("link_content"))
    }

    @Test func `escapes what JSON must escape`() {
        #expect(Written.text("a\"b\\c\u{1}\n\u{7F}é").json == #""a\"b\\c\u0001\u000a\u007fé""#)
    }
}

/// Certificates exist under every path.
func load(_ text: String, path: String = "hopspan.yaml", _ environment: [String: String] = [:]) throws(Mistakes) -> Configuration {
    let pem = "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\nbm90IGEgcmVhbCBrZXk=\n-----END PRIVATE KEY-----\n"
    return try Configuration.load(file: Array(text.utf8), path: path, environment: environment, read: { _ in Array(pem.utf8) }).configuration
}
