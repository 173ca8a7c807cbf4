import EventLoop
import HTTP
import LLM
import Synchronization
import TLS
import Tracing

/// One loop's part of the gateway: all its state. Nothing in here is shared but what is named so.
///
/// A class and no actor, though it belongs to one (`GatewayLoop`): its functions run wherever they are called from, which is always
/// that actor, and so need no look at the executor on entry and after each call. On the path of a request those looks were a tenth
/// of all instructions (17 at 340 each).
final class Worker {
    let loop: EventLoop
    private(set) var settings: GatewaySettings
    let clock: Clock
    private(set) var hosts: HostCheck
    /// The thread beside the loop (`beside`).
    let reader: EventLoop
    // Shared between loops.
    let resolver: Resolver
    let runs: NamedRuns
    let spans: SpanQueue
    let counters: GatewayCounters
    private(set) var prices: PriceBook

    var ids: IDGenerator
    private(set) var isDraining = false
    let activeExchanges = ActiveExchanges()
    private var upstreams: [Upstream] = []
    private var spareExchanges: [Exchange] = []
    let spare = SpareStorage()
    let sessions: SessionBinder
    private var connections: [ObjectIdentifier: HTTP1Connection] = [:]

    init(
        loop: EventLoop, reader: EventLoop, settings: GatewaySettings, clock: Clock, ids: IDGenerator, resolver: Resolver, runs: NamedRuns, spans: SpanQueue,
        counters: GatewayCounters, catalogue: PriceCatalogue
    ) {
        self.loop = loop
        self.reader = reader
        self.settings = settings
        self.clock = clock
        self.ids = ids
        self.resolver = resolver
        self.runs = runs
        self.spans = spans
        self.counters = counters
        prices = PriceBook(catalogue)
        hosts = HostCheck(names: settings.hosts, isLoopback: settings.isLoopback)
        sessions = SessionBinder(salt: settings.runKeySalt)
    }

    /// Serves a connection that has just been accepted, to its end.
    func take(_ descriptor: Int32) async {
        // What lives here lives as long as the connection: it is little.
        guard let connection = open(descriptor) else { return }
        if await isReady(connection) { await serve(connection, from: Caller(of: connection.stream)) }
        forget(connection)
    }

    @inline(never)
    private func open(_ descriptor: Int32) -> HTTP1Connection? {
        guard let socket = try? Socket(descriptor, on: loop) else { return nil }
        let connection = HTTP1Connection(ByteStream(socket), pool: loop.buffers)
        connections[ObjectIdentifier(connection)] = connection
        return connection
    }

    @inline(never)
    private func forget(_ connection: HTTP1Connection) { connections[ObjectIdentifier(connection)] = nil }

    @inline(never)
    private func isReady(_ connection: HTTP1Connection) async -> Bool {
        guard let tls = settings.tls else { return true }
        return await shakeHands(tls, on: connection)
    }

    /// Begins TLS on an accepted connection, in the time that a head has; closes it where that fails. Nothing else is said to whoever
    /// speaks plain HTTP here.
    private func shakeHands(_ context: TLSContext, on connection: HTTP1Connection) async -> Bool {
        let stream = connection.stream
        do throws(HandshakeError) {
            let tls: TLSConnection
            do { tls = try TLSConnection(context, fileDescriptor: stream.socket.descriptor) } catch { throw .tls(error) }
            try await stream.startTLS(tls, until: loop.now + settings.headTimeoutNanoseconds)
            return true
        } catch {
            if error != .stream(.shutdown) { counters.failedHandshakes.add(1, ordering: .relaxed) }
            // The alert that says what was wrong must arrive, whatever is on its way here.
            if case .tls = error { await connection.closeAfterAnswer(on: loop) } else { stream.close() }
            return false
        }
    }

    func evictIdleConnections() {
        for upstream in upstreams { upstream.pool.evict() }
    }

    // MARK: upstreams

    /// The upstream a request's path names; nil when it names nothing known.
    func route(_ exchange: Exchange) -> Upstream? {
        let request = exchange.request
        let path = request.path
        guard let name = UpstreamPath.name(in: path) else { return nil }
        return upstream(named: name)
    }

    func upstream(named name: RawSpan) -> Upstream? {
        for index in 0..<upstreams.count where upstreams[index].isNamed(name) { return current(index, upstreams[index]) }
        guard let role = settings.role(at: name) else { return nil }
        let upstream = Upstream(role, settings, loop: loop, resolver: resolver, counters: counters.upstream(name.string))
        upstreams.append(upstream)
        return upstream
    }

    /// Makes an upstream anew.
    @inline(never)
    func again(_ index: Int, _ upstream: Upstream) -> Upstream? {
        let name = upstream.name
        guard let role = settings.role(at: name.bytes) else { return nil }
        upstream.pool.closeAll()
        let made = Upstream(role, settings, loop: loop, resolver: resolver, counters: counters.upstream(name.bytes.string))
        upstreams[index] = made
        return made
    }

    // MARK: exchanges

    func takeExchange() -> Exchange { spareExchanges.popLast() ?? Exchange() }

    /// Keeps it for another request, without what the last one made it hold.
    func giveBack(_ exchange: Exchange) {
        if exchange.body.capacity > Self.clearedAtOnce { clear(exchange.body) }
        guard spareExchanges.count < 256 else { return }
        exchange.reset()
        spareExchanges.append(exchange)
    }

    /// From the next request on, these settings and prices. Running exchanges go on with the upstream they began with.
    func reconfigure(_ settings: GatewaySettings, _ catalogue: PriceCatalogue) {
        settings.keepDetections(of: self.settings)
        self.settings = settings
        prices = PriceBook(catalogue)
        hosts = HostCheck(names: settings.hosts, isLoopback: settings.isLoopback)
        for upstream in upstreams { upstream.pool.closeAll() }
        upstreams.removeAll()
    }

    // MARK: the end

    /// Takes no more requests. Idle connections are closed; running exchanges go on.
    func drain() {
        isDraining = true
        for connection in connections.values where connection.input.isEmpty && !connection.isServing {
            connection.stream.socket.interrupt(.shutdown)
        }
        for upstream in upstreams { upstream.pool.closeAll() }
        for connection in connections.values where connection.isListening { abort(connection) }
    }

    /// Ends what still runs: its spans say `shutdown`.
    func abort() { for connection in connections.values { abort(connection) } }

    private func abort(_ connection: HTTP1Connection) {
        connection.stream.socket.onBehalf?.interrupt(.shutdown)
        connection.stream.socket.interrupt(.shutdown)
    }
}
