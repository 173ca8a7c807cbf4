import Gateway
import HTTP
import Peers
import Synchronization
import Testing
import Tracing

@Suite struct `The gateway counts` {
    @Test func `names of runs that are none`() async throws {
        let server = try PeerServer(answering())
        let gateway = try RunningGateway(.provider(server, isTLS: false))
        let counters = gateway.gateway.counters
        for name in ["", String(repeating: "n", count: 129), "two words", "na\u{EF}ve"] {
            #expect(try gateway.ask("/local/x", "x-hopspan-run: \(name)\r\n").head.hasPrefix("HTTP/1.1 200 "))
            #expect(try !gateway.span().record.runIsNamed)
        }
        _ = try gateway.ask("/local/x", "baggage: run.id=two%20words\r\n")
        #expect(try !gateway.span().record.runIsNamed)
        #expect(counters.runNamesOfWrongLength.load(ordering: .relaxed) == 2)
        #expect(counters.runNamesOfWrongCharacters.load(ordering: .relaxed) == 3)
        _ = try gateway.ask("/local/x", "x-hopspan-run: \(String(repeating: "n", count: 128))\r\n")
        #expect(try gateway.span().record.runIsNamed)
        #expect(counters.runNamesOfWrongLength.load(ordering: .relaxed) + counters.runNamesOfWrongCharacters.load(ordering: .relaxed) == 5)
        await gateway.stop()
    }

    @Test func `connections that could not be made, and says why`() async throws {
        let gateway = try RunningGateway(.provider(Origin(isTLS: false, host: "127.0.0.1", port: 1)))
        #expect(gateway.gateway.counters.upstreams().isEmpty)
        #expect(try gateway.ask("/local/x").head.hasPrefix("HTTP/1.1 502 "))
        let upstream = try #require(gateway.gateway.counters.upstreams().first)
        #expect(upstream.failures == 1)
        #expect(upstream.lastFailure?.contains("providers.local.base_url") == true)
        await gateway.stop()
    }

    @Test func `a certificate that it does not believe as such a failure`() async throws {
        let server = try PeerServer(tls: .testServer("stranger"), answering())
        let gateway = try RunningGateway(.provider(server))
        #expect(try gateway.ask("/local/x").head.hasPrefix("HTTP/1.1 502 "))
        #expect(gateway.gateway.counters.upstreams().first?.lastFailure?.contains("certificate") == true)
        await gateway.stop()
    }

    @Test func `requests that would use its credential from elsewhere`() async throws {
        let server = try PeerServer(answering())
        var settings = try GatewaySettings.provider(server, isTLS: false)
        settings.providers[0].credential = "secret"
        let gateway = try RunningGateway(settings)
        let caller = try Peer.connect(to: gateway.port)
        try caller.write("GET /local/x HTTP/1.1\r\nhost: evil.example\r\n\r\n")
        #expect(try caller.readMessage().head.hasPrefix("HTTP/1.1 403 "))
        #expect(gateway.gateway.counters.foreignHosts.load(ordering: .relaxed) == 1)
        #expect(server.accepted == 0)
        await gateway.stop()
    }
}
