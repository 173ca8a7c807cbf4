import Gateway
import HTTP
import LLM
import Peers
import Testing

@Suite struct `A connection that nobody uses` {
    @Test func `to an upstream is closed in time, and no longer counted`() async throws {
        let isClosed = Mailbox<Peer.Ending>()
        let server = try PeerServer { peer in
            _ = try peer.readMessage()
            try peer.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
            isClosed.put(try peer.readToEnd().ending)
        }
        var settings = try GatewaySettings.provider(server, isTLS: false)
        settings.upstreamIdleNanoseconds = 300_000_000
        let gateway = try RunningGateway(settings)
        #expect(try gateway.ask("/local/a").body == "ok")
        #expect(try isClosed.take() == .inOrder)
        for _ in 0..<2_000 where gateway.gateway.counters.upstreams().first?.idle != 0 { try await Task.sleep(nanoseconds: 5_000_000) }
        #expect(gateway.gateway.counters.upstreams().map(\.idle) == [0])
        await gateway.stop()
    }

    /// The time is the setting's, and nothing else closes one.
    @Test func `to an upstream is kept until then`() async throws {
        let server = try PeerServer(answering())
        var settings = try GatewaySettings.provider(server, isTLS: false)
        // It is looked at every 10 ms.
        settings.upstreamIdleNanoseconds = 100_000_000
        let looked = try RunningGateway(settings)
        settings.upstreamIdleNanoseconds = 3_600_000_000_000
        let kept = try RunningGateway(settings)
        _ = try kept.ask("/local/a")
        _ = try looked.ask("/local/a")
        for _ in 0..<2_000 where looked.gateway.counters.upstreams().first?.idle != 0 { try await Task.sleep(nanoseconds: 5_000_000) }
        #expect(kept.gateway.counters.upstreams().map(\.idle) == [1])
        await kept.stop()
        await looked.stop()
    }

    @Test(arguments: [false, true]) func `of a caller is closed in time, whether it has asked or not`(asks: Bool) async throws {
        let server = try PeerServer(answering())
        var settings = try GatewaySettings.provider(server, isTLS: false)
        settings.keepAliveNanoseconds = 200_000_000
        let gateway = try RunningGateway(settings)
        let caller = try Peer.connect(to: gateway.port)
        if asks {
            try caller.write("GET /local/a HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
            #expect(try caller.readMessage().body == "hello")
        }
        let end = try caller.readToEnd()
        #expect(end.bytes.isEmpty && end.ending == .inOrder)
        await gateway.stop()
    }
}
