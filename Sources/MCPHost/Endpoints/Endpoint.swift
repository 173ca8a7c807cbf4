import EventLoop
import HTTP
import JSONRPC
import MCP

/// One hosted server as its clients see it: an MCP server with Streamable HTTP, in sessions or without (MCP 2025-03-26 to 2026-07-28).
/// Confined to the host's loop.
final class Endpoint: @unchecked Sendable {
    let server: HostedServer
    private let loop: EventLoop
    private let limits: HostLimits
    private let board: NoticeBoard
    private let resolver: Resolver
    private var sessions: [String: Session] = [:]
    /// The one process for all requests that need no session.
    private var shared: Session?
    /// Those that have not ended yet.
    private var duplexes: [ObjectIdentifier: any Duplex] = [:]
    private var restarts = Restarts()
    /// It is reached as only a server with sessions is, or has been asked for `server/discover` and does not know it.
    private var wantsHandshake: Bool
    private var isClosed = false

    init(_ server: HostedServer, on loop: EventLoop, resolver: Resolver, limits: HostLimits, board: NoticeBoard) {
        self.resolver = resolver
        self.server = server
        self.loop = loop
        self.limits = limits
        self.board = board
        if case .eventStream = server.way { wantsHandshake = true } else { wantsHandshake = false }
    }

    // MARK: requests

    func answer(_ request: HTTPRequest) async -> HTTPResponse {
        switch request.method {
        case .post: await post(request)
        case .get: get(request)
        case .delete: delete(request)
        default: .refusal(405, -32600, "An MCP server is spoken to with POST, GET and DELETE.")
        }
    }

    private func post(_ request: HTTPRequest) async -> HTTPResponse {
        let message: Message
        do { message = try Message(request.body) } catch { return .refusal(400, error.code, error.message) }
        let session: Session
        do throws(Refusal) {
            session = try self.session(for: message, request)
        } catch { return error.answer(message) }
        session.use(loop.now)
        guard message.envelope.kind == .request else {
            return session.pass(message, request.forwarded) ? HTTPResponse(202) : unread.answer(message)
        }
        guard let call = session.begin(message, takesStream: request.takesEvents, request.forwarded) else { return unread.answer(message) }
        if session.era == .stateless, call.method == .serverDiscover { limitDiscovery(call, session) }
        request.caller?.onLeaving = { session.leave(call) }
        if request.caller?.hasGone == true { session.leave(call) }
        return await answer(to: call, in: session, opening: message.request?.method == .initialize)
    }

    /// The answer to a request: a JSON text where nothing comes before it, else a stream.
    private func answer(to call: Call, in session: Session, opening: Bool) async -> HTTPResponse {
        guard let first = await call.outlet.next() else { return HTTPResponse(499) }
        if opening, session.end == nil, sessions[session.id] == nil { sessions[session.id] = session }
        let fields = opening && session.end == nil ? [HTTPField("mcp-session-id", session.id)] : []
        guard !first.isLast else {
            let code = Self.errorCode(of: first.message)
            // A handshake that failed has made no session.
            if opening, code != nil { session.close("has refused the handshake.") }
            noteDiscovery(call, session, code)
            var response = HTTPResponse(session.era == .stateless ? Self.status(code) : 200, "application/json", first.message)
            if !opening || code == nil { response.fields += fields }
            return response
        }
        return .eventStream(fields) { writer in
            var item = first
            while true {
                try await writer.write(Self.event(item.message))
                if item.isLast { return }
                guard let next = await call.outlet.next() else { throw StreamError.callerGone }
                item = next
            }
        }
    }

    /// The stream on which a client hears what belongs to none of its requests.
    private func get(_ request: HTTPRequest) -> HTTPResponse {
        if request.value(of: "mcp-protocol-version") == Self.stateless { return .refusal(405, -32600, "There is nothing to get since 2026-07-28. Send POST.", allow: "POST") }
        let session: Session
        do throws(Refusal) { session = try openSession(request) } catch { return error.answer(nil) }
        guard request.takesEvents else { return .refusal(406, -32600, "A stream is to be had with Accept: text/event-stream.") }
        guard session.listen() else { return .refusal(409, -32600, "This session has its stream already.") }
        session.use(loop.now)
        let loop = loop
        let outlet = session.unsolicited
        let caller = request.caller
        var hasBegun = false
        func leave() {
            outlet.leave()
            // Whoever leaves before the stream has begun never comes to its end.
            if !hasBegun { session.stopListening(loop.now) }
        }
        if caller?.hasGone == true { leave() } else { caller?.onLeaving = leave }
        return .eventStream([]) { writer in
            guard caller?.hasGone != true else { throw StreamError.callerGone }
            hasBegun = true
            defer { session.stopListening(loop.now) }
            while let item = await outlet.next() {
                do { try await writer.write(Self.event(item.message)) } catch {
                    outlet.putBack(item)
                    throw error
                }
            }
        }
    }

    private func delete(_ request: HTTPRequest) -> HTTPResponse {
        let session: Session
        do throws(Refusal) { session = try openSession(request) } catch { return error.answer(nil) }
        session.close("was ended by its client.")
        return HTTPResponse(204)
    }

    // MARK: sessions

    private func session(for message: Message, _ request: HTTPRequest) throws(Refusal) -> Session {
        if message.request?.isModern == true || request.value(of: "mcp-protocol-version") == Self.stateless { return try sharedSession(message, request) }
        guard message.request?.method == .initialize, message.envelope.kind == .request else { return try openSession(request) }
        if sessions.count >= limits.sessions, !endQuietest() {
            throw Refusal(429, -32603, "\(server.name) has \(limits.sessions) sessions, and all are in use. End some with DELETE, or try again later.")
        }
        return try start(.handshake, request)
    }

    /// The session that a request names.
    private func openSession(_ request: HTTPRequest) throws(Refusal) -> Session {
        guard let id = request.value(of: "mcp-session-id") else {
            throw Refusal(400, -32600, "A session begins with initialize, and every request in it says its Mcp-Session-Id.")
        }
        if let version = request.value(of: "mcp-protocol-version"), !Self.handshakes.contains(version) {
            throw Refusal(400, -32600, "This MCP-Protocol-Version is none that has sessions.")
        }
        guard let session = sessions[id], session.end == nil else { throw Refusal(404, -32600, "This session is over, or never was. Begin another with initialize.") }
        return session
    }

    private func sharedSession(_ message: Message, _ request: HTTPRequest) throws(Refusal) -> Session {
        guard message.request != nil else { throw Refusal(400, -32600, "A client answers nothing by itself since 2026-07-28.") }
        if wantsHandshake { throw Refusal(404, -32601, "\(server.name) knows no requests without a session. Begin with initialize.") }
        if let shared, shared.end == nil { return shared }
        let made = try start(.stateless, request)
        shared = made
        return made
    }

    private func start(_ era: Session.Era, _ request: HTTPRequest) throws(Refusal) -> Session {
        if isClosed { throw Refusal(503, -32603, "The gateway is shutting down and starts no server. Try again in a moment.") }
        let wait = restarts.wait(loop.now)
        guard wait == 0 else {
            throw Refusal(200, -32603, "\(server.name) has ended again and again, and is started no sooner than in \(wait / 1_000_000_000 + 1) s. Its standard error is in the gateway's log.")
        }
        let session = Session(id: Self.sessionID(), era: era, server: server.name, limits: limits, board: board, now: loop.now)
        let startedAt = loop.now
        let duplex: any Duplex
        switch server.way {
        case .program(let command, let environment):
            do {
                duplex = try StdioServer(server.name, command, environment: environment, on: loop, limits: limits, board: board) { session.take($0) }
            } catch {
                restarts.ended(after: 0, now: loop.now)
                let why = StdioServer.words(error, server.name, command[0])
                board.note(.notStarted(server: server.name, why: why))
                throw Refusal(200, -32603, "\(server.name) \(why)")
            }
        case .eventStream(let endpoint):
            duplex = EventStreamServer(server.name, endpoint, fields: request.forwarded, on: loop, resolver: resolver, limits: limits) { session.take($0) }
        }
        session.open(duplex)
        duplexes[ObjectIdentifier(duplex)] = duplex
        session.onEnd = { [unowned self, unowned session] in
            sessions[session.id] = nil
            if shared === session { shared = nil }
            if duplex.isOver { restarts.ended(after: loop.now - startedAt, now: loop.now) }
            sweep()
        }
        return session
    }

    /// Room for another session: ends the one that has been quiet longest.
    private func endQuietest() -> Bool {
        guard let quietest = sessions.values.filter(\.isQuiet).min(by: { $0.lastUsed < $1.lastUsed }) else { return false }
        quietest.close("was ended to make room for another session.")
        return true
    }

    /// Ends what nobody has used for long, and forgets processes that have ended. Called now and then.
    func sweep() {
        duplexes = duplexes.filter { !$0.value.isOver }
        let idle = limits.idle.nanoseconds
        for session in Array(sessions.values) + [shared].compactMap({ $0 }) where session.isQuiet && loop.now > session.lastUsed + idle {
            session.close("was ended because nobody used it.")
        }
    }

    // MARK: which era a server is of

    /// A server that is not of 2026-07-28 may say nothing to what it does not know.
    private func limitDiscovery(_ call: Call, _ session: Session) {
        let (loop, limits) = (loop, limits)
        nonisolated(unsafe) let (call, session) = (call, session)  // sound: all of them belong to this loop
        Task(executorPreference: loop) {
            await loop.sleep(nanoseconds: limits.discovery.nanoseconds)
            unsafe session.fail(call, -32601, "\(session.server) does not answer server/discover. Begin with initialize.")
        }
    }

    private func noteDiscovery(_ call: Call, _ session: Session, _ code: Int64?) {
        guard session.era == .stateless, call.method == .serverDiscover, let code, !(-32022 ... -32020).contains(code), session.end == nil else { return }
        wantsHandshake = true
        session.close("knows no requests without a session.")
    }

    // MARK: the end

    /// Ends the streams that are listened on, which would last for ever, and starts no more processes.
    func drain() {
        isClosed = true
        for session in sessions.values where session.isListened { session.unsolicited.leave() }
    }

    /// Ends all sessions and their processes.
    func close() {
        isClosed = true
        for session in sessions.values { session.close("was ended: the gateway is shutting down, or its configuration has changed.") }
        shared?.close("was ended: the gateway is shutting down, or its configuration has changed.")
        for duplex in duplexes.values { duplex.close() }
    }

    /// Nothing of it runs any more.
    var isOver: Bool { duplexes.values.allSatisfy { $0.isOver } }

    private var unread: Refusal {
        Refusal(200, -32603, "\(server.name) does not read what it is sent. Try again when it has caught up.")
    }
}
