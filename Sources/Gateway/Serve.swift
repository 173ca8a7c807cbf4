import EventLoop
import HTTP
import LLM
import Synchronization
import Tracing

// The life of an exchange, top to bottom: identify, route, read, send, stream, finish. The steps stand in `Exchange/`, `Upstreams/`
// and `Refusals/`; what is decided is decided here.
extension Worker {
    /// Serves a connection's requests in order until one side ends it.
    func serve(_ downstream: HTTP1Connection, from caller: Caller) async {
        var unbroken = 0
        while !isDraining || !downstream.input.isEmpty {
            do {
                // Clients open connections before they need them: the first request may take as long to come as any other.
                guard try await downstream.waitForMessage(until: loop.now + settings.keepAliveNanoseconds) else { break }
            } catch { break }
            let exchange = takeExchange()
            downstream.isServing = true
            let keepsAlive = await serve(exchange, on: downstream, from: caller)
            downstream.isServing = false
            downstream.isListening = false
            giveBack(exchange)
            if !keepsAlive {
                await downstream.closeAfterAnswer(on: loop)
                return
            }
            // Whoever sends requests without pause takes turns with the others.
            if downstream.input.isEmpty, !downstream.stream.mayBeReadable { unbroken = 0 } else { unbroken += 1 }
            if unbroken == Self.requestsPerTurn {
                unbroken = 0
                await loop.yield()
            }
        }
        downstream.stream.close()
    }

    /// Requests of one connection that are served in a row.
    private static let requestsPerTurn = 32

    /// One exchange, from the request's head to the last byte of its answer.
    /// - Returns: whether the connection can take another.
    private func serve(_ exchange: Exchange, on downstream: HTTP1Connection, from caller: Caller) async -> Bool {
        exchange.takeStorage(from: spare)
        do {
            if !headIsAtHand(exchange, downstream) { try await readHead(into: exchange, from: downstream) }
        } catch {
            counters.malformedHeads.add(1, ordering: .relaxed)
            if case .badRequest(.stream(let stream)) = error, stream != .timedOut { return false }
            await refuseUnread(error, exchange, on: downstream)
            return false
        }

        // identify, route: what names nothing known leaves no span
        guard var upstream = route(exchange) ?? routeMetadata(exchange) else {
            counters.unknownPaths.add(1, ordering: .relaxed)
            return await refuseUnknown(exchange, on: downstream)
        }
        if exchange.asksMetadata, !asksServer(exchange, upstream) { return await answerMetadata(exchange, upstream, on: downstream) }
        exchange.open(upstream, by: self)
        // What a message says of its place is not known yet.
        if upstream.kind == .provider { exchange.place(upstream, caller: caller.bytes, by: self) }
        activeExchanges.began()
        defer { activeExchanges.ended() }

        var keepsAlive = false
        do {
            try admit(exchange, upstream)
            let connection: HTTP1Connection
            if upstream.kind == .provider {
                if try !isUnderstoodAtOnce(exchange, upstream, downstream) { try await understand(exchange, upstream, caller, downstream) }
                connection = try await send(exchange, to: upstream, for: downstream)
            } else {
                (upstream, connection) = try await sendMessage(exchange, to: upstream, for: downstream, from: caller)
            }
            keepsAlive = try await relay(exchange, from: connection, of: upstream, to: downstream)
        } catch {
            exchange.place(upstream, caller: caller.bytes, by: self)
            exchange.fail(error)
            keepsAlive = await refuse(error, exchange, upstream, on: downstream)
        }
        if exchange.isLongToFinish { await endBeside(exchange) }
        exchange.finish(upstream, clock, prices: prices)
        spans.record(exchange.span)
        exchange.leaveRun(runs)
        return keepsAlive
    }

    /// Reads and sends what is meant for an MCP server or an agent. Not part of its caller: what it needs would be kept as long as a
    /// stream runs.
    /// - Returns: what it went to, which may not be what it was taken for, and the connection with the answer.
    @inline(never)
    private func sendMessage(
        _ exchange: Exchange, to upstream: Upstream, for downstream: HTTP1Connection, from caller: Caller
    ) async throws(GatewayError) -> (Upstream, HTTP1Connection) {
        try await understand(exchange, upstream, caller, downstream)
        if exchange.asksMetadata { return (upstream, try await sendForMetadata(exchange, to: upstream, for: downstream)) }
        let connection = try await send(exchange, to: upstream, for: downstream)
        guard isDeclined(exchange, by: upstream) else { return (upstream, connection) }
        return try await sendToLegacy(exchange, declinedOn: connection, by: upstream, for: downstream)
    }

    /// Reads what a model is asked where that has come whole and is small, which is nearly always. What is not understood streams.
    /// Not part of its caller, for the same reason.
    @inline(never)
    private func isUnderstoodAtOnce(_ exchange: Exchange, _ upstream: Upstream, _ downstream: HTTP1Connection) throws(GatewayError) -> Bool {
        guard let api = api(of: exchange.request, upstream.dialect) else {
            // What it says would come back, and our credential with it (RFC 9110 §9.3.8).
            if exchange.request.method == .trace, upstream.credential != nil { throw .methodNotAllowed }
            return true
        }
        guard try bodyIsAtHand(exchange, downstream), exchange.body.count <= Self.readAtOnce else { return false }
        exchange.understand(api, upstream, content: settings.content)
        return true
    }

    /// The same for all that takes longer, and for messages. Not part of its caller: what it needs would be kept as long as a stream runs.
    @inline(never)
    private func understand(_ exchange: Exchange, _ upstream: Upstream, _ caller: Caller, _ downstream: HTTP1Connection) async throws(GatewayError) {
        guard upstream.kind == .provider || exchange.isMessage(upstream) else {
            exchange.place(upstream, caller: caller.bytes, by: self)
            if exchange.asksMetadata { return try exchange.editMetadata(upstream, by: self) }
            try admitMessage(exchange, upstream, caller)
            return exchange.leadCardHere(upstream, isTLS: settings.tls != nil, downstream.stream.socket.descriptor)
        }
        if !downstream.bodyIsDone, try !bodyIsAtHand(exchange, downstream) { try await readBody(of: exchange, from: downstream) }
        let isLarge = exchange.body.count > Self.readAtOnce
        if let api = upstream.kind == .provider ? api(of: exchange.request, upstream.dialect) : nil {
            if isLarge { await understandBeside(exchange, api, upstream) } else { exchange.understand(api, upstream, content: settings.content) }
            return
        }
        if isLarge { await readMessageBeside(exchange, upstream) } else { exchange.readMessage(upstream, content: settings.content) }
        try exchange.takeMessage(upstream, caller: caller.bytes, by: self)
        try admitMessage(exchange, upstream, caller)
        try exchange.confineSkills(upstream)
        exchange.leadCardHere(upstream, isTLS: settings.tls != nil, downstream.stream.socket.descriptor)
        if isLarge { await editMessageBeside(exchange) } else { exchange.editMessage() }
    }

    /// The same for what is known of a request to an MCP server once its message has been read.
    private func admitMessage(_ exchange: Exchange, _ upstream: Upstream, _ caller: Caller) throws(GatewayError) {
        guard upstream.kind == .mcpServer else { return }
        try exchange.openSession(upstream, caller, by: self)
        try exchange.confineTools(upstream)
    }

    /// Parses the request's head where it has come whole and is well-formed, which is nearly always.
    private func headIsAtHand(_ exchange: Exchange, _ downstream: HTTP1Connection) -> Bool {
        let input = downstream.input
        guard let length = HeadParser.requestAtHand(input.bytes, into: exchange.request) else { return false }
        input.consume(length)
        downstream.beginBody(exchange.request.framing)
        return true
    }

    /// Reads and parses the request's head.
    @inline(never)
    private func readHead(into exchange: Exchange, from downstream: HTTP1Connection) async throws(GatewayError) {
        let length: Int
        do { length = try await downstream.readHead(until: loop.now + settings.headTimeoutNanoseconds) } catch { throw .badRequest(error) }
        let input = downstream.input
        do { try HeadParser.parseRequest(input.bytes.extracting(first: length), into: exchange.request) } catch { throw .badRequest(.head(error)) }
        input.consume(length)
        downstream.beginBody(exchange.request.framing)
    }

    /// Refuses what may not go on although it is known where it would go.
    private func admit(_ exchange: Exchange, _ upstream: Upstream) throws(GatewayError) {
        if exchange.request.wantsUpgrade || exchange.request.method == .connect { throw .upgrade }
        if isDraining { throw .draining }
        if upstream.credential != nil || upstream.kind != .provider, !hosts.accepts(exchange.request) {
            counters.foreignHosts.add(1, ordering: .relaxed)
            throw .foreignHost
        }
        if upstream.kind != .provider {
            switch exchange.request.method {
            case .post, .get, .delete: break
            case .head, .options: if upstream.kind == .mcpServer { throw .methodNotAllowed }
            default: throw .methodNotAllowed
            }
        }
        if upstream.confinesPaths {
            let request = exchange.request
            if request.path.leadsUp { throw .pathLeadsUp }
        }
        if let missing = upstream.missingConfiguration { throw .notConfigured(missing) }
    }

    private func api(of request: MessageHead, _ dialect: Provider.Dialect) -> API? {
        request.method == .post ? API(dialect: dialect, method: request.methodBytes, path: request.path) : nil
    }

    /// Takes the body of a request that is understood where it has come whole with its head. Every other body streams.
    private func bodyIsAtHand(_ exchange: Exchange, _ downstream: HTTP1Connection) throws(GatewayError) -> Bool {
        if case .length(let length) = exchange.request.framing, length > settings.maxBody { throw .bodyTooLarge(limit: settings.maxBody) }
        // Whoever waits for leave to send has sent nothing.
        if exchange.request.expectsContinue { return false }
        do { return try downstream.bodyAtHand(into: exchange.body, atMost: settings.maxBody) } catch { throw unreadableBody(error) }
    }

    /// Reads the rest of that body.
    private func readBody(of exchange: Exchange, from downstream: HTTP1Connection) async throws(GatewayError) {
        try await continueIfExpected(exchange, downstream)
        do {
            try await downstream.readBody(
                into: exchange.body, atMost: settings.maxBody, idleNanoseconds: settings.callerIdleNanoseconds, until: exchange.totalDeadline)
        } catch {
            if error == .stream(.timedOut), loop.now >= exchange.totalDeadline { throw .totalTimeout }
            throw unreadableBody(error)
        }
    }

    private func unreadableBody(_ error: HTTPError) -> GatewayError {
        switch error {
        case .bodyTooLarge: .bodyTooLarge(limit: settings.maxBody)
        case .stream(.shutdown): .shutdown
        case .stream(.reset), .stream(.cut), .stream(.callerGone): .callerGone
        default: .badRequest(error)
        }
    }

    /// The client waits for leave to send its body (RFC 9110 §10.1.1): it has ours.
    func continueIfExpected(_ exchange: Exchange, _ downstream: HTTP1Connection) async throws(GatewayError) {
        guard exchange.request.expectsContinue, exchange.request.minorVersion >= 1, downstream.input.isEmpty, !downstream.bodyIsDone else { return }
        do {
            try await downstream.stream.write(("HTTP/1.1 100 Continue\r\n\r\n" as StaticString).bytes, until: loop.now + settings.callerIdleNanoseconds)
        } catch { throw .callerGone }
    }
}
