import Gateway
import LLM
import Peers
import Synchronization
import Testing

@Suite struct `A changed configuration` {
    @Test func `leaves no connection of the old one counted as idle`() async throws {
        let isAsked = Mailbox<Void>()
        let mayAnswer = Mailbox<Void>()
        let server = try PeerServer { peer in
            _ = try peer.readMessage()
            isAsked.put(())
            try mayAnswer.take()
            try peer.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
            _ = try peer.readToEnd()
        }
        var settings = try GatewaySettings.provider(server, isTLS: false)
        let gateway = try RunningGateway(settings)
        let caller = try Peer.connect(to: gateway.port)
        try caller.write("GET /local/a HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
        try isAsked.take()

        var other = ProviderSettings(name: "other", providerName: "other", dialect: .other, origin: settings.providers[0].origin)
        other.missingConfiguration = "its address"
        settings.providers.append(other)
        gateway.gateway.reconfigure(settings, catalogue: .bundled)
        while try !gateway.ask("/other/a", "connection: close\r\n").body.contains("its address") {}
        mayAnswer.put(())
        #expect(try caller.readMessage().body == "ok")
        await gateway.stop()
        #expect(gateway.gateway.counters.upstreams().allSatisfy { $0.idle == 0 })
    }
}
