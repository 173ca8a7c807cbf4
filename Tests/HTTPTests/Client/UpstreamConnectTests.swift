import EventLoop
@testable import HTTP
import Peers
import Synchronization
import TLS
import Testing

@Suite struct `Opening a connection to an upstream` {
    private static let second: UInt64 = 1_000_000_000

    /// Addresses left, seconds left, seconds the next one gets.
    @Test(arguments: [(1, 5, 5), (2, 5, 2.5), (5, 5, 1), (100, 5, 0.25), (3, 0.3, 0.25), (2, 0.1, 0.1), (2, 0, 0)] as [(Int, Double, Double)])
    func `gives each address its part of the time`(addresses: Int, left: Double, part: Double) {
        let now = 7 * Self.second
        let limit = UpstreamPool.limit(of: addresses, now: now, until: now + UInt64(left * 1e9))
        #expect(limit == now + UInt64(part * 1e9))
    }

    @Test func `does not wait for ever for one address of several`() {
        #expect(UpstreamPool.limit(of: 2, now: 1, until: .max) == 1 + 10 * Self.second)
        #expect(UpstreamPool.limit(of: 1, now: 1, until: .max) == .max)
    }

    @Test func `goes on from an address that says nothing`() async throws {
        // Nobody accepts here and the queue is full: the kernel leaves further attempts without an answer.
        let silent = try PeerServer(backlog: 0, nil)
        let filling = try Peer.connect(to: silent.port)
        let server = try PeerServer { peer in _ = try peer.readToEnd() }
        try await onLoop { loop in
            let pool = UpstreamPool(origin: Origin(isTLS: false, host: "127.0.0.1", port: 1), loop: loop, resolver: Resolver())
            let addresses = try [silent.port, server.port].map { try #require(SocketAddress("127.0.0.1", port: $0)) }
            let socket = try await pool.connect(toFirstOf: addresses, until: loop.now + 4 * Self.second, for: nil)
            #expect(SocketAddress(peerOf: socket.descriptor).port == server.port)
            do throws(ConnectFailure) {
                _ = try await pool.connect(toFirstOf: [addresses[0]], until: loop.now + Self.second / 20, for: nil)
                Issue.record("the silent one has answered")
            } catch { #expect(error == .timedOut) }
        }
        filling.close()
    }

    @Test func `does not wait for a tunnel behind interim answers without end`() async throws {
        let proxy = try PeerServer { peer in
            _ = try peer.read(to: "\r\n\r\n")
            let much = String(repeating: "HTTP/1.1 100 Continue\r\n\r\n", count: 2_500)
            while true { try peer.write(much) }
        }
        try await onLoop { loop in
            let pool = UpstreamPool(
                origin: Origin(isTLS: true, host: "127.0.0.1", port: 1), proxy: Proxy(host: "127.0.0.1", port: proxy.port), loop: loop, resolver: Resolver())
            do throws(ConnectFailure) {
                _ = try await pool.connect(timeout: 60 * Self.second, for: nil)
                Issue.record("there is a connection")
            } catch { #expect(error == .proxy(.malformedAnswer)) }
        }
    }

    @Test func `needs somebody to believe where the origin is https`() async throws {
        let server = try PeerServer { peer in _ = try peer.readToEnd() }
        try await onLoop { loop in
            let pool = UpstreamPool(origin: Origin(isTLS: true, host: "127.0.0.1", port: server.port), loop: loop, resolver: Resolver())
            do throws(ConnectFailure) {
                _ = try await pool.connect(timeout: 60 * Self.second, for: nil)
                Issue.record("there is a connection")
            } catch {
                guard case .tls(.unavailable) = error else { throw error }
            }
            #expect(pool.counters.failures.load(ordering: .relaxed) == 1)
        }
    }

    @Test func `uses an idle TLS connection again, and a known session for a new one`() async throws {
        let server = try PeerServer(tls: Contexts.server()) { peer in
            while true {
                _ = try peer.read(to: "\r\n\r\n")
                try peer.write("HTTP/1.1 204 No Content\r\n\r\n")
            }
        }
        try await onLoop { loop in
            let pool = try UpstreamPool(
                origin: Origin(isTLS: true, host: "127.0.0.1", port: server.port), tls: Contexts.client(), loop: loop, resolver: Resolver())
            let first = try await pool.connect(timeout: 10 * Self.second, for: nil)
            #expect(first.stream.tls?.isResumed == false)
            try await Self.exchange(on: first, loop)
            pool.giveBack(first)
            #expect(pool.takeIdle() === first)
            try await Self.exchange(on: first, loop)
            let second = try await pool.connect(timeout: 10 * Self.second, for: nil)
            #expect(second.stream.tls?.isResumed == true)
            first.stream.close()
            second.stream.close()
        }
        #expect(server.accepted == 2)
    }

    private static func exchange(on connection: HTTP1Connection, _ loop: EventLoop) async throws {
        try await connection.stream.write(("GET / HTTP/1.1\r\nhost: a\r\n\r\n" as StaticString).bytes, until: loop.inTenSeconds)
        #expect(try await connection.waitForMessage(until: loop.inTenSeconds))
        connection.input.consume(try await connection.readHead(until: loop.inTenSeconds))
    }
}

@Suite struct `A proxy` {
    @Test(arguments: [("a:b", "Basic YTpi"), ("user:p@ss:w", "Basic dXNlcjpwQHNzOnc="), ("Ünï:", "Basic w5xuw686")])
    func `is told Basic credentials and shows them to nobody else`(credentials: String, value: String) {
        let proxy = Proxy(host: "proxy", port: 3128, credentials: credentials)
        #expect(proxy.authorization == value)
        var dumped = ""
        dump(proxy, to: &dumped)
        for text in ["\(proxy)", String(reflecting: proxy), dumped] { #expect(!text.contains(value.dropFirst(6))) }
    }
}
