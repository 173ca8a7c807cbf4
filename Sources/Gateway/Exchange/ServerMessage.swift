import A2A
import Content
import EventLoop
import HTTP
import JSONRPC
import MCP
import Tracing

/// A message to an MCP server or an agent while its exchange lasts.
final class ServerMessage {
    /// What it asks.
    enum Request {
        case mcp(MCPRequest)
        case a2a(A2ARequest)
    }

    /// The one below that is spoken.
    private(set) var call: any MessageCall
    let mcp = MCPCall()
    /// Made with the first request to an agent.
    private(set) var a2a: A2ACall?
    /// What it asks; nil of an answer to the server, and of what is none of an agent's protocol; and why it is no message.
    private(set) var request = Result<Request?, JSONRPCError>.success(nil)
    /// What changes in it on its way.
    fileprivate(set) var edits: [MessageEdit] = []
    /// It could be taken for another; looked for only where that matters.
    fileprivate(set) var hasLookalikes = false
    /// Where the task is remembered that comes of a request to an agent, or that it is about; nil once it is.
    fileprivate var remembering: TaskMemory?
    /// When it had its answer although the stream goes on; monotonic nanoseconds, 0 not yet. A hop to an agent ends with its stream.
    private(set) var answeredAt: UInt64 = 0

    init() { call = mcp }

    func reset() {
        call.reset()
        call = mcp
        request = .success(nil)
        edits = []
        hasLookalikes = false
        remembering = nil
        answeredAt = 0
    }

    /// - Parameter strictly: no server may read it otherwise.
    fileprivate func read(_ bytes: RawSpan, strictly: Bool) {
        if strictly { hasLookalikes = MCPRequest.hasLookalikes(bytes) }
        do { request = .success(try mcp.readRequest(bytes).map { .mcp($0) }) } catch { request = .failure(error) }
    }

    /// - Parameter rest: of the path, behind the agent's name.
    fileprivate func read(_ bytes: RawSpan, for agent: Upstream, _ head: MessageHead, rest: RawSpan) {
        let call = a2a ?? A2ACall()
        a2a = call
        self.call = call
        call.agent = agent.agent?.name ?? []
        do {
            let version = head.a2aVersion
            if let path = A2APath(head.method, rest) {
                request = .success(.a2a(try call.readRequest(path, rest, bytes, version: unsafe version.span.bytes)))
            } else {
                request = .success(.a2a(try call.readMessage(bytes, version: unsafe version.span.bytes)))
            }
        } catch {
            // Below the agent's URL anything may be: a verb of its own, an extension, a version to come.
            let isOther = !rest.isAtRoot && A2APath(head.method, rest) == nil && !JSONRPCMessage.isMeant(bytes)
            request = isOther ? .success(nil) : .failure(error)
        }
    }

    /// The request will not be sent again.
    func forgetEdits() { edits = [] }

    func noteAnswer(_ clock: Clock) {
        guard a2a !== call else { return rememberTask() }
        if answeredAt == 0, mcp.isAnswered { answeredAt = clock.monotonic }
    }

    /// The agent has named the task: what is asked about it from now on, while its stream still runs, belongs to this run.
    private func rememberTask() {
        guard let remembering, let task = a2a?.answeredTask, !task.isEmpty else { return }
        self.remembering = nil
        remembering.tasks.remember(remembering.key(task), remembering.place)
    }

    /// What the caller was sent so far is all it asked for.
    var hasSaidAll: Bool { answeredAt > 0 || call.hasSaidAll }
}

/// Which tasks are the same: those of one caller and one agent with one id.
private struct TaskMemory {
    let tasks: TaskRuns
    let scope: [UInt8]
    let agent: [UInt8]
    let salt: (UInt64, UInt64)
    /// Where the hop stands.
    var place = TaskRuns.Place(trace: TraceID(high: 0, low: 0), parent: SpanID(0), rootIsOurs: false, flags: [], runName: [])

    func key(_ task: [UInt8]) -> RunKey {
        // No agent's name has such a byte.
        let name = agent + [0] + task
        // Sound: bytes have no padding.
        return unsafe RunKey(scope: scope.span.bytes, name: name.span.bytes, salt: salt)
    }
}

extension MessageHead {
    /// The version of A2A that a request names, in a field or in the query (A2A 1.0, "Service parameters"); empty without.
    fileprivate var a2aVersion: [UInt8] {
        if let index = Self.versionField.index(in: self) { return Array(value(index).string.utf8) }
        let target = target
        guard let question = target.firstIndex(of: UInt8(ascii: "?")) else { return [] }
        var start = question + 1
        while start < target.byteCount {
            let end = target.firstIndex(of: UInt8(ascii: "&"), from: start) ?? target.byteCount
            let pair = target.extracting(start..<end)
            if pair.starts(ignoringCase: "a2a-version=") { return Array(pair.extracting(12..<pair.byteCount).string.utf8) }
            start = end + 1
        }
        return []
    }

    private static let versionField = ConfiguredField("a2a-version")
}

// The steps of an exchange that only messages have.
extension Exchange {
    /// The request is one that is understood, with or without a body.
    func isMessage(_ upstream: Upstream) -> Bool {
        request.method == .post || upstream.kind == .agent && isOverHTTPAlone(upstream)
    }

    /// The request is of A2A's HTTP+JSON binding, and no message of JSON-RPC.
    func isOverHTTPAlone(_ upstream: Upstream) -> Bool {
        let request = request
        return A2APath(request.method, request.path(behind: upstream)) != nil
    }

    /// The caller speaks JSON-RPC to an agent: it posts to the agent's URL, or what it posts below that was read as a message.
    func isByJSONRPC(_ upstream: Upstream) -> Bool {
        let request = request
        guard request.method == .post, !isOverHTTPAlone(upstream) else { return false }
        return request.path(behind: upstream).isAtRoot || message?.a2a?.isKnown == true
    }

    /// The request is a message; its body has been read whole. Reads it: `takeMessage` says what came of it.
    func readMessage(_ upstream: Upstream, content: ContentRecording) {
        let message = spareMessage ?? ServerMessage()
        self.message = message
        let body = body
        guard upstream.kind == .agent else {
            message.mcp.content = content
            return message.read(body.bytes, strictly: upstream.tools != nil)
        }
        let request = request
        message.read(body.bytes, for: upstream, request, rest: request.path(behind: upstream))
    }

    /// Places the hop by what the message brings.
    func takeMessage(_ upstream: Upstream, caller: RawSpan, by worker: Worker) throws(GatewayError) {
        guard let message else { return }
        let request: ServerMessage.Request?
        do { request = try message.request.get() } catch { throw .badMessage(error) }
        let body = body
        let brought: TraceContext? =
            switch request {
            case .mcp(let request): readContext(request.trace, in: body.bytes)
            // A2A has no place of its own for it: HTTP's is the one.
            case .a2a where contextInHead != nil: nil
            case .a2a(let request): readContext(request.messageTrace, in: body.bytes) ?? readContext(request.paramsTrace, in: body.bytes)
            case nil: nil
            }
        if brought == nil, let request { readBaggage(request, in: body.bytes) }
        guard case .a2a = request, let agent = upstream.agent, let call = message.a2a else {
            return place(upstream, caller: caller, by: worker, brought: brought)
        }
        // Sound: the bytes are read inside the closure only.
        var memory = TaskMemory(
            tasks: worker.tasks, scope: unsafe caller.withUnsafeBytes { unsafe Array($0) }, agent: agent.name, salt: worker.settings.runKeySalt)
        let task = call.requestedTask.isEmpty ? nil : worker.tasks.place(of: memory.key(call.requestedTask))
        place(upstream, caller: caller, by: worker, brought: brought, task: task)
        let record = span.record
        memory.place = TaskRuns.Place(
            trace: record.traceID, parent: SpanID(record.parent), rootIsOurs: record.runRoot != 0, flags: context.flags, runName: runName)
        message.remembering = memory
    }

    /// Makes the context that is to travel in the message.
    func editMessage() {
        guard let message, case .success(let request?) = message.request else { return }
        let (parent, state, baggage, body) = (contextText, traceState, baggage, body)
        message.edits =
            switch request {
            case .mcp(let request):
                unsafe [request.writing(traceparent: parent.span.bytes, tracestate: state.text, baggage: baggage.text, in: body.bytes)].compactMap { $0 }
            case .a2a(let request):
                unsafe request.writing(traceparent: parent.span.bytes, tracestate: state.text, baggage: baggage.text, in: body.bytes)
            }
    }

    /// The trace context a message brings: nil unless it is valid. Its state and baggage then count, and not those of the head.
    private func readContext(_ trace: TraceMembers, in bytes: RawSpan) -> TraceContext? {
        var context: TraceContext?
        JSONRPCMessage.withText(trace.traceparent, in: bytes) { context = TraceContext(traceparent: $0) }
        guard context != nil else { return nil }
        JSONRPCMessage.withText(trace.tracestate, in: bytes) { traceState.append($0) }
        JSONRPCMessage.withText(trace.baggage, in: bytes) { baggage.append($0) }
        return context
    }

    /// Baggage needs no trace context beside it: without any in the head the message's counts, but not beside a context that is none.
    private func readBaggage(_ message: ServerMessage.Request, in bytes: RawSpan) {
        guard request.index(of: .baggage) == nil else { return }
        switch message {
        case .mcp(let request): readBaggage(request.trace, in: bytes)
        case .a2a(let request):
            readBaggage(request.messageTrace, in: bytes)
            if baggage.isEmpty { readBaggage(request.paramsTrace, in: bytes) }
        }
    }

    private func readBaggage(_ trace: TraceMembers, in bytes: RawSpan) {
        var counts = trace.traceparent.isEmpty
        JSONRPCMessage.withText(trace.traceparent, in: bytes) { counts = TraceContext(traceparent: $0) != nil }
        if counts { JSONRPCMessage.withText(trace.baggage, in: bytes) { baggage.append($0) } }
    }

    /// What the span carries of a hop to an MCP server or an agent.
    func finishMessage(_ upstream: Upstream) {
        span.record.hopKind = (upstream.kind == .agent ? HopKind.agent : .tool).rawValue
        if upstream.isProcess {
            span.set(.networkTransport, "pipe")
        } else {
            span.set(.networkTransport, "tcp")
            span.set(.networkProtocolName, "http")
        }
        if let agent = upstream.agent {
            if let card, !card.agentVersion.isEmpty { agent.version = card.agentVersion }
            let version = agent.version
            if !version.isEmpty { unsafe span.set(.agentVersion, version.span.bytes) }
        }
        guard let message, message.call.isKnown else {
            // The stream a client listens on, the end of its session, a card, or no message at all.
            let name = upstream.name
            if let agent = upstream.agent?.name { unsafe span.set(.agentName, agent.span.bytes) }
            return span.setName(request.method.name, name.bytes)
        }
        let call = message.call
        call.describe(into: &span)
        let isCharged =
            upstream.kind == .agent ? message.a2a.map { $0.operation.isSend && $0.isTaken } ?? false : message.mcp.method == .toolsCall && call.isAnswered
        if isCharged, let price = upstream.pricePerCall {
            span.record.cost = price
            span.record.costSource = CostSource.configured.rawValue
        }
        if upstream.kind == .agent {
            guard 200..<400 ~= answer.status, let call = message.a2a else { return }
            if call.streamWasCut, answer.status < 300 { fail(.upstreamCut) } else if call.isUnanswered { fail(.unanswered) }
        } else if answer.status < 400, call.expectsAnswer, !call.isAnswered, !message.mcp.isResumable, !isListening(upstream) {
            fail(.unanswered)
        }
    }

    /// The answer to a hop to an MCP server is a stream to listen on: it may be silent for long.
    func isListening(_ upstream: Upstream) -> Bool {
        upstream.kind == .mcpServer && (request.method == .get && !asksMetadata || message?.mcp.method == .subscriptionsListen)
    }

    /// A server that has no stream to listen on, or no session to end, says so with 405, and nothing has failed (MCP 2025-11-25,
    /// Streamable HTTP). Nor has it where a task is subscribed to by POST and the agent takes GET, or the other way round: clients try both.
    func isDeclined(_ upstream: Upstream) -> Bool {
        // One that is not protected has no metadata.
        if asksMetadata, answer.status == 404 { return true }
        guard answer.status == 405 else { return false }
        return upstream.kind == .mcpServer && message == nil || upstream.kind == .agent && message?.a2a.map { $0.binding == .http && $0.operation == .subscribeToTask } ?? false
    }

    /// `now` and the time-out for silence in an answer, but never past the exchange's own end. An agent's task that waits for somebody,
    /// for input or for leave, may wait for days.
    func silenceDeadline(_ now: UInt64, _ idle: UInt64) -> UInt64 { deadline(now, message?.a2a?.isWaiting == true ? .max : idle) }
}

extension RawSpan {
    /// What follows an upstream's name leads nowhere below it.
    fileprivate var isAtRoot: Bool { byteCount == 0 || equals("/") }
}

extension MessageHead {
    /// What of the path follows the upstream's name.
    @_lifetime(borrow self)
    fileprivate func path(behind upstream: Upstream) -> RawSpan { path.extracting(min(path.byteCount, upstream.name.count + 1)..<path.byteCount) }
}
