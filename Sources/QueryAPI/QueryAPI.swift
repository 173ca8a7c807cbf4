public import EventLoop
internal import HTTP
public import Store

/// Why the api did not start.
public enum QueryAPIError: Error, Sendable, Equatable {
    /// Nobody can listen at the address, or no loop could be made.
    case listen(SystemError)
}

/// The api listener: what people and tools ask of runs, cost and health (design, "Query API").
///
/// It has an event loop of its own, `api`; what the store is asked runs on threads of their own, `query`, and what the
/// program is asked of its health on a third, `health`, which answers while the others are busy or the store is stuck. Nothing here can
/// hold up a request of the gateway.
public final class QueryAPI: Sendable {
    /// The address it listens on, with its port.
    public let address: SocketAddress
    public let loop: EventLoop
    private let server: HTTPServer
    private let readers: ReaderThreads
    private let health: ReaderThreads
    private let authorization: Authorization

    /// Binds the listener and begins to answer; `Surroundings.readiness` says from when on the program is ready.
    public init(_ settings: QueryAPISettings, listen: SocketAddress, store: Store, surroundings: Surroundings) throws(QueryAPIError) {
        let loop: EventLoop
        let sockets: ListeningSockets
        do {
            loop = try EventLoop(name: "api")
            sockets = try ListeningSockets.bind(to: listen, count: 1)
        } catch { throw .listen(error) }
        let readers = ReaderThreads(store)
        let health = ReaderThreads(store, threads: 1, named: "health")
        var surroundings = surroundings
        surroundings.loops.append(loop)
        let responder = Responder(settings, surroundings, store, readers, health)
        let server = HTTPServer(loop: loop) { request in await responder.answer(request) }
        Task(executorPreference: loop) { await server.listen(on: sockets.descriptors[0]) }
        loop.start()
        address = sockets.address
        self.loop = loop
        self.server = server
        self.readers = readers
        self.health = health
        authorization = responder.authorization
    }

    /// From the next request on, this token and these names. What else the settings hold stays as it was.
    public func reconfigure(_ settings: QueryAPISettings) { authorization.change(to: settings) }

    /// Takes no more requests, lets running ones end, ends its threads. Not from the api's loop. A loop that is stuck is left where it is.
    public func stop(within: Duration) async {
        let isOver = await server.stop(within: within)
        readers.close()
        health.close()
        loop.stop()
        if isOver { loop.join() }
    }
}
