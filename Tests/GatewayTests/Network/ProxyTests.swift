import Gateway
import HTTP
import Peers
import TLS
import Testing

@Suite struct `A proxy of the environment` {
    /// Takes CONNECT, and whatever it asks for, leads to `target`.
    private static func tunnels(to target: PeerServer, _ heads: Mailbox<String>) throws -> PeerServer {
        try PeerServer { peer in
            heads.put(try peer.read(to: "\r\n\r\n"))
            let origin = try Peer.connect(to: target.port)
            try peer.write("HTTP/1.1 103 Early Hints\r\nx: y\r\n\r\nHTTP/1.1 200 Connection established\r\nvia: proxy\r\n\r\n")
            peer.pass(to: origin)
        }
    }

    private static func settings(_ origin: Origin, _ proxy: PeerServer, _ more: [String: String] = [:]) throws -> GatewaySettings {
        let url = "http://agent:p%40ss@127.0.0.1:\(proxy.port)"
        return try .provider(origin, environment: ["HTTPS_PROXY": url, "HTTP_PROXY": url].merging(more) { $1 })
    }

    private static let api = Origin(isTLS: true, host: "gateway.test", port: 443)

    @Test func `leads to an https provider by a tunnel`() async throws {
        let requests = Mailbox<String>()
        let connects = Mailbox<String>()
        let server = try PeerServer(tls: .testServer()) { peer in
            while true {
                requests.put(try peer.readMessage().head)
                try peer.write("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello")
            }
        }
        let proxy = try Self.tunnels(to: server, connects)
        let gateway = try RunningGateway(Self.settings(Self.api, proxy))
        for _ in 0..<2 {
            #expect(try gateway.ask("/local/v1/a").body == "hello")
            #expect(try gateway.span().url == "https://gateway.test/v1/a")
            let head = try requests.take()
            #expect(head.hasPrefix("GET /v1/a HTTP/1.1\r\nhost: gateway.test\r\n"))
            #expect(!head.lowercased().contains("proxy"))
        }
        #expect(try connects.take() == "CONNECT gateway.test:443 HTTP/1.1\r\nhost: gateway.test:443\r\nproxy-authorization: Basic YWdlbnQ6cEBzcw==\r\n\r\n")
        #expect(connects.count == 0)
        await gateway.stop()
    }

    /// What the proxy answers, and what is said of it.
    @Test(arguments: [
        ("HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno", "(403)"), ("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "(407). Put the right ones into HTTPS_PROXY"),
        ("HTTP/1.1 302 Found\r\nlocation: /\r\n\r\n", "(302)"), ("", "did not answer as one"), ("SSH-2.0-OpenSSH_9.2\r\n\r\n", "did not answer as one"),
        ("HTTP/1.1 200 OK\r\n\r\nhello from the proxy", "did not answer as one"),
    ])
    func `may refuse the tunnel`(answer: String, hint: String) async throws {
        let proxy = try PeerServer { peer in
            _ = try peer.read(to: "\r\n\r\n")
            try peer.write(answer)
        }
        let gateway = try RunningGateway(Self.settings(Self.api, proxy))
        let (head, body) = try gateway.ask("/local/a")
        #expect(head.hasPrefix("HTTP/1.1 502 "))
        #expect(body.contains(hint))
        let span = try gateway.span()
        #expect(span.errorType == "connect_error")
        #expect(span.statusMessage.contains(hint))
        #expect(!span.statusMessage.contains("p@ss"))
        await gateway.stop()
    }

    @Test func `that is not there is named as what is not there`() async throws {
        let proxy = try PeerServer(nil)
        proxy.stop()
        let gateway = try RunningGateway(.provider(Self.api, environment: ["HTTPS_PROXY": "http://127.0.0.1:1"]))
        #expect(try gateway.ask("/local/a").body.contains("HTTPS_PROXY"))
        #expect(try gateway.span().errorType == "connect_error")
        await gateway.stop()
    }

    @Test func `does not take the place of the provider's certificate`() async throws {
        let server = try PeerServer(tls: .testServer("stranger"), answering())
        let proxy = try Self.tunnels(to: server, Mailbox())
        let gateway = try RunningGateway(Self.settings(Self.api, proxy))
        #expect(try gateway.ask("/local/a").head.hasPrefix("HTTP/1.1 502 "))
        #expect(try gateway.span().errorType == "tls_error")
        await gateway.stop()
    }

    @Test func `is asked for an http provider by a whole URL`() async throws {
        let requests = Mailbox<String>()
        let proxy = try PeerServer { peer in
            while true {
                requests.put(try peer.readMessage().head)
                try peer.write("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello")
            }
        }
        let gateway = try RunningGateway(Self.settings(Origin(isTLS: false, host: "api.test", port: 8080), proxy))
        for _ in 0..<2 {
            #expect(try gateway.ask("/local/v1/a?b=c", "proxy-authorization: Basic c3Bvb2Y=\r\n").body == "hello")
            #expect(try gateway.span().url == "http://api.test:8080/v1/a?b=REDACTED")
            let head = try requests.take()
            #expect(head.hasPrefix("GET http://api.test:8080/v1/a?b=c HTTP/1.1\r\nhost: api.test:8080\r\n"))
            #expect(head.contains("\r\nproxy-authorization: Basic YWdlbnQ6cEBzcw==\r\n"))
            #expect(!head.contains("c3Bvb2Y="))
        }
        #expect(proxy.accepted == 1)
        await gateway.stop()
    }

    @Test(arguments: [Origin(isTLS: true, host: "gateway.test", port: 443), Origin(isTLS: false, host: "gateway.test", port: 80)])
    func `is passed by for what NO_PROXY names`(origin: Origin) async throws {
        let proxy = try PeerServer(answering())
        let gateway = try RunningGateway(Self.settings(origin, proxy, ["NO_PROXY": "example.com,.test"]))
        // Nobody knows the name, so that going there directly must fail.
        #expect(try gateway.ask("/local/a").head.hasPrefix("HTTP/1.1 502 "))
        #expect(try gateway.span().errorType == "dns_error")
        #expect(proxy.accepted == 0)
        await gateway.stop()
    }

    @Test func `is passed by for this machine`() async throws {
        let server = try PeerServer(tls: .testServer(), answering())
        let proxy = try PeerServer(answering("from the proxy"))
        let gateway = try RunningGateway(Self.settings(Origin(isTLS: true, host: "127.0.0.1", port: server.port), proxy))
        #expect(try gateway.ask("/local/a").body == "hello")
        #expect(proxy.accepted == 0)
        await gateway.stop()
    }
}
