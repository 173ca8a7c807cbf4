public import Content
internal import HTTP
public import JSON
public import JSONRPC
public import Tracing

/// One message of an MCP client as it passes through the gateway: reads it, watches for its answer, and says what the span is to carry.
///
///     try call.readRequest(body)
///     …  send `body`, changed by `call.edit`
///     call.beginResponse(isEventStream: true)
///     call.observe(chunk)
///     call.endResponse()
///     call.describe(into: &draft)
///
/// One per exchange at a time, kept for the next (`reset`). Bytes pass whatever can be read of them. Not shared between threads.
public final class MCPCall {
    /// The largest event read whole; of a larger one only an outline is kept.
    private static let eventLimit = 64 << 10

    /// What the request's body is; nil where it is no message.
    public private(set) var kind: JSONRPCMessage.Kind?
    public private(set) var method = MCPMethod.other
    /// Its message carries the `_meta` envelope of 2026-07-28.
    public private(set) var isModern = false
    /// The tool, prompt, resource or task that is asked for, decoded.
    private var target: [UInt8] = []
    private var methodName: [UInt8] = []
    private var protocolVersion: [UInt8] = []
    private var id = JSONRPCID()
    private var answer = MCPAnswer()
    private var arguments: [UInt8] = []
    private var result: [UInt8] = []

    private var isEventStream = false
    private var events = EventStreamReader(limit: MCPCall.eventLimit)
    private var body = CollectedJSON()
    /// The answer may come on another stream, which the client opens when this one has ended (2025-11-25, Resumability and Redelivery).
    public private(set) var isResumable = false
    /// Something that should have been a message was none.
    private var answerIsUnreadable = false
    /// The answer's body is in a coding that is not known, or not in the one it says. The gateway's to say.
    public var codingIsUnreadable = false
    /// What is recorded of arguments and results; to be set between exchanges.
    public var content = ContentRecording.none

    /// The longest method or target kept, in bytes.
    private static let nameLimit = 256

    public init() {}

    public func reset() {
        kind = nil
        method = .other
        isModern = false
        target = []
        methodName = []
        protocolVersion = []
        id.reset()
        answer = MCPAnswer()
        arguments = []
        result = []
        isEventStream = false
        events.reset()
        body.reset()
        isResumable = false
        answerIsUnreadable = false
        codingIsUnreadable = false
    }

    // MARK: the request

    /// Reads the whole body of a POST: one message.
    /// - Returns: where it has its trace context, or can have it; nil for a result or an error, which carry none.
    public func readRequest(_ bytes: RawSpan) throws(JSONRPCError) -> MCPRequest? {
        guard UTF8Text.isWellFormed(bytes) else { throw .unreadable }
        let message = try JSONRPCMessage(bytes)
        guard message.kind == .request || message.kind == .notification else {
            kind = message.kind
            return nil
        }
        // Whoever is refused is told which request it was.
        id.keep(bytes.extracting(message.id))
        let request = try MCPRequest(message, bytes)
        kind = message.kind
        method = request.method
        isModern = request.isModern
        target = Self.text(request.target, in: bytes)
        if method == .other { methodName = Self.text(message.method, in: bytes) }
        protocolVersion = Self.text(request.protocolVersion, in: bytes)
        if content.mode != .none, method == .toolsCall { arguments = recorded(bytes.extracting(request.arguments)) }
        return request
    }

    /// A string of the message, decoded; empty where it is none or very long.
    private static func text(_ range: Range<Int>, in bytes: RawSpan) -> [UInt8] {
        var json = JSONReader(bytes.extracting(range))
        return (try? json.text(nameLimit)) ?? []
    }

    /// Writes the request's id, as an answer to it has it; null where none is known.
    public func writeID(to json: inout JSONWriter) { id.write(to: &json) }

    /// To do it twice does no more than to do it once, as far as the protocol knows.
    public var mayBeRepeated: Bool {
        guard kind == .request else { return false }
        switch method {
        case .toolsCall, .tasksUpdate, .other: return false
        default: return true
        }
    }

    /// An answer is to come: the hop ends with it.
    public var expectsAnswer: Bool { kind == .request }

    // MARK: the answer

    /// The answer's head has come.
    public func beginResponse(isEventStream: Bool) {
        self.isEventStream = isEventStream
        body.stringLimit = content.mode == .none ? CollectedJSON.usualStringLimit : content.limit
    }

    /// The next decoded bytes of the answer.
    public func observe(_ chunk: RawSpan) {
        guard isEventStream else { return body.append(chunk) }
        events.read(chunk) { take($0) }
    }

    /// The answer has ended, or broke off.
    public func endResponse() {
        guard isEventStream else {
            if !body.isEmpty { body.withBytes { take($0) } }
            return
        }
        events.finish { take($0) }
    }

    /// How many bytes of the answer are kept, to be read when they are whole.
    public var heldByteCount: Int { body.count }

    /// The request has its answer: what may still come changes nothing.
    public var isAnswered: Bool { answer.outcome != .none }

    private func take(_ event: borrowing EventStreamEvent) {
        switch event.verdict {
        case .whole:
            // Events of other names are none of a message's.
            guard event.name.byteCount == 0 || event.name.equals("message") else { return }
            if event.data.byteCount > 0 { return take(event.data) }
            // An event without data prepares for resumption (MCP 2025-11-25, Streamable HTTP), if it says where.
            if !isModern, event.raw.hasLine("id:") { isResumable = true }
        // No client takes it (HTML, 9.2.6).
        case .unterminated: break
        case .piece: body.append(piece: event.raw)
        case .lastPiece:
            body.append(piece: event.raw)
            body.withBytes { take($0) }
            body.reset()
        }
    }

    /// One message of the server's.
    private func take(_ bytes: RawSpan) {
        guard !isAnswered else { return }
        guard UTF8Text.isWellFormed(bytes) else {
            answerIsUnreadable = true
            return
        }
        do throws(JSONRPCError) {
            let message = try JSONRPCMessage(bytes)
            switch message.kind {
            // The server's own requests and notifications travel on the same stream.
            case .request, .notification: return
            case .result, .error:
                // An error without an id is about a request that could not be read, and there is only one here.
                guard message.id.isEmpty && message.kind == .error || id.is(bytes.extracting(message.id)) else { return }
            }
            do throws(JSONError) { try answer.read(message, bytes) } catch { throw .unreadable }
            if content.mode != .none, method == .toolsCall, message.kind == .result { result = recorded(bytes.extracting(message.outcome)) }
        } catch { answerIsUnreadable = true }
    }

    // MARK: the span

    /// Sets name and attributes (MCP conventions of OpenTelemetry as of 2026-08), and where the server said that it failed, the error.
    /// Call once, when the exchange is over.
    public func describe(into draft: inout SpanDraft) {
        describeName(&draft)
        draft.set(.jsonrpcRequestID, id)
        if !answer.protocolVersion.isEmpty { protocolVersion = answer.protocolVersion }
        draft.set(.mcpProtocolVersion, unlessEmpty: protocolVersion)
        draft.set(.mcpTaskID, unlessEmpty: answer.taskID)
        draft.set(.toolCallArguments, unlessEmpty: arguments)
        draft.set(.toolCallResult, unlessEmpty: result)
        switch answer.outcome {
        case .none, .result: break
        case .toolError:
            draft.record.isError = true
            draft.set(.errorType, "tool_error")
        case .error(let code):
            draft.record.isError = true
            draft.set(.rpcResponseStatusCode, String(code))
            draft.set(.errorType, String(code))
            if !answer.errorMessage.isEmpty { draft.setStatusMessage(unsafe Redaction.apply(to: answer.errorMessage).span.bytes) }
        }
        if answerIsUnreadable || codingIsUnreadable {
            draft.beginList(.unreadable)
            if answerIsUnreadable { draft.appendElement("response") }
            if codingIsUnreadable { draft.appendElement("content-encoding") }
            draft.endList()
        }
    }

    private func describeName(_ draft: inout SpanDraft) {
        guard kind == .request || kind == .notification else {
            // The client's answer to a request of the server's.
            draft.setName("response", RawSpan())
            return
        }
        // Sound here and below: bytes have no padding.
        let name = methodName
        if method == .other { draft.set(.mcpMethodName, unlessEmpty: name) } else { draft.set(.mcpMethodName, method.name) }
        let target = target
        switch method {
        case .toolsCall:
            draft.set(.operationName, "execute_tool")
            draft.set(.toolName, unlessEmpty: target)
            draft.setName(method.name, unsafe target.span.bytes)
        case .promptsGet:
            draft.set(.promptName, unlessEmpty: target)
            draft.setName(method.name, unsafe target.span.bytes)
        case .resourcesRead, .resourcesSubscribe, .resourcesUnsubscribe, .resourceUpdated:
            draft.set(.mcpResourceURI, unlessEmpty: target)
            draft.setName(method.name, RawSpan())
        case .tasksGet, .tasksResult, .tasksCancel, .tasksUpdate:
            draft.set(.mcpTaskID, unlessEmpty: target)
            draft.setName(method.name, RawSpan())
        case .other: draft.setName(unsafe name.span.bytes)
        default: draft.setName(method.name, RawSpan())
        }
    }

    /// What is recorded of a JSON text, cut to the limit.
    private func recorded(_ json: RawSpan) -> [UInt8] {
        // Some more than the limit, so that what is to be masked at the cut is seen whole.
        guard json.byteCount > 0, json.byteCount <= content.limit + 8192 else { return [] }
        let text = unsafe json.withUnsafeBytes { unsafe Array($0) }
        let masked = content.mode == .redacted ? Redaction.apply(toJSON: text) : text
        return masked.count <= content.limit ? masked : []
    }
}

extension RawSpan {
    /// Whether one of its lines begins so.
    fileprivate func hasLine(_ prefix: StaticString) -> Bool {
        var start = 0
        while start < byteCount {
            if extracting(start..<byteCount).starts(with: prefix) { return true }
            guard let end = firstIndex(of: 0x0A, from: start) else { return false }
            start = end + 1
        }
        return false
    }
}

extension SpanDraft {
    fileprivate mutating func set(_ attribute: Attribute, unlessEmpty text: [UInt8]) {
        // Sound: bytes have no padding.
        if !text.isEmpty { unsafe set(attribute, text.span.bytes) }
    }

    fileprivate mutating func set(_ attribute: Attribute, _ id: JSONRPCID) {
        guard !id.isEmpty else { return }
        let text = id.text
        unsafe set(attribute, text.span.bytes)
    }
}
