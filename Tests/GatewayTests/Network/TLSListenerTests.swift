import Gateway
import HTTP
import LLM
import Peers
import Synchronization
import TLS
import Testing
import Tracing

@Suite struct `The gateway's listener with TLS` {
    private static let request = "GET /local/a HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"

    private static func gateway(_ server: PeerServer, clientAuthority: String? = nil, _ change: (inout GatewaySettings) -> Void = { _ in }) throws -> RunningGateway {
        var settings = try GatewaySettings.provider(server, isTLS: false)
        settings.tls = try .testServer(clientAuthority: clientAuthority)
        change(&settings)
        return try RunningGateway(settings)
    }

    private static func caller(_ gateway: RunningGateway, _ identity: String? = nil) throws -> Peer {
        let caller = try Peer.connect(to: gateway.port)
        try caller.startTLS(.testClient(identity), to: "gateway.test")
        return caller
    }

    @Test func `serves requests, pipelined ones in order`() async throws {
        let server = try PeerServer { peer in
            while true {
                let path = try peer.readMessage().head.split(separator: " ")[1]
                try peer.write("HTTP/1.1 200 OK\r\ncontent-length: \(path.utf8.count)\r\n\r\n\(path)")
            }
        }
        let gateway = try Self.gateway(server)
        let caller = try Self.caller(gateway)
        #expect(caller.tls?.applicationProtocol == "http/1.1")
        try caller.write(["/a", "/b", "/c"].map { "GET /local\($0) HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n" }.joined())
        for path in ["/a", "/b", "/c"] { #expect(try caller.readMessage().body == path) }
        caller.close()
        await gateway.stop()
    }

    @Test func `passes a large answer whole to a caller that is slow`() async throws {
        let body = String(repeating: "0123456789abcdef", count: 100_000)
        let server = try PeerServer(answering(body))
        let gateway = try Self.gateway(server)
        let caller = try Self.caller(gateway)
        try caller.write(Self.request)
        caller.letFill()
        let isEqual = try caller.readMessage().body == body  // a difference is too long to be shown
        #expect(isEqual)
        caller.close()
        await gateway.stop()
    }

    @Test func `knows callers by their certificate before their address`() async throws {
        let server = try PeerServer(answering())
        let gateway = try Self.gateway(server, clientAuthority: Certificates.shared().authority)
        func trace(_ identity: String) throws -> String {
            let caller = try Self.caller(gateway, identity)
            defer { caller.close() }
            try caller.write("GET /local/a HTTP/1.1\r\nhost: 127.0.0.1\r\nx-hopspan-run: nightly\r\n\r\n")
            _ = try caller.readMessage()
            return try gateway.span().record.traceID.description
        }
        let first = try trace("client")
        #expect(try trace("client") == first)
        #expect(try trace("client-other") != first)
        await gateway.stop()
    }

    @Test(arguments: [nil, "client-stranger"])
    func `refuses a caller without a certificate it takes`(identity: String?) async throws {
        let server = try PeerServer(answering())
        let gateway = try Self.gateway(server, clientAuthority: Certificates.shared().authority)
        // With TLS 1.3 the client is done before it is judged: it hears of it when it reads.
        let caller = try Self.caller(gateway, identity)
        try? caller.write(Self.request)
        #expect(try caller.readToEnd().ending == .broken)
        guard case .alert = caller.tls?.failure else { throw PeerFailed("the caller is not told why: \(String(describing: caller.tls?.failure))") }
        try await gateway.expectFailedHandshakes(1)
        #expect(server.accepted == 0)
        await gateway.stop()
    }

    @Test func `says nothing to plain HTTP`() async throws {
        let server = try PeerServer(answering())
        let gateway = try Self.gateway(server)
        let caller = try Peer.connect(to: gateway.port)
        try caller.write(Self.request)
        let (bytes, ending) = try caller.readToEnd()
        #expect(bytes == [])
        #expect(ending == .inOrder)
        try await gateway.expectFailedHandshakes(1)
        await gateway.stop()
    }

    @Test func `gives a handshake the time that a head has`() async throws {
        let server = try PeerServer(answering())
        let gateway = try Self.gateway(server) { $0.headTimeoutNanoseconds = 50_000_000 }
        let caller = try Peer.connect(to: gateway.port)
        #expect(try caller.readToEnd().bytes == [])
        try await gateway.expectFailedHandshakes(1)
        await gateway.stop()
    }

    /// A caller's `close_notify` is unread input, and yet it has left.
    @Test(arguments: [true, false])
    func `stops asking when the caller leaves`(inOrder: Bool) async throws {
        let asked = Mailbox<Void>()
        let ended = Mailbox<Void>()
        let server = try PeerServer { peer in
            _ = try peer.readMessage()
            asked.put(())
            _ = try peer.readToEnd()
            ended.put(())
        }
        let gateway = try Self.gateway(server)
        let caller = try Self.caller(gateway)
        try caller.write(Self.request)
        try asked.take()
        if inOrder { caller.close() } else { caller.closeSocket() }
        #expect(try gateway.span().errorType == "client_disconnected")
        try ended.take()
        await gateway.stop()
    }

    @Test func `says that it has sent everything before it closes`() async throws {
        let server = try PeerServer(answering())
        let gateway = try Self.gateway(server)
        let caller = try Self.caller(gateway)
        try caller.write("GET /local/a HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n")
        #expect(try caller.readMessage().body == "hello")
        #expect(try caller.readToEnd().ending == .inOrder)
        await gateway.stop()
    }

    @Test func `takes a renewed certificate for connections from then on`() async throws {
        let server = try PeerServer(answering())
        // Nobody is to lose patience with callers that wait for the other certificate.
        let patience: UInt64 = 600_000_000_000
        let gateway = try Self.gateway(server) { $0.headTimeoutNanoseconds = patience }
        let before = try Self.caller(gateway)
        var renewed = try GatewaySettings.provider(server, isTLS: false)
        renewed.headTimeoutNanoseconds = patience
        renewed.tls = try .testServer("below-chain")
        gateway.gateway.reconfigure(renewed, catalogue: .bundled)
        var after = try Self.caller(gateway)
        while after.tls?.peerCertificate == before.tls?.peerCertificate {
            after.close()
            try await Task.sleep(nanoseconds: 5_000_000)
            after = try Self.caller(gateway)
        }
        for caller in [before, after] {
            try caller.write(Self.request)
            #expect(try caller.readMessage().body == "hello")
            caller.close()
        }
        await gateway.stop()
    }
}
