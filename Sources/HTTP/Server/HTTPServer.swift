public import EventLoop
private import Synchronization

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
        /// From a new connection to the first byte of its first request, which is closed beyond, and from the first byte of any request to
        /// the end of its head; 408 beyond.
        public var head: Duration = .seconds(10)
        /// From the end of an answer to the first byte of the next request; the connection is closed beyond.
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
    /// Both are written by the loop and read by any thread: who stops the server must get on also where a handler does not let go of the loop.
    private nonisolated let running = Atomic<Int>(0)
    private nonisolated let hasDrained = Atomic<Bool>(false)
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

    /// Takes over a connection that came otherwise, and serves it to its end.
    public func take(_ descriptor: Int32) async {
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
        hasDrained.store(true, ordering: .releasing)
    }

    /// Ends what still runs.
    public func abort() {
        for connection in connections.values { connection.stream.socket.interrupt(.shutdown) }
    }

    /// Drains, waits for running requests, then ends the others. The loop goes on. Not from the loop itself.
    /// - Returns: whether all is over. If not, a handler does not let go of the loop, and that is not waited for.
    @discardableResult
    public nonisolated func stop(within: Duration) async -> Bool {
        Task(executorPreference: loop) { await self.drain() }
        await waitUntilQuiet(.now + within)
        Task(executorPreference: loop) { await self.abort() }
        await waitUntilQuiet(.now + .seconds(2))
        return isQuiet
    }

    private nonisolated var isQuiet: Bool { hasDrained.load(ordering: .acquiring) && active == 0 }

    private nonisolated func waitUntilQuiet(_ deadline: ContinuousClock.Instant) async {
        while !isQuiet, .now < deadline { try? await Task.sleep(for: .milliseconds(5)) }
    }

    // MARK: requests

    /// Requests that are being read or answered.
    public nonisolated var active: Int { running.load(ordering: .relaxed) }

    func requestBegan() { running.add(1, ordering: .relaxed) }
    func requestEnded() { running.subtract(1, ordering: .relaxed) }
}
