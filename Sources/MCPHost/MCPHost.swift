public import EventLoop
import HTTP
internal import Synchronization

/// MCP servers that this process runs, or reaches in the ways of old, each as if it were an MCP server with Streamable HTTP somewhere else:
/// by a connection that `connect` makes. All of them live on one event loop, `mcp`, which is started with the first connection.
///
///     let host = MCPHost()
///     try host.use([HostedServer(name: "files", command: ["mcp-server-files", "/srv"])])
///     let socket = try host.connect(to: "files")
///
/// Any thread.
public final class MCPHost: Sendable {
    private struct State {
        var core: HostCore?
        var servers: [HostedServer] = []
        var isStopped = false
    }

    private let state = Mutex(State())
    private let limits: HostLimits
    private let board = NoticeBoard()

    public init(_ limits: HostLimits = HostLimits()) { self.limits = limits }

    /// From now on these servers, and no others: those that are the same as before go on, the others are ended.
    public func use(_ servers: [HostedServer]) {
        let core = state.withLock { state in
            state.servers = servers
            return state.core
        }
        guard let core else { return }
        Task(executorPreference: core.loop) { core.use(servers) }
    }

    /// A connection to a server: a socket that is the caller's, non-blocking, which speaks HTTP/1.1.
    public func connect(to server: String) throws(SystemError) -> Int32 {
        let core = try state.withLock { state throws(SystemError) in
            if let core = state.core { return core }
            if state.isStopped { throw SystemError("connect", 111) }
            let core = try HostCore(limits, board)
            let servers = state.servers
            Task(executorPreference: core.loop) { core.use(servers) }
            state.core = core
            return core
        }
        let (ours, theirs) = try Socket.pair()
        Task(executorPreference: core.loop) { await core.serve(ours, server) }
        return theirs
    }

    /// What is new since the last time, for the log.
    public func takeNotices() -> [HostNotice] { board.take() }

    /// Starts no more processes, and ends the streams on which clients listen: what runs may end.
    public func drain() {
        guard let core = state.withLock({ $0.core }) else { return }
        Task(executorPreference: core.loop) { core.drain() }
    }

    /// Ends all servers and the loop. Returns when nothing of them is left.
    public func stop() async {
        guard let core = state.withLock({ state in
            defer { state.core = nil }
            state.isStopped = true
            return state.core
        }) else { return }
        await core.stop()
    }
}

/// What belongs to the host's loop.
private final class HostCore: @unchecked Sendable {
    let loop: EventLoop
    private let limits: HostLimits
    private let board: NoticeBoard
    private let resolver = Resolver()
    private var endpoints: [String: Endpoint] = [:]
    /// Those of a configuration before, until they are over.
    private var leaving: [Endpoint] = []
    private var servers: [String: HTTPServer] = [:]
    private var isStopping = false

    init(_ limits: HostLimits, _ board: NoticeBoard) throws(SystemError) {
        // A pipe has no other way to say that nobody reads it.
        System.ignoreBrokenPipes()
        self.limits = limits
        self.board = board
        loop = try EventLoop(name: "mcp")
        loop.start()
        Task(executorPreference: loop) { await self.sweep() }
    }

    func use(_ wanted: [HostedServer]) {
        for (name, endpoint) in endpoints where !wanted.contains(endpoint.server) {
            endpoints[name] = nil
            leaving.append(endpoint)
            endpoint.close()
        }
        for server in wanted where endpoints[server.name] == nil {
            endpoints[server.name] = Endpoint(server, on: loop, resolver: resolver, limits: limits, board: board)
        }
    }

    func serve(_ descriptor: Int32, _ name: String) async { await server(name).take(descriptor) }

    private func server(_ name: String) -> HTTPServer {
        if let known = servers[name] { return known }
        var limits = HTTPServer.Limits()
        // The gateway's trace context comes on top of what a client may send.
        limits.maxBody = self.limits.message + (64 << 10)
        let made = HTTPServer(loop: loop, limits: limits) { [unowned self] request in
            guard let endpoint = endpoints[name] else { return .refusal(404, -32600, "This server is no longer in the configuration.") }
            return await endpoint.answer(request)
        }
        servers[name] = made
        return made
    }

    private func sweep() async {
        while !isStopping {
            await loop.sleep(nanoseconds: 5_000_000_000)
            for endpoint in endpoints.values { endpoint.sweep() }
            leaving.removeAll { $0.isOver }
        }
    }

    func drain() { for endpoint in endpoints.values { endpoint.drain() } }

    nonisolated func stop() async {
        await suspend { (done: Resumption<Void>) in
            Task(executorPreference: loop) {
                await self.end()
                done.resume()
            }
        }
        loop.stop()
        loop.join()
    }

    private func end() async {
        isStopping = true
        for endpoint in endpoints.values { endpoint.close() }
        let all = Array(endpoints.values) + leaving
        while !all.allSatisfy(\.isOver) { await loop.sleep(nanoseconds: 5_000_000) }
        for server in servers.values {
            await server.drain()
            await server.abort()
        }
        // What they still have to say to their connections.
        await loop.sleep(nanoseconds: 1_000_000)
    }
}
