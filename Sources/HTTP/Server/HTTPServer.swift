public import EventLoop

/// A small HTTP/1.1 server on one loop: for the api listener and for stand-ins. Requests come whole, answers go out whole or streamed;
/// one connection's requests are answered in their order. The gateway has a path of its own and does not use it.
///
///     let server = HTTPServer(loop: loop) { request in HTTPResponse(200, "text/plain", "hello\n") }
///     Task(executorPreference: loop) { await server.listen(on: descriptor) }
///     loop.start()
public actor HTTPServer {
    /// Answers one request, on the server's loop: it must not block. What takes long belongs on a thread of its own.
    public typealias Handler = @Sendable (HTTPRequest) async -> HTTPResponse

    public struct Limits: Sendable {
        /// Bytes of a request's body at most; 413 beyond.
        public var maxBody = 1 << 20
        /// From the first byte of a request to the end of its head; 408 beyond.
        public var head: Duration = .seconds(10)
        /// How long a connection may be open with nothing asked.
        public var keepAlive: Duration = .seconds(60)
        /// Between two reads of a request's body, and for the caller to take a piece (256 KiB at most) of an answer.
        public var idle: Duration = .seconds(60)

        public init() {}
    }

    public nonisolated let loop: EventLoop
    public nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }

    let limits: Limits
    let handler: Handler
    private(set) var isDraining = false
    /// Requests that are being read or answered.
    public internal(set) var active = 0
    /// Connections on which nothing is asked.
    var idle: Set<ObjectIdentifier> = []
    private var listeners: [Listener] = []
    private var connections: [ObjectIdentifier: HTTP1Connection] = [:]

    /// The loop is the caller's to start and to stop.
    public init(loop: EventLoop, limits: Limits = Limits(), handler: @escaping Handler) {
        self.loop = loop
        self.limits = limits
        self.handler = handler
    }

    /// Takes connections from a listening socket (`ListeningSockets`) until the server drains.
    public func listen(on descriptor: Int32) async {
        let listener: Listener
        do { listener = try Listener(descriptor, on: loop) } catch { return }
        guard !isDraining else { return listener.close() }
        listeners.append(listener)
        while let accepted = await listener.accept() {
            Task(executorPreference: loop) { await self.take(accepted) }
        }
    }

    private func take(_ descriptor: Int32) async {
        let peer = SocketAddress(peerOf: descriptor)
        let socket: Socket
        do { socket = try Socket(descriptor, on: loop) } catch { return }
        let connection = HTTP1Connection(ByteStream(socket), pool: loop.buffers)
        let key = ObjectIdentifier(connection)
        connections[key] = connection
        await serve(connection, from: peer)
        connections[key] = nil
    }

    // MARK: the end

    /// Stops taking connections and closes those on which nothing is asked. Running requests go on, and end their connections.
    public func drain() {
        isDraining = true
        for listener in listeners { listener.close() }
        listeners.removeAll()
        for key in idle { connections[key]?.stream.socket.interrupt(.shutdown) }
    }

    /// Ends what still runs.
    public func abort() {
        for connection in connections.values { connection.stream.socket.interrupt(.shutdown) }
    }

    /// Drains, waits for running requests, then ends the others. The loop goes on. Not from the loop itself.
    public nonisolated func stop(within: Duration) async {
        await drain()
        await waitUntilQuiet(.now + within)
        await abort()
        await waitUntilQuiet(.now + .seconds(2))
    }

    private nonisolated func waitUntilQuiet(_ deadline: ContinuousClock.Instant) async {
        while await active > 0, .now < deadline { try? await Task.sleep(for: .milliseconds(5)) }
    }
}
