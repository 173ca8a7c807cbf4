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

    @Test func `is told to the caller as long as nothing of an answer has gone out`() async throws {
        let isAsked = Mailbox<Void>()
        let mayAnswer = Mailbox<Void>()
        let hasAnswered = Mailbox<Void>()
        let server = try PeerServer { peer in
            _ = try peer.readMessage()
            isAsked.put(())
            try mayAnswer.take()
            try peer.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
            hasAnswered.put(())
            _ = try peer.readToEnd()
        }
        var settings = try Self.settings(server)
        settings.providers[0].timeouts.total = 1_000_000_000
        let gateway = try RunningGateway(settings)
        let caller = try Peer.connect(to: gateway.port)
        try caller.write("GET /local/a HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
        try isAsked.take()
        // The answer comes in time, but the loop sees it when the time is over.
        try await gateway.holdingLoop {
            mayAnswer.put(())
            try hasAnswered.take()
            try await Task.sleep(nanoseconds: 1_000_000_000)
        }
        #expect(try caller.readMessage().head.hasPrefix("HTTP/1.1 504 "))
        let span = try gateway.span()
        #expect(span.errorType == "timeout")
        #expect(span.status == 504)
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
