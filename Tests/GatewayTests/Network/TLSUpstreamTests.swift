import Gateway
import HTTP
import Peers
import TLS
import Testing
import Tracing

@Suite struct `A provider over TLS` {
    @Test func `is asked again on the same connection`() async throws {
        let server = try PeerServer(tls: .testServer(), answering())
        let gateway = try RunningGateway(.provider(server))
        for _ in 0..<3 {
            #expect(try gateway.ask("/local/v1/things?key=secret").body == "hello")
            let span = try gateway.span()
            #expect(span.url == "https://127.0.0.1:\(server.port)/v1/things?key=REDACTED")
            #expect(span.status == 200)
            #expect(span.errorType == nil)
        }
        #expect(server.accepted == 1)
        await gateway.stop()
    }

    @Test func `is asked by its known session when the connection is another`() async throws {
        let resumed = Mailbox<Bool>()
        let server = try PeerServer(tls: .testServer()) { peer in
            resumed.put(peer.tls!.isResumed)
            _ = try peer.readMessage()
            try peer.write("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok")
        }
        let gateway = try RunningGateway(.provider(server))
        for round in 0..<3 {
            #expect(try gateway.ask("/local/a").body == "ok")
            #expect(try resumed.take() == (round > 0))
        }
        await gateway.stop()
    }

    /// The server's certificate, the host that is asked for, what the caller is told to look at.
    @Test(arguments: [
        ("stranger", "127.0.0.1", "providers.local.ca"), ("alone", "127.0.0.1", "providers.local.ca"), ("expired", "127.0.0.1", "renewed"),
        ("server", "localhost", "providers.local.base_url"),
    ])
    func `that cannot be believed is not asked`(certificate: String, host: String, hint: String) async throws {
        let asked = Mailbox<String>()
        let server = try PeerServer(tls: .testServer(certificate)) { asked.put(try $0.readMessage().head) }
        let gateway = try RunningGateway(.provider(server, host: host))
        let (head, body) = try gateway.ask("/local/a")
        #expect(head.hasPrefix("HTTP/1.1 502 "))
        #expect(body.contains(hint))
        let span = try gateway.span()
        #expect(span.errorType == "tls_error")
        #expect(span.record.isError)
        #expect(span.status == 502)
        #expect(span.statusMessage.contains(hint))
        #expect(body.contains(span.record.traceID.description))
        await gateway.stop()
        #expect(asked.count == 0)
    }

    @Test func `may have an authority of its own`() async throws {
        let server = try PeerServer(tls: .testServer("stranger"), answering())
        var settings = try GatewaySettings.provider(server)
        settings.providers[0].tls = try TLSContexts().client(trusting: .file(Certificates.shared().otherAuthority))
        let gateway = try RunningGateway(settings)
        #expect(try gateway.ask("/local/a").body == "hello")
        await gateway.stop()
    }

    @Test func `that speaks plain HTTP gives a tls_error`() async throws {
        let server = try PeerServer { peer in
            _ = try peer.read(5)
            try peer.write("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
        }
        let gateway = try RunningGateway(.provider(server))
        #expect(try gateway.ask("/local/a").head.hasPrefix("HTTP/1.1 502 "))
        let span = try gateway.span()
        #expect(span.errorType == "tls_error")
        #expect(span.statusMessage.contains("Check scheme and port"))
        await gateway.stop()
    }

    @Test func `that wants a certificate of ours gives a tls_error`() async throws {
        let server = try PeerServer(tls: .testServer(clientAuthority: Certificates.shared().authority), answering())
        let gateway = try RunningGateway(.provider(server))
        #expect(try gateway.ask("/local/a").head.hasPrefix("HTTP/1.1 502 "))
        let span = try gateway.span()
        #expect(span.errorType == "tls_error")
        #expect(span.statusMessage.contains("certificate required"))
        await gateway.stop()
    }

    @Test func `that cuts a body which only the connection ends is not believed`() async throws {
        let server = try PeerServer(tls: .testServer()) { peer in
            let isCut = try peer.readMessage().head.contains("/cut")
            try peer.write("HTTP/1.1 200 OK\r\n\r\nhalf")
            if isCut { peer.closeSocket() }
        }
        let gateway = try RunningGateway(.provider(server))
        #expect(try gateway.ask("/local/whole").body == "half")
        #expect(try gateway.span().errorType == nil)
        #expect(throws: PeerFailed.self) { try gateway.ask("/local/cut") }
        let span = try gateway.span()
        #expect(span.errorType == "stream_cut")
        #expect(span.status == 200)
        await gateway.stop()
    }

    @Test func `whose idle connection has died is asked on another`() async throws {
        let server = try PeerServer(tls: .testServer()) { peer in
            _ = try peer.readMessage()
            try peer.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
            // The next request is read and not answered: the connection dies under it.
            _ = try peer.readMessage()
            peer.closeSocket()
        }
        let gateway = try RunningGateway(.provider(server))
        for _ in 0..<2 {
            #expect(try gateway.ask("/local/a").body == "ok")
            let span = try gateway.span()
            #expect(span.errorType == nil, "\(span.statusMessage)")
        }
        #expect(server.accepted == 2)
        await gateway.stop()
    }

    @Test func `is left in the handshake when the caller leaves`() async throws {
        let hello = Mailbox<Void>()
        let ended = Mailbox<Void>()
        let server = try PeerServer { peer in
            _ = try peer.read(5)
            hello.put(())
            _ = try peer.readToEnd()
            ended.put(())
        }
        let gateway = try RunningGateway(.provider(server))
        let caller = try Peer.connect(to: gateway.port)
        try caller.write("GET /local/a HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
        try hello.take()
        caller.close()
        #expect(try gateway.span().errorType == "client_disconnected")
        try ended.take()
        await gateway.stop()
    }

    @Test func `has the time of the connection for its handshake`() async throws {
        let server = try PeerServer { peer in _ = try peer.readToEnd() }
        var settings = try GatewaySettings.provider(server)
        settings.providers[0].timeouts.connect = 100_000_000
        let gateway = try RunningGateway(settings)
        #expect(try gateway.ask("/local/a").head.hasPrefix("HTTP/1.1 504 "))
        #expect(try gateway.span().errorType == "timeout")
        await gateway.stop()
    }
}
