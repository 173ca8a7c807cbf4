import EventLoop
import HTTP
import JSONRPC
import MCP

/// The messages between one server and its clients: of one client since its handshake, or of all that need none. Confined to the host's
/// loop.
///
/// A request goes to the server with an id of ours and comes back with the client's, of the type it had. What the server says by itself
/// goes to the request it belongs to, as far as that can be told, else to the stream that the client listens on.
final class Session {
    enum Era {
        /// MCP 2024-11-05 to 2025-11-25: one client, which has introduced itself.
        case handshake
        /// MCP 2026-07-28: each request says all there is to know.
        case stateless
    }

    /// `Mcp-Session-Id`.
    let id: String
    let era: Era
    let server: String
    let limits: HostLimits
    let board: NoticeBoard
    /// What carries its messages; set once, before the first.
    private(set) var duplex: (any Duplex)?
    private(set) var calls: [Int64: Call] = [:]
    private var lastNumber: Int64 = 0
    /// Requests that were cancelled, and may be answered all the same.
    private var forgotten: Set<Int64> = []
    /// What belongs to no request.
    let unsolicited = Outlet()
    private(set) var isListened = false
    /// Monotonic nanoseconds: when a client last came.
    private(set) var lastUsed: UInt64
    /// Why it has ended.
    private(set) var end: String?
    /// Called once when it has ended.
    var onEnd: (() -> Void)?

    init(id: String, era: Era, server: String, limits: HostLimits, board: NoticeBoard, now: UInt64) {
        self.id = id
        self.era = era
        self.server = server
        self.limits = limits
        self.board = board
        lastUsed = now
        unsolicited.onTaken = { [unowned self] in see() }
    }

    func open(_ duplex: any Duplex) { self.duplex = duplex }

    /// Whether nothing runs and nobody listens.
    var isQuiet: Bool { calls.isEmpty && !isListened }

    func use(_ now: UInt64) { lastUsed = now }

    // MARK: from clients

    /// Sends a request on its way.
    /// - Parameter fields: of its HTTP request.
    /// - Returns: nil where the server does not take it.
    func begin(_ message: Message, takesStream: Bool, _ fields: [HTTPField]) -> Call? {
        lastNumber += 1
        let call = Call(message, number: lastNumber, takesStream: takesStream)
        let number = Array("\(lastNumber)".utf8)
        var edits = [(message.envelope.id, number)]
        if era == .stateless, let request = message.request, !request.progressToken.isEmpty { edits.append((request.progressToken, number)) }
        guard end == nil, duplex?.send(Message.onOneLine(message.replacing(edits)), fields) == true else { return nil }
        calls[call.number] = call
        call.outlet.onTaken = { [unowned self] in see() }
        return call
    }

    /// Passes on what needs no answer: a notification, or the answer to a request of the server's.
    func pass(_ message: Message, _ fields: [HTTPField]) -> Bool {
        guard message.isCancellation, let cancelled = message.request?.cancelledID else {
            return duplex?.send(Message.onOneLine(message.bytes), fields) == true
        }
        let id = JSONRPCID(written: message.text(cancelled))
        // What has its answer already needs no cancellation.
        guard let call = calls.values.filter({ $0.id == id }).max(by: { $0.number < $1.number }) else { return true }
        guard duplex?.send(Message.onOneLine(message.replacing([(cancelled, Array("\(call.number)".utf8))])), fields) == true else { return false }
        // Servers do not answer what was cancelled, and its stream must end.
        forget(call)
        call.outlet.put(Message.error(-32800, "The request was cancelled.", id: call.clientID), isLast: true)
        return true
    }

    /// Whose answer, if it still comes, is nobody's.
    private func forget(_ call: Call) {
        calls[call.number] = nil
        if forgotten.count >= 1024 { forgotten.removeAll() }
        forgotten.insert(call.number)
    }

    /// Nobody waits for a request's answer any more. Where there is a session that is no wish to cancel it; where there is none, it is
    /// (MCP 2026-07-28, Cancellation; over stdio it takes a notification).
    func leave(_ call: Call) {
        call.outlet.leave()
        guard calls[call.number] != nil else { return }
        if era == .stateless {
            forget(call)
            _ = duplex?.send(Message.cancellation(of: call.number), [])
        }
        see()
    }

    /// Answers a request in the server's place.
    func fail(_ call: Call, _ code: Int, _ words: String) {
        guard calls.removeValue(forKey: call.number) != nil else { return }
        call.outlet.put(Message.error(code, words, id: call.clientID), isLast: true)
    }

    /// Gives the stream of what belongs to no request to the one who listens; false where somebody does already.
    func listen() -> Bool {
        guard !isListened else { return false }
        isListened = true
        unsolicited.enter()
        return true
    }

    func stopListening(_ now: UInt64) {
        isListened = false
        lastUsed = now
        see()
    }

    /// Ends it for a reason of ours.
    func close(_ why: String) {
        guard end == nil else { return }
        hasEnded(why)
        duplex?.close()
    }

    // MARK: from the server

    func take(_ arrival: Arrival) {
        guard end == nil else { return }
        switch arrival {
        case .message(let bytes): take(bytes)
        case .tooLong(let cut): take(cut)
        case .undelivered(let bytes, let why):
            guard let message = try? Message(unchecked: bytes), let number = message.number(message.envelope.id), let call = calls[number] else { return }
            fail(call, -32603, "\(server) \(why)")
        case .end(let why): hasEnded(why)
        }
        see()
    }

    private func take(_ bytes: [UInt8]) {
        let message: Message
        do { message = try Message(bytes) } catch {
            // One that is well-formed but for its encoding still says which request it answers.
            guard let broken = try? Message(unchecked: bytes), let call = call(answeredBy: broken) else { return board.note(.junk, server) }
            return fail(call, -32603, "\(server) sent an answer that is no UTF-8. Mend the server.")
        }
        switch message.envelope.kind {
        case .result, .error:
            guard let call = call(answeredBy: message) else {
                if let number = message.number(message.envelope.id), forgotten.remove(number) != nil { return }
                return board.note(.unknownAnswer, server)
            }
            calls[call.number] = nil
            var edits = [(message.envelope.id, call.clientID)]
            if call.method == .subscriptionsListen { edits.append((message.subscription, call.clientID)) }
            let answer = message.envelope.id.isEmpty ? Message.error(message.text(message.envelope.outcome), id: call.clientID) : message.replacing(edits)
            call.outlet.put(answer, isLast: true)
        case .request, .notification:
            if era == .stateless { routeStateless(message) } else { route(message) }
        }
    }

    private func call(answeredBy message: Message) -> Call? {
        if let number = message.number(message.envelope.id) { return calls[number] }
        // An error without an id answers what could not be read. Where one request waits, it was that one.
        guard message.envelope.kind == .error, message.envelope.id.isEmpty, calls.count == 1 else { return nil }
        return calls.first?.value
    }

    private func take(_ cut: LineReader.Cut) {
        board.note(.tooLong, server)
        guard let call = cut.answeredNumber.flatMap({ calls[$0] }) ?? (calls.count == 1 ? calls.first?.value : nil) else { return }
        fail(call, -32603, "\(server) sent an answer of \(cut.length) bytes, more than gateway.max_body (\(limits.message)). Ask for less, or raise the limit.")
    }

    /// What a server says in a session.
    private func route(_ message: Message) {
        guard let method = message.request?.method else { return }
        if method == .progress, let token = message.request?.progressToken {
            let id = JSONRPCID(written: message.text(token))
            if let call = calls.values.first(where: { $0.takesStream && !$0.outlet.isLeft && !$0.token.isEmpty && $0.tokenID == id }) {
                return call.outlet.put(message.bytes)
            }
        }
        let running = calls.values.filter { $0.takesStream && !$0.outlet.isLeft }
        if let latest = running.max(by: { $0.number < $1.number }), !isListened || running.count == 1 && !method.isAboutTheServer {
            return latest.outlet.put(message.bytes)
        }
        unsolicited.put(message.bytes)
    }

    /// What a server says by itself to clients without a session.
    private func routeStateless(_ message: Message) {
        guard let request = message.request else { return }
        guard message.envelope.kind == .notification else {
            _ = duplex?.send(Message.error(-32601, "A server asks nothing of its client since 2026-07-28.", id: message.text(message.envelope.id)), [])
            return
        }
        var place = request.method == .cancelled ? request.cancelledID : request.progressToken
        if place.isEmpty { place = message.subscription }
        if let number = message.number(place), let call = calls[number] {
            guard !place.isEmpty, request.method != .progress || !call.token.isEmpty else { return }
            call.outlet.put(message.replacing([(place, request.method == .progress ? call.token : call.clientID)]))
            if request.method == .cancelled {
                calls[number] = nil
                call.outlet.finish()
            }
        } else if place.isEmpty, calls.count == 1, let only = calls.first?.value, only.takesStream {
            only.outlet.put(message.bytes)
        }
    }

    // MARK: what waits

    /// Looks after what waits to be taken by clients.
    private func see() {
        guard end == nil else { return }
        if !isListened { shed() }
        if era == .stateless {
            // Others must not wait for one who does not read.
            for call in calls.values where call.outlet.byteCount > limits.waiting { cutOff(call) }
            return
        }
        duplex?.pause(calls.values.contains { !$0.outlet.isLeft && $0.outlet.byteCount > limits.waiting } || isListened && unsolicited.byteCount > limits.waiting)
    }

    private func cutOff(_ call: Call) {
        board.note(.slowClient, server)
        leave(call)
    }

    /// What nobody listens for is kept, but not without end: the oldest goes, and a request of the server's has its answer.
    private func shed() {
        while unsolicited.count > limits.kept || unsolicited.byteCount > limits.waiting, let oldest = unsolicited.takeFirst() {
            board.note(.unheard, server)
            guard let message = try? Message(oldest.message), message.envelope.kind == .request else { continue }
            _ = duplex?.send(Message.error(-32603, "No client listens.", id: message.text(message.envelope.id)), [])
        }
    }

    // MARK: the end

    private func hasEnded(_ why: String) {
        end = why
        for call in calls.values.sorted(by: { $0.number < $1.number }) { fail(call, -32603, "\(server) \(why)") }
        unsolicited.finish()
        onEnd?()
    }
}

extension MCPMethod {
    /// It says what has become of the server, and answers no request.
    fileprivate var isAboutTheServer: Bool {
        switch self {
        case .toolsListChanged, .promptsListChanged, .resourcesListChanged, .resourceUpdated, .tasksStatus: true
        default: false
        }
    }
}
