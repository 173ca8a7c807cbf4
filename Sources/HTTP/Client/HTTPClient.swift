public import EventLoop
public import TLS

/// An HTTP/1.1 client for use off the request path: exporters, the command line, tests. Whole requests, whole answers, or answers
/// read piece by piece; connections are kept and used again.
///
/// An actor on the loop it is given. Requests may run beside each other, each on a connection of its own. `close` it, on its loop,
/// before it is let go of.
public actor HTTPClient {
    // Connections stand before the loop: they must go while the loop is there.
    private var pools: [Origin: UpstreamPool] = [:]
    private var active: [ObjectIdentifier: HTTP1Connection] = [:]
    private let resolver: Resolver
    private let tls: TLSContext?
    private let proxy: @Sendable (Origin) -> Proxy?
    public nonisolated let loop: EventLoop
    public nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }

    /// - Parameters:
    ///   - tls: whom to believe, for `https` origins: a client's context.
    ///   - proxy: what an origin is reached through; nil: it is reached directly.
    public init(
        on loop: EventLoop, resolver: Resolver = Resolver(), tls: TLSContext? = nil, proxy: @escaping @Sendable (Origin) -> Proxy? = { _ in nil }
    ) {
        self.loop = loop
        self.resolver = resolver
        self.tls = tls
        self.proxy = proxy
    }

    /// Sends a request and reads the whole answer, whatever its status. Redirects are not followed.
    ///
    /// A pooled connection that turns out dead before any byte of an answer is replaced once by a fresh one.
    public func send(_ request: HTTPClientRequest) async throws(HTTPClientError) -> HTTPClientResponse {
        let deadline = request.timeout.map { loop.deadline(in: $0) } ?? .max
        let (connection, head) = try await begin(request, until: deadline)
        var response = HTTPClientResponse(head)
        var bytes: [UInt8] = []
        do {
            try await readBody(of: head, on: connection, limit: request.bodyLimit, until: { deadline }) { piece in
                bytes.append(copying: piece)
                return true
            }
        } catch {
            discard(connection)
            throw error
        }
        response.body = bytes
        finish(connection, head, request.origin)
        return response
    }

    /// Sends a request and hands the answer on as it comes: for event streams. The request's time-out holds until the head is there.
    /// - Parameters:
    ///   - idle: how long the answer may say nothing; nil for no limit.
    ///   - onHead: called once, with an empty body. Called on the loop, as is `onPiece`.
    ///   - onPiece: a piece of the body, decoded, valid inside only; false ends the exchange.
    public func stream(
        _ request: HTTPClientRequest, idle: Duration? = nil, onHead: @Sendable (HTTPClientResponse) -> Void,
        onPiece: @Sendable (RawSpan) -> Bool
    ) async throws(HTTPClientError) {
        let (connection, head) = try await begin(request, until: request.timeout.map { loop.deadline(in: $0) } ?? .max)
        onHead(HTTPClientResponse(head))
        do {
            let wasRead = try await readBody(
                of: head, on: connection, limit: .max, until: { idle.map { loop.deadline(in: $0) } ?? .max }, each: onPiece)
            if wasRead { finish(connection, head, request.origin) } else { discard(connection) }
        } catch {
            discard(connection)
            throw error
        }
    }

    /// Ends the requests that run (`HTTPClientError.closed`) and closes the connections that wait for use. A connection that is just
    /// being opened is not hurried.
    public func close() {
        for connection in active.values { connection.stream.socket.interrupt(.shutdown) }
        for pool in pools.values { pool.closeAll() }
        pools.removeAll()
    }

    // MARK: an exchange

    private func pool(for origin: Origin) -> UpstreamPool {
        if let known = pools[origin] { return known }
        let made = UpstreamPool(origin: origin, tls: tls, proxy: proxy(origin), loop: loop, resolver: resolver)
        pools[origin] = made
        return made
    }

    /// Sends the request and reads the answer's head.
    private func begin(_ request: HTTPClientRequest, until deadline: UInt64) async throws(HTTPClientError) -> (HTTP1Connection, MessageHead) {
        let pool = pool(for: request.origin)
        let output = OutputBuffer()
        try request.writeHead(to: output, through: pool.proxy)
        let head = MessageHead()
        pool.evict()
        var hasAnswered = false
        if let pooled = pool.takeIdle() {
            do {
                try await attempt(request, output, on: pooled, into: head, until: deadline, hasAnswered: &hasAnswered)
                return (pooled, head)
            } catch {
                discard(pooled)
                guard error == .cut, !hasAnswered, pooled.input.isEmpty else { throw error }
            }
        }
        let fresh: HTTP1Connection
        do {
            let left = deadline == .max ? .max : deadline - min(deadline, loop.deadline(in: .zero))
            fresh = try await pool.connect(timeout: left, for: nil)
        } catch { throw .connect(error) }
        do {
            try await attempt(request, output, on: fresh, into: head, until: deadline, hasAnswered: &hasAnswered)
            return (fresh, head)
        } catch {
            discard(fresh)
            throw error
        }
    }

    /// - Parameter hasAnswered: set when something of an answer, an interim one included, has come.
    private func attempt(
        _ request: HTTPClientRequest, _ output: OutputBuffer, on connection: HTTP1Connection, into head: MessageHead, until deadline: UInt64,
        hasAnswered: inout Bool
    ) async throws(HTTPClientError) {
        active[ObjectIdentifier(connection)] = connection
        var unsent: HTTPClientError?
        do throws(StreamError) {
            // Sound: a UInt8 has no padding; `request` is ours until this returns.
            let body = request.body
            try await connection.stream.write(output.bytes, unsafe body.span.bytes, until: deadline)
        } catch {
            // A server that refuses a body need not have read it: its answer may be there all the same (RFC 9112 §9.5).
            unsent = HTTPClientError(error)
        }
        repeat {
            // Interim answers (RFC 9110 §15.2) are passed over.
            do { try await connection.readAnswer(to: request.method, into: head, until: deadline) { hasAnswered = true } } catch {
                throw unsent ?? HTTPClientError(error)
            }
        } while head.status < 200
        connection.beginBody(head.framing)
        if unsent != nil { connection.isSpent = true }
    }

    /// Reads the body to its end, or until `each` returns false; says which.
    @discardableResult
    private func readBody(
        of head: MessageHead, on connection: HTTP1Connection, limit: Int, until deadline: () -> UInt64, each: (RawSpan) -> Bool
    ) async throws(HTTPClientError) -> Bool {
        if case .length(let length) = head.framing, length > limit { throw .answerTooLarge }
        let body = AnswerBody(head, limit: limit)
        let input = connection.input
        while true {
            let count: Int
            do { count = try await connection.nextPiece(until: deadline()) } catch { throw HTTPClientError(error) }
            guard count > 0 else { break }
            let goesOn = try body.take(input.bytes.extracting(first: count), each)
            connection.consumePiece()
            guard goesOn else { return false }
        }
        try body.finish()
        return true
    }

    /// The answer was read to its end.
    private func finish(_ connection: HTTP1Connection, _ head: MessageHead, _ origin: Origin) {
        guard head.keepsAlive, head.framing != .untilClose, let pool = pools[origin] else { return discard(connection) }
        active[ObjectIdentifier(connection)] = nil
        pool.giveBack(connection)
    }

    private func discard(_ connection: HTTP1Connection) {
        active[ObjectIdentifier(connection)] = nil
        connection.stream.close()
    }
}

extension EventLoop {
    /// The monotonic time so long from now, as deadlines are; at most a thousand years.
    func deadline(in duration: Duration) -> UInt64 {
        let (seconds, attoseconds) = duration.components
        let nanoseconds = UInt64(min(max(0, seconds), 1_000 * 365 * 86_400)) * 1_000_000_000 + UInt64(max(0, attoseconds)) / 1_000_000_000
        let (sum, overflow) = Clock.system.monotonic.addingReportingOverflow(nanoseconds)
        return overflow ? .max : sum
    }
}
