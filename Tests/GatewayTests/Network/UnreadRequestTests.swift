import Gateway
import HTTP
import LLM
import Peers
import Testing

@Suite struct `An upstream that does not read all of a request` {
    private static let question = "GET /local/first HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"

    @Test func `leaves nothing of its body that is taken for another request`() async throws {
        let hasReset = Mailbox<Void>()
        let server = try PeerServer { peer in
            // What waits unread makes the end a reset.
            try peer.wait(1)
            peer.closeSocket()
            hasReset.put(())
        }
        let gateway = try RunningGateway(.provider(server, isTLS: false))
        let caller = try Peer.connect(to: gateway.port)
        let body = "GET /local/secrets HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"
        try caller.write("POST /local/files HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: \(body.utf8.count)\r\n\r\n")
        try hasReset.take()
        try caller.write(body)
        let answers = try String(decoding: caller.readToEnd().bytes, as: UTF8.self)
        #expect(answers.hasPrefix("HTTP/1.1 502 "))
        #expect(answers.contains("\r\nconnection: close\r\n"))
        #expect(answers.ranges(of: "HTTP/1.1 ").count == 1)
        #expect(server.accepted == 1)
        await gateway.stop()
    }

    @Test func `is heard when it says why, and not asked again`() async throws {
        let server = try PeerServer { peer in
            _ = try peer.readMessage()
            try peer.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
            _ = try peer.read(to: "\r\n\r\n")
            try peer.write("HTTP/1.1 413 Content Too Large\r\ncontent-length: 8\r\n\r\ntoo much")
        }
        let gateway = try RunningGateway(.chat(server))
        let caller = try Peer.connect(to: gateway.port)
        try caller.write(Self.question)
        #expect(try caller.readMessage().body == "ok")
        _ = try gateway.span()
        try caller.write("POST /local/v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: \(16 << 20)\r\n\r\n")
        try caller.write([UInt8](repeating: 0x20, count: 16 << 20))
        let answer = try caller.readMessage()
        #expect(answer.head.hasPrefix("HTTP/1.1 413 "))
        #expect(answer.body == "too much")
        let span = try gateway.span()
        #expect(span.errorType == "413")
        #expect(server.accepted == 1)
        await gateway.stop()
    }

    @Test func `is heard while it takes no more and keeps the connection open`() async throws {
        let isDone = Mailbox<Void>()
        let server = try PeerServer { peer in
            _ = try peer.read(to: "\r\n\r\n")
            try peer.write("HTTP/1.1 413 Content Too Large\r\ncontent-length: 8\r\n\r\ntoo much")
            try isDone.take()
        }
        let gateway = try RunningGateway(.chat(server))
        let caller = try Peer.connect(to: gateway.port)
        try caller.write("POST /local/v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: \(16 << 20)\r\n\r\n")
        try caller.write([UInt8](repeating: 0x20, count: 16 << 20))
        #expect(try caller.readMessage().body == "too much")
        isDone.put(())
        await gateway.stop()
    }

    @Test func `is not asked again after an interim answer`() async throws {
        let server = try PeerServer { peer in
            _ = try peer.readMessage()
            try peer.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
            _ = try peer.readMessage()
            try peer.write("HTTP/1.1 103 Early Hints\r\n\r\n")
        }
        let gateway = try RunningGateway(.chat(server))
        let caller = try Peer.connect(to: gateway.port)
        try caller.write(Self.question)
        #expect(try caller.readMessage().body == "ok")
        try caller.write("POST /local/v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 2\r\n\r\n{}")
        #expect(try caller.readMessage().head.hasPrefix("HTTP/1.1 103 "))
        #expect(try caller.readMessage().head.hasPrefix("HTTP/1.1 502 "))
        #expect(server.accepted == 1)
        await gateway.stop()
    }
}

extension GatewaySettings {
    /// A provider on a port of this machine whose chats are understood.
    static func chat(_ server: PeerServer, isTLS: Bool = false) throws -> GatewaySettings {
        var settings = try GatewaySettings.provider(server, isTLS: isTLS)
        settings.providers[0].dialect = .openai
        return settings
    }
}
