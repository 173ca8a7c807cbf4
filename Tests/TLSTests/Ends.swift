import Glibc
import Peers
import TLS
import Testing

/// A socket of the tests; closed when dropped.
final class Socket {
    let descriptor: Int32
    private var isOpen = true

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    /// Two connected, non-blocking stream sockets, which no openssl(1) that is just being started inherits.
    static func pair(bufferBytes: Int32? = nil) throws -> (Socket, Socket) {
        var descriptors: (Int32, Int32) = (-1, -1)
        let result = unsafe withUnsafeMutablePointer(to: &descriptors) {
            unsafe $0.withMemoryRebound(to: Int32.self, capacity: 2) { unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0, $0) }
        }
        try #require(result == 0)
        let pair = (Socket(descriptors.0), Socket(descriptors.1))
        if var bufferBytes {
            for socket in [pair.0, pair.1] {
                let size = socklen_t(MemoryLayout<Int32>.size)
                try #require(unsafe setsockopt(socket.descriptor, SOL_SOCKET, SO_SNDBUF, &bufferBytes, size) == 0)
            }
        }
        return pair
    }

    func close() {
        if isOpen { _ = Glibc.close(descriptor) }
        isOpen = false
    }

    /// Plain bytes, past TLS.
    func send(_ text: String) { _ = unsafe Glibc.write(descriptor, text, text.utf8.count) }

    deinit { close() }
}

/// A client and a server that are each other's peer, both driven from the calling thread.
final class Ends {
    let client: TLSConnection
    let server: TLSConnection
    let clientSocket: Socket
    let serverSocket: Socket

    init(_ clientContext: TLSContext, _ serverContext: TLSContext, name: String = "gateway.test", port: UInt16 = 443, bufferBytes: Int32? = nil) throws {
        (clientSocket, serverSocket) = try Socket.pair(bufferBytes: bufferBytes)
        client = try TLSConnection(clientContext, fileDescriptor: clientSocket.descriptor, serverName: name, port: port)
        server = try TLSConnection(serverContext, fileDescriptor: serverSocket.descriptor)
    }

    /// How the handshake ended on either side: nil is well.
    func handshake() -> (client: TLSError?, server: TLSError?) {
        var clientEnd: Result<Bool, TLSError> = .success(false)
        var serverEnd: Result<Bool, TLSError> = .success(false)
        // A handshake is a few turns; what goes on for longer hangs.
        for _ in 0..<20 {
            Self.step(client, clientSocket, &clientEnd)
            Self.step(server, serverSocket, &serverEnd)
            if clientEnd != .success(false), serverEnd != .success(false) { return (clientEnd.error, serverEnd.error) }
        }
        Issue.record("the handshake does not end")
        return (clientEnd.error, serverEnd.error)
    }

    private static func step(_ connection: TLSConnection, _ socket: Socket, _ end: inout Result<Bool, TLSError>) {
        guard end == .success(false) else { return }
        do throws(TLSError) {
            end = .success(try connection.handshake() == .done)
        } catch {
            end = .failure(error)
            shutdown(socket.descriptor, Int32(SHUT_WR))  // as a loop would that closes; what was written can still be read
        }
    }

    func shakeHands(sourceLocation: SourceLocation = #_sourceLocation) {
        let ends = handshake()
        #expect(ends.client == nil, sourceLocation: sourceLocation)
        #expect(ends.server == nil, sourceLocation: sourceLocation)
    }
}

extension Result where Failure == TLSError {
    var error: TLSError? { if case .failure(let error) = self { error } else { nil } }
}

extension TLSConnection {
    /// Up to `capacity` bytes of what is there, and what the call said.
    func read(capacity: Int = 64 << 10) throws(TLSError) -> (bytes: [UInt8], said: Transfer) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 1)
        defer { unsafe buffer.deallocate() }
        let said = try unsafe read(into: buffer)
        guard case .bytes(let count) = said else { return ([], said) }
        return (unsafe Array(buffer[..<count]), said)
    }

    func readText() throws(TLSError) -> String { String(decoding: try read().bytes, as: UTF8.self) }

    /// Sound: a byte has no padding.
    @discardableResult func write(_ bytes: [UInt8]) throws(TLSError) -> Transfer { unsafe try write(bytes.span.bytes) }
    @discardableResult func write(_ text: String) throws(TLSError) -> Transfer { try write(Array(text.utf8)) }
}

/// The contexts that most tests need.
enum Contexts {
    static func client(
        trust: TLSTrust? = nil, alpn: [String] = ["http/1.1"], identity: String? = nil, versions: ClosedRange<TLSVersion> = .tls12 ... .tls13
    ) throws -> TLSContext {
        let files = try Certificates.shared()
        return try .client(trust: trust ?? .file(files.authority), alpn: alpn, identity: identity.map(files.identity), versions: versions)
    }

    static func server(
        _ name: String = "server", clientAuthority: String? = nil, alpn: [String] = ["http/1.1"], versions: ClosedRange<TLSVersion> = .tls12 ... .tls13
    ) throws -> TLSContext {
        let files = try Certificates.shared()
        return try .server(files.identity(name), clientAuthority: clientAuthority, alpn: alpn, versions: versions)
    }
}
