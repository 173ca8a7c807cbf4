import Gateway
import HTTP
import Peers
import Testing

@Suite struct `A total time-out` {
    private static func settings(_ server: PeerServer) throws -> GatewaySettings {
        var settings = try GatewaySettings.chat(server)
        settings.providers[0].timeouts.total = 200_000_000
        return settings
    }

    /// Understood, and passed on as it comes.
    @Test(arguments: ["v1/chat/completions", "v1/files"])
    func `ends the wait for a caller's body`(path: String) async throws {
        let server = try PeerServer { peer in _ = try peer.readToEnd() }
        let gateway = try RunningGateway(Self.settings(server))
        let caller = try Peer.connect(to: gateway.port)
        try caller.write("POST /local/\(path) HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 9\r\n\r\nbegun")
        #expect(try caller.readMessage().head.hasPrefix("HTTP/1.1 504 "))
        #expect(try gateway.span().errorType == "timeout")
        await gateway.stop()
    }

    @Test func `ends an answer that its caller does not take`() async throws {
        let server = try PeerServer { peer in
            _ = try peer.readMessage()
            try peer.write("HTTP/1.1 200 OK\r\ncontent-length: \(64 << 20)\r\n\r\n")
            try peer.write([UInt8](repeating: 0x20, count: 64 << 20))
        }
        let gateway = try RunningGateway(Self.settings(server))
        let caller = try Peer.connect(to: gateway.port)
        try caller.write("GET /local/large HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
        let span = try gateway.span()
        #expect(span.errorType == "timeout")
        #expect(span.statusMessage.contains("timeout.total"))
        caller.close()
        await gateway.stop()
    }

    @Test func `ends the wait for a connection`() async throws {
        // Nobody accepts here and the queue is full: the kernel leaves further attempts without an answer.
        let silent = try PeerServer(backlog: 0, nil)
        let filling = try Peer.connect(to: silent.port)
        let gateway = try RunningGateway(Self.settings(silent))
        #expect(try gateway.ask("/local/a").head.hasPrefix("HTTP/1.1 504 "))
        let span = try gateway.span()
        #expect(span.errorType == "timeout")
        #expect(span.statusMessage.contains("timeout.total"))
        filling.close()
        await gateway.stop()
    }
}
