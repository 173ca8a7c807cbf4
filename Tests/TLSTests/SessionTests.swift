import Glibc
import Synchronization
import Peers
import TLS
import Testing

@Suite struct `A TLS session` {
    /// A whole connection: handshake, a byte each way (a TLS 1.3 ticket comes with the answer), and whether it was resumed.
    @discardableResult static func talk(_ client: TLSContext, _ server: TLSContext, name: String = "gateway.test", port: UInt16 = 443) throws -> Ends {
        let ends = try Ends(client, server, name: name, port: port)
        let handshake = ends.handshake()
        if let error = handshake.client ?? handshake.server { throw error }
        try ends.client.write("?")
        #expect(try ends.server.readText() == "?")
        try ends.server.write("!")
        #expect(try ends.client.readText() == "!")
        #expect(ends.client.isResumed == ends.server.isResumed)
        return ends
    }

    @Test(arguments: [TLSVersion.tls12, .tls13]) func `is resumed the second time and every time after`(version: TLSVersion) throws {
        let client = try Contexts.client(versions: version...version)
        let server = try Contexts.server()
        #expect(try !Self.talk(client, server).client.isResumed)
        for _ in 0..<3 { #expect(try Self.talk(client, server).client.isResumed) }
    }

    @Test(arguments: [TLSVersion.tls12, .tls13]) func `is resumed while the first connection lives, and after one that broke off`(version: TLSVersion) throws {
        let client = try Contexts.client(versions: version...version)
        let server = try Contexts.server()
        let first = try Self.talk(client, server)
        let second = try Self.talk(client, server)
        #expect(second.client.isResumed)
        second.clientSocket.close()  // no close_notify: OpenSSL takes the session of such a connection for spoiled
        #expect(throws: Never.self) { try Self.talk(client, server) }
        #expect(try Self.talk(client, server).client.isResumed)
        try first.client.write("still")
        #expect(try first.server.readText() == "still")
    }

    @Test func `belongs to one host and port`() throws {
        let client = try Contexts.client()
        let server = try Contexts.server()
        try Self.talk(client, server)
        #expect(try !Self.talk(client, server, port: 8443).client.isResumed)
        #expect(try !Self.talk(client, server, name: "one.wild.test").client.isResumed)
        #expect(try Self.talk(client, server).client.isResumed)
    }

    @Test func `belongs to one context`() throws {
        let server = try Contexts.server()
        try Self.talk(try Contexts.client(), server)
        #expect(try !Self.talk(try Contexts.client(), server).client.isResumed)
    }

    @Test func `that the server does not know ends in a whole handshake`() throws {
        let client = try Contexts.client()
        try Self.talk(client, try Contexts.server())
        let restarted = try Contexts.server()
        #expect(try !Self.talk(client, restarted).client.isResumed)
        #expect(try Self.talk(client, restarted).client.isResumed)
    }

    @Test func `is forgotten when a handshake fails`() throws {
        let client = try Contexts.client()
        let server = try Contexts.server()
        try Self.talk(client, server)
        #expect(try Ends(client, Contexts.server("expired")).handshake().client != nil)
        #expect(try !Self.talk(client, server).client.isResumed)
    }

    @Test(arguments: [TLSVersion.tls12, .tls13]) func `keeps the client's certificate`(version: TLSVersion) throws {
        let client = try Contexts.client(identity: "client", versions: version...version)
        let server = try Contexts.server(clientAuthority: Certificates.shared().authority)
        try Self.talk(client, server)
        let again = try Self.talk(client, server)
        #expect(again.client.isResumed)
        #expect(try again.server.peerCertificate?.fingerprint == Certificates.shared().fingerprint("client"))
        #expect(try again.client.peerCertificate?.fingerprint == Certificates.shared().fingerprint("server"))
    }

    @Test func `is for at most 256 servers, the latest`() throws {
        let client = try Contexts.client()
        let server = try Contexts.server()
        for port in 1...257 as ClosedRange<UInt16> { try Self.talk(client, server, port: port) }
        #expect(try Self.talk(client, server, port: 2).client.isResumed)
        #expect(try Self.talk(client, server, port: 257).client.isResumed)
        #expect(try !Self.talk(client, server, port: 1).client.isResumed)
    }

    @Test func `is shared by threads`() throws {
        let client = try Contexts.client()
        let server = try Contexts.server()
        try Self.talk(client, server)
        let resumed = Atomic<Int>(0)
        let threads = (0..<4).map { _ in
            Thread.started {
                for _ in 0..<25 {
                    if (try? Self.talk(client, server))?.client.isResumed == true { resumed.add(1, ordering: .relaxed) }
                }
            }
        }
        for thread in threads { thread.join() }
        #expect(resumed.load(ordering: .relaxed) == 100)
    }
}

/// A POSIX thread: blocking calls have no place on the pool that runs the tests.
final class Thread {
    private var handle = pthread_t()

    static func started(_ body: @escaping @Sendable () -> Void) -> Thread {
        let thread = Thread()
        // Sound: the box is retained for the thread, which takes it over.
        let box = unsafe Unmanaged.passRetained(Box(body: body)).toOpaque()
        let result = unsafe pthread_create(&thread.handle, nil, { argument in
            if let argument = unsafe argument { unsafe Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body() }
            return nil
        }, box)
        precondition(result == 0)
        return thread
    }

    func join() { pthread_join(handle, nil) }

    private final class Box {
        let body: @Sendable () -> Void
        init(body: @escaping @Sendable () -> Void) { self.body = body }
    }
}
