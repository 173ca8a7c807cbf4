import Configuration
import EventLoop
import Gateway
import HTTP
import LLM
import Peers
import Synchronization
import TLS
import Testing
import Tracing

/// A gateway of one loop on a free port of 127.0.0.1, with its spans in reach.
final class RunningGateway: Sendable {
    let gateway: Gateway
    private let queue: SpanQueue
    private let hasSpans: Mailbox<Void>

    init(_ settings: GatewaySettings, resolver: Resolver = Resolver()) throws {
        var settings = settings
        settings.drainNanoseconds = 100_000_000
        let hasSpans = Mailbox<Void>()
        self.hasSpans = hasSpans
        queue = SpanQueue { hasSpans.put(()) }
        guard let address = SocketAddress("127.0.0.1", port: 0) else { throw PeerFailed("no address") }
        gateway = try Gateway(settings, listen: address, queues: [queue], catalogue: .bundled, resolver: resolver)
    }

    var port: UInt16 { gateway.address.port }

    /// The next span that is finished; others of the same moment are lost.
    func span() throws -> FinishedSpan {
        try hasSpans.take()
        var spans: [FinishedSpan] = []
        let chunks = queue.drain()
        for chunk in chunks { chunk.forEach { spans.append(FinishedSpan($0, $1)) } }
        queue.recycle(chunks)
        guard let span = spans.first else { throw PeerFailed("no span") }
        return span
    }

    /// Asks on a connection of its own, which the answer ends.
    func ask(_ path: String, _ fields: String = "") throws -> (head: String, body: String) {
        let caller = try Peer.connect(to: port)
        defer { caller.close() }
        try caller.write("GET \(path) HTTP/1.1\r\nhost: 127.0.0.1\r\n\(fields)\r\n")
        return try caller.readMessage()
    }

    /// Keeps the gateway's loop from running while `body` does.
    func holdingLoop(_ body: () async throws -> Void) async throws {
        let isHeld = Mailbox<Void>()
        let letGo = Mailbox<Void>()
        Task(executorPreference: gateway.loops[0]) {
            isHeld.put(())
            try letGo.take()
        }
        try isHeld.take()
        defer { letGo.put(()) }
        try await body()
    }

    /// Waits until the gateway has counted so many handshakes that failed; the peer hears of one first.
    func expectFailedHandshakes(_ count: UInt64) async throws {
        for _ in 0..<2_000 where gateway.counters.failedHandshakes.load(ordering: .relaxed) < count { try await Task.sleep(nanoseconds: 5_000_000) }
        #expect(gateway.counters.failedHandshakes.load(ordering: .relaxed) == count)
    }

    func stop() async { await gateway.drain() }
}

/// A span as a test looks at it.
struct FinishedSpan {
    let record: SpanRecord
    private var texts: [UInt8: String] = [:]
    private var numbers: [UInt8: Int64] = [:]
    let isUnreadable: Bool

    init(_ record: SpanRecord, _ entries: RawSpan) {
        self.record = record
        var texts: [UInt8: String] = [:]
        var numbers: [UInt8: Int64] = [:]
        var isUnreadable = false
        SpanEntry.forEach(in: entries) { tag, type, value in
            if tag == Attribute.unreadable.rawValue { isUnreadable = true }
            if type == .string { texts[tag] = value.string } else if type == .int { numbers[tag] = SpanEntry.int(value) }
        }
        self.texts = texts
        self.numbers = numbers
        self.isUnreadable = isUnreadable
    }

    var name: String? { texts[SpanEntry.Tag.name.rawValue] }
    var statusMessage: String { texts[SpanEntry.Tag.statusMessage.rawValue] ?? "" }
    var errorType: String? { texts[Attribute.errorType.rawValue] }
    var url: String? { texts[Attribute.urlFull.rawValue] }
    var status: Int64? { numbers[Attribute.httpResponseStatusCode.rawValue] }
}

extension GatewaySettings {
    /// One provider, called `local`, whose authority is the tests'.
    static func provider(_ origin: Origin, environment: [String: String] = [:]) throws -> GatewaySettings {
        var settings = GatewaySettings()
        // As long as a loaded machine takes; tests of these times set their own.
        settings.headTimeoutNanoseconds = 60_000_000_000
        settings.keepAliveNanoseconds = 3_600_000_000_000
        settings.upstreamTLS = try .client(trust: .file(Certificates.shared().authority))
        settings.proxies = try Configuration.load(file: nil, environment: environment, read: { _ in nil }).configuration.proxies
        var local = ProviderSettings(name: "local", providerName: "local", dialect: .other, origin: origin)
        local.timeouts.connect = 60_000_000_000
        settings.providers = [local]
        return settings
    }

    /// The provider on a port of this machine.
    static func provider(_ server: PeerServer, isTLS: Bool = true, host: String = "127.0.0.1") throws -> GatewaySettings {
        try provider(Origin(isTLS: isTLS, host: host, port: server.port))
    }
}

extension TLSContext {
    static func testServer(_ name: String = "server", clientAuthority: String? = nil) throws -> TLSContext {
        try .server(Certificates.shared().identity(name), clientAuthority: clientAuthority)
    }

    static func testClient(_ identity: String? = nil) throws -> TLSContext {
        let files = try Certificates.shared()
        return try .client(trust: .file(files.authority), identity: identity.map(files.identity))
    }
}

/// Answers every request on a connection with `body`.
func answering(_ body: String = "hello", _ fields: String = "") -> @Sendable (Peer) throws -> Void {
    { peer in
        while true {
            _ = try peer.readMessage()
            try peer.write("HTTP/1.1 200 OK\r\n\(fields)content-length: \(body.utf8.count)\r\n\r\n\(body)")
        }
    }
}
