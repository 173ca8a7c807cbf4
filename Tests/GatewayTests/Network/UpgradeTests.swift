import Gateway
import Peers
import Testing

@Suite struct `An offer to speak another protocol` {
    /// As clients make it, and whether the exchange would be nothing without it.
    @Test(arguments: [
        // Java's HttpClient, to every http URL.
        ("Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAEAAEAAAAIAAAAA\r\nUpgrade: h2c\r\n", false),
        ("Connection: upgrade\r\nUpgrade: TLS/1.2, HTTP/2.0\r\n", false), ("Connection: upgrade\r\nUpgrade: x-websocket\r\n", false),
        ("Upgrade: websocket\r\n", false), ("Connection: upgrade\r\n", false),
        ("Connection: Upgrade\r\nUpgrade: WebSocket\r\n", true), ("Connection: keep-alive, upgrade\r\nUpgrade: h2c, websocket/13\r\n", true),
        ("Connection: upgrade\r\nUpgrade: h2c\r\nUpgrade: websocket\r\n", true), ("Upgrade: a,\twebsocket ,b\r\nConnection: UPGRADE\r\n", true),
    ])
    func `is refused where nothing else would do, and else not taken up`(fields: String, isRefused: Bool) async throws {
        let heads = Mailbox<String>()
        let server = try PeerServer { peer in
            while true {
                heads.put(try peer.readMessage().head.lowercased())
                try peer.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
            }
        }
        let gateway = try RunningGateway(.provider(server, isTLS: false))
        let answer = try gateway.ask("/local/a", fields)
        if isRefused {
            #expect(answer.head.hasPrefix("HTTP/1.1 501 "))
            #expect(server.accepted == 0)
        } else {
            #expect(answer.body == "ok")
            let head = try heads.take()
            for word in ["upgrade", "http2", "h2c", "websocket"] { #expect(!head.contains(word)) }
        }
        await gateway.stop()
    }
}
