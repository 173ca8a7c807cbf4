import EventLoop
import Foundation
import HTTP
import JSON
@testable import MCPHost
import Peers
import Synchronization
import Testing

/// A server with the two endpoints of MCP 2024-11-05, as far as a test tells it to be one: what it says on its event stream, what it
/// answers to messages, and what those were.
final class StreamServer: Sendable {
    private let server: PeerServer
    let streams = Mailbox<Peer>()
    let requests = Mailbox<(head: String, body: String)>()
    var port: UInt16 { server.port }

    /// - Parameters:
    ///   - opening: all the server answers to the request for its stream, which then stays open.
    ///   - status: of its answers to messages.
    init(opening: String? = nil, status: Int = 202) throws {
        let (streams, requests) = (streams, requests)
        server = try PeerServer { peer in
            while let request = try peer.readRequest() {
                requests.put((request.head, String(decoding: request.body, as: UTF8.self)))
                guard request.head.hasPrefix("GET ") else {
                    try peer.write("HTTP/1.1 \(status) Whatever\r\ncontent-length: 0\r\n\r\n")
                    continue
                }
                try peer.write(opening ?? Self.stream + Self.event("endpoint", "/messages?session=1"))
                streams.put(peer)
                // Whoever took it says what comes.
                while !peer.hasSomething() { usleep(2_000) }
                return
            }
        }
    }

    static let stream = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"

    static func event(_ name: String, _ data: String) -> String { "event: \(name)\r\ndata: \(data)\r\n\r\n" }

    func stop() { server.stop() }
}

@Suite struct `A server with an event stream` {
    private func host(_ server: StreamServer, _ change: (inout HostLimits) -> Void = { _ in }) -> MCPHost {
        var limits = HostLimits()
        limits.message = 64 << 10
        change(&limits)
        let host = MCPHost(limits)
        host.use([HostedServer(name: "troubles", .eventStream(RemoteEndpoint(Origin(isTLS: false, host: "127.0.0.1", port: server.port), target: "/sse?x=1")))])
        return host
    }

    private func client(_ host: MCPHost, _ session: String? = nil) throws -> Client {
        let made = Client(Peer(try host.connect(to: "troubles")))
        made.session = session
        return made
    }

    private static let handshake = #"{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2024-11-05","capabilities":{},"serverInfo":{"name":"s","version":"1"}}}"#

    /// A session with its handshake done.
    private func open(_ host: MCPHost, _ server: StreamServer) throws -> (Client, stream: Peer) {
        let client = try client(host)
        try client.send("POST", #"{"jsonrpc":"2.0","id":"i","method":"initialize","params":{}}"#, "authorization: Bearer t\r\ntraceparent: 00-1\r\n")
        let stream = try server.streams.take()
        try stream.write(StreamServer.event("message", Self.handshake))
        let answer = try client.read()
        #expect(answer.last?["id"]?.string == "i")
        client.session = answer.head.split(separator: "\r\n").first { $0.hasPrefix("mcp-session-id: ") }.map { String($0.dropFirst(16)) }
        #expect(client.session != nil)
        return (client, stream)
    }

    @Test func `is spoken to as one with sessions, where it says that messages go`() async throws {
        let server = try StreamServer()
        let host = host(server)
        let (client, stream) = try open(host, server)
        let opening = try server.requests.take()
        #expect(opening.head.hasPrefix("GET /sse?x=1 HTTP/1.1\r\n") && opening.head.contains("authorization: Bearer t\r\n"))
        let first = try server.requests.take()
        #expect(first.head.hasPrefix("POST /messages?session=1 HTTP/1.1\r\n"))
        // What the gateway writes for the hop goes with each message; what belongs to the connection to it does not.
        #expect(first.head.contains("authorization: Bearer t\r\n") && first.head.contains("\r\ntraceparent: 00-1") && !first.head.lowercased().contains("mcp-session-id"))
        #expect(first.body == #"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#)
        try client.send("POST", Client.call("echo", id: #""c""#))
        #expect(try server.requests.take().body.contains(#""id":2"#))
        try stream.write(": ping\r\n\r\n" + StreamServer.event("message", #"{"jsonrpc":"2.0","method":"notifications/message","params":{}}"#) + "data: {\"jsonrpc\":\"2.0\",\r\ndata: \"id\":2,\"result\":{}}\r\n\r\n")
        let answer = try client.read()
        #expect(answer.messages.count == 2 && answer.last?["id"]?.string == "c")
        #expect(try client.call("x", meta: Client.modern()).status == 404)
        try client.send("DELETE")
        #expect(try client.read().status == 204)
        _ = try stream.readToEnd()
        await host.stop()
        server.stop()
    }

    @Test func `whose stream ends is told of to whoever waits`() async throws {
        let server = try StreamServer()
        let host = host(server)
        let (client, stream) = try open(host, server)
        try client.send("POST", Client.call("hangs", id: "5"))
        for _ in 0..<3 { _ = try server.requests.take() }
        stream.close()
        let answer = try client.read()
        #expect(answer.last?["id"]?.int == 5 && answer.error.code == -32603 && answer.error.message.contains("event stream"))
        #expect(try self.client(host, client.session).call("echo").status == 404)
        await host.stop()
        server.stop()
    }

    @Test func `that does not take a message fails that message alone`() async throws {
        let server = try StreamServer(status: 500)
        let host = host(server)
        let client = try client(host)
        let answer = try client.open()
        #expect(answer.error.message.contains("did not take the message (500)"), "\(answer.error.message)")
        await host.stop()
        server.stop()
    }

    static let openings: [(String, String)] = [
        (StreamServer.stream + StreamServer.event("endpoint", "http://127.0.0.1:1/messages"), "another origin"),
        (StreamServer.stream + StreamServer.event("endpoint", "//evil.example/messages"), "another origin"),
        (StreamServer.stream + StreamServer.event("endpoint", "ftp://127.0.0.1/x"), "another origin"),
        ("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", "(404)"),
        ("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\nhi", "Check the URL"),
        (StreamServer.stream + StreamServer.event("message", "{}"), "did not say"),
        ("no HTTP\r\n\r\n", "malformed"),
    ]

    @Test(arguments: openings) func `that is none is told of in words`(opening: String, words: String) async throws {
        let server = try StreamServer(opening: opening)
        let host = host(server) { $0.delivery = .milliseconds(500) }
        let answer = try client(host).open()
        #expect(answer.status == 200 && answer.error.code == -32603 && answer.error.message.contains(words), "\(answer.error.message)")
        await host.stop()
        server.stop()
    }

    @Test func `that nobody answers for is told of, too`() async throws {
        let server = try StreamServer()
        let host = host(server)
        server.stop()
        usleep(100_000)
        let answer = try client(host).open()
        #expect(answer.error.message.contains("could not be reached") && answer.error.message.contains("mcp.troubles.url"), "\(answer.error.message)")
        await host.stop()
    }

    @Test func `that says too much at once fails the request it answers`() async throws {
        let server = try StreamServer()
        let host = host(server)
        let (client, stream) = try open(host, server)
        try client.send("POST", Client.call("long", id: "5"))
        for _ in 0..<3 { _ = try server.requests.take() }
        try stream.write(StreamServer.event("message", #"{"jsonrpc":"2.0","id":2,"result":{"x":"\#(String(repeating: "x", count: 100_000))"}}"#))
        #expect(try client.read().error.message.contains("gateway.max_body"))
        await host.stop()
        server.stop()
    }
}

@Suite struct `An endpoint that an event stream names` {
    static let cases: [(String, String?)] = [
        ("/messages?session=1", "/messages?session=1"), ("messages", "/mcp/messages"), ("?session=1", "/mcp/sse?session=1"),
        ("http://h.example:8080/m", "/m"), ("http://H.example:8080/m", "/m"), ("//h.example:8080/m", "/m"), ("http://h.example:8080", "/"),
        ("http://h.example/m", nil), ("https://h.example:8080/m", nil), ("//other.example:8080/m", nil), ("http://h.example:8080@evil.example/m", nil),
        ("", nil), ("/a b", nil), ("/a\u{7F}", nil), ("javascript:x", nil), ("a/b:c", "/mcp/a/b:c"),
    ]

    @Test(arguments: cases) func `is one on the stream's own origin, or none`(reference: String, target: String?) {
        let origin = Origin(isTLS: false, host: "h.example", port: 8080)
        #expect(EndpointReference(reference).target(from: origin, "/mcp/sse?token=x") == target)
    }
}
