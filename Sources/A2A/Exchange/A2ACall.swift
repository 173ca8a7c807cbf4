internal import Content
internal import HTTP
public import JSON
public import JSONRPC
public import Tracing

/// One request to an agent as it passes through the gateway: reads it, watches its answer, and says what the span is to carry.
///
///     let request = try call.readMessage(body, version: …)
///     …  send `body`, changed by `request.writing`
///     call.beginResponse(status: 200, isEventStream: true)
///     call.observe(chunk)
///     call.endResponse()
///     call.describe(into: &draft)
///
/// One per exchange at a time, kept for the next (`reset`). Bytes pass whatever can be read of them. Not shared between threads.
public final class A2ACall {
    /// How requests and answers are put into HTTP (A2A 1.0 §9 and §11).
    public enum Binding: UInt8, Sendable { case jsonRPC, http }

    /// The largest event read whole; of a larger one only an outline is kept.
    private static let eventLimit = 64 << 10
    /// The longest method or id kept, in bytes.
    private static let textLimit = 256

    public private(set) var operation = A2AOperation.other
    public private(set) var binding = Binding.jsonRPC
    /// The agent's name on the gateway; to be set with each request.
    public var agent: [UInt8] = []
    /// The request has been read.
    public private(set) var isKnown = false
    private var isNotification = false
    private var methodName: [UInt8] = []
    private var version: [UInt8] = []
    private var taskID: [UInt8] = []
    private var contextID: [UInt8] = []
    private var messageID: [UInt8] = []
    private var tenant: [UInt8] = []
    private var referenceTaskIDs: [[UInt8]] = []
    private var id = JSONRPCID()

    private var answer = A2AAnswer()
    private var status = 0
    private var isEventStream = false
    private var events = EventStreamReader(limit: A2ACall.eventLimit)
    private var body = CollectedJSON()
    /// Something that should have been an answer was none.
    private var answerIsUnreadable = false
    /// It was too large to be read: it may have said anything.
    private var answerIsTooLarge = false
    /// The answer's body is in a coding that is not known, or not in the one it says. The gateway's to say.
    public var codingIsUnreadable = false

    public init() {}

    public func reset() {
        operation = .other
        binding = .jsonRPC
        agent = []
        isKnown = false
        isNotification = false
        methodName = []
        version = []
        taskID = []
        contextID = []
        messageID = []
        tenant = []
        referenceTaskIDs = []
        id.reset()
        answer = A2AAnswer()
        status = 0
        isEventStream = false
        events.reset()
        body.reset()
        answerIsUnreadable = false
        answerIsTooLarge = false
        codingIsUnreadable = false
    }

    // MARK: the request

    /// Reads the whole body of a POST of the JSON-RPC binding.
    /// - Parameter version: as the head or the query names it; empty where neither does.
    /// - Returns: where it has its trace context, or can have it.
    public func readMessage(_ bytes: RawSpan, version: RawSpan) throws(JSONRPCError) -> A2ARequest {
        guard UTF8Text.isWellFormed(bytes) else { throw .unreadable }
        let message = try JSONRPCMessage(bytes)
        // An agent asks its client nothing, so there is nothing to answer it.
        guard message.kind == .request || message.kind == .notification else { throw .invalid(.method) }
        id.keep(bytes.extracting(message.id))
        isNotification = message.kind == .notification
        var isLegacy = false
        var name = JSONReader(bytes.extracting(message.method))
        if let method = try? name.string() {
            (operation, isLegacy) = A2AOperation.reading(method)
            if operation == .other, method.raw.byteCount <= Self.textLimit { method.append(to: &methodName) }
        }
        let request = try A2ARequest(operation, isLegacy: isLegacy, bytes, params: message.params)
        take(request, bytes, version: version, isLegacy: isLegacy)
        return request
    }

    /// Reads a request of the HTTP+JSON binding, whose path says what is asked.
    /// - Parameters:
    ///   - path: what `operation` was read from.
    ///   - bytes: the whole body; empty where there is none.
    public func readRequest(_ operation: A2APath, _ path: RawSpan, _ bytes: RawSpan, version: RawSpan) throws(JSONRPCError) -> A2ARequest {
        binding = .http
        self.operation = operation.operation
        // Nothing but a send is read of necessity, or has a place for trace context.
        if self.operation.isSend {
            guard UTF8Text.isWellFormed(bytes) else { throw .unreadable }
            var json = JSONReader(bytes)
            do throws(JSONError) { try json.finish() } catch { throw .unreadable }
        }
        let request = try A2ARequest(self.operation, isLegacy: operation.isLegacy, bytes, params: self.operation.isSend ? 0..<bytes.byteCount : nil)
        take(request, bytes, version: version, isLegacy: operation.isLegacy)
        if !operation.taskID.isEmpty, operation.taskID.count <= Self.textLimit { PercentEncoding.decode(path.extracting(operation.taskID), into: &taskID) }
        if tenant.isEmpty, operation.tenant.count <= Self.textLimit { PercentEncoding.decode(path.extracting(operation.tenant), into: &tenant) }
        return request
    }

    private func take(_ request: A2ARequest, _ bytes: RawSpan, version: RawSpan, isLegacy: Bool) {
        isKnown = true
        taskID = Self.text(request.taskID, in: bytes)
        contextID = Self.text(request.contextID, in: bytes)
        messageID = Self.text(request.messageID, in: bytes)
        tenant = Self.text(request.tenant, in: bytes)
        referenceTaskIDs = Self.texts(request.referenceTaskIDs, in: bytes)
        self.version = Self.majorAndMinor(version)
        // Without a word on it, a request is of 0.3 (A2A 1.0, "Versioning"); but one that is shaped as 1.0 is of no older.
        if self.version.isEmpty { self.version = Array((isLegacy || operation == .other ? "0.3" : "1.0").utf8) }
    }

    /// A version's first two numbers; patches have no meaning in it.
    private static func majorAndMinor(_ text: RawSpan) -> [UInt8] {
        var kept: [UInt8] = []
        var dots = 0
        for offset in 0..<min(text.byteCount, 16) {
            let byte = text[byte: offset]
            if byte == UInt8(ascii: ".") {
                if kept.isEmpty { return [] }
                dots += 1
            } else if byte &- 0x30 > 9 {
                return []
            }
            if dots == 2 { break }
            kept.append(byte)
        }
        return dots == 0 || kept.last == UInt8(ascii: ".") ? [] : kept
    }

    /// A string of the request, decoded; empty where it is none or very long.
    private static func text(_ range: Range<Int>, in bytes: RawSpan) -> [UInt8] {
        guard !range.isEmpty else { return [] }
        var json = JSONReader(bytes.extracting(range))
        return (try? json.text(textLimit)) ?? []
    }

    /// The strings of a list, as far as they are few.
    private static func texts(_ range: Range<Int>, in bytes: RawSpan) -> [[UInt8]] {
        var texts: [[UInt8]] = []
        guard !range.isEmpty else { return texts }
        var json = JSONReader(bytes.extracting(range))
        guard (try? json.enterArray()) == true else { return texts }
        while texts.count < 32, (try? json.nextElement()) == true {
            if let text = try? json.text(textLimit), !text.isEmpty { texts.append(text) }
        }
        return texts
    }

    /// The task that the request is about; empty where it names none.
    public var requestedTask: [UInt8] { taskID }

    /// The task that the answer is of, as far as it has come; empty where it names none.
    public var answeredTask: [UInt8] { answer.taskID }

    /// Writes the request's JSON-RPC id, as an answer to it has it; null where none is known.
    public func writeID(to json: inout JSONWriter) { id.write(to: &json) }

    /// It is a request of JSON-RPC that waits for an answer.
    public var expectsAnswer: Bool { isKnown && binding == .jsonRPC && !isNotification }

    // MARK: the answer

    /// The answer's head has come.
    /// - Parameter status: of HTTP.
    public func beginResponse(status: Int, isEventStream: Bool) { (self.status, self.isEventStream) = (status, isEventStream) }

    /// The next decoded bytes of the answer.
    public func observe(_ chunk: RawSpan) {
        guard isKnown else { return }
        guard isEventStream else { return body.append(chunk) }
        events.read(chunk) { take($0) }
    }

    /// The answer has ended, or broke off.
    public func endResponse() {
        guard isEventStream else {
            return takeBody()
        }
        events.finish { take($0) }
        // A large one whose end never came.
        takeBody()
    }

    /// What has been collected.
    private func takeBody() {
        guard !body.isEmpty else { return }
        if body.isTooLarge { answerIsTooLarge = true }
        body.withBytes { take($0) }
        body.reset()
    }

    /// How many bytes of the answer are kept, to be read when they are whole.
    public var heldByteCount: Int { body.count }

    /// The request has its answer, or its stream the last event that counts: what may still come changes nothing.
    public var isAnswered: Bool { isEventStream ? answer.isOver : answer.outcome != .none }

    /// The agent has taken the message: it has answered with success, if only with a stream's first event.
    public var isTaken: Bool { answer.outcome == .result && 200..<300 ~= status }

    /// A caller that leaves now has all that it asked for: a stream may also end where the task waits for somebody.
    public var hasSaidAll: Bool { isEventStream && operation.isStreamed ? answer.isSettled : isAnswered }

    /// The task waits for somebody, who may take long: the stream's silence says nothing.
    public var isWaiting: Bool { answer.state?.isInterrupted ?? false }

    /// The answer was a stream, and what it was for has not been told.
    public var streamWasCut: Bool { isEventStream && operation.isStreamed && expectsOutcome && !codingIsUnreadable && !answerIsTooLarge && !answer.isSettled }

    /// Nothing of the answer answers the request.
    public var isUnanswered: Bool { (expectsAnswer || binding == .http && operation.isSend) && !codingIsUnreadable && !answerIsTooLarge && answer.outcome == .none }

    /// Somebody waits for what came of it: not so of a notification.
    private var expectsOutcome: Bool { binding == .http || expectsAnswer }

    private func take(_ event: borrowing EventStreamEvent) {
        switch event.verdict {
        case .whole, .unterminated: if event.data.byteCount > 0 { take(event.data) }
        case .piece: body.append(piece: event.raw)
        case .lastPiece:
            body.append(piece: event.raw)
            takeBody()
        }
    }

    /// The answer, or one event of it.
    private func take(_ bytes: RawSpan) {
        guard binding == .jsonRPC else {
            do throws(JSONError) { try answer.read(bytes) } catch { answerIsUnreadable = true }
            return
        }
        do throws(JSONRPCError) {
            let message = try JSONRPCMessage(bytes)
            switch message.kind {
            case .request, .notification: return
            case .result, .error:
                // An error without an id is about a request that could not be read, and there is only one here.
                guard message.id.isEmpty && message.kind == .error || id.is(bytes.extracting(message.id)) else { return }
            }
            do throws(JSONError) { try answer.read(message, bytes) } catch { throw .unreadable }
        } catch { answerIsUnreadable = true }
    }

    // MARK: the span

    /// Sets name and attributes (GenAI conventions of OpenTelemetry as of 2026-08, the open proposal for A2A), and where the agent says
    /// that it failed, the error. Call once, when the exchange is over.
    public func describe(into draft: inout SpanDraft) {
        describeName(&draft)
        draft.set(.agentName, unlessEmpty: agent)
        draft.set(.a2aProtocolVersion, unlessEmpty: version)
        draft.set(.a2aMessageID, unlessEmpty: messageID)
        draft.set(.a2aTaskID, unlessEmpty: answer.taskID.isEmpty ? taskID : answer.taskID)
        draft.set(.conversationID, unlessEmpty: answer.contextID.isEmpty ? contextID : answer.contextID)
        draft.set(.a2aTenant, unlessEmpty: tenant)
        if !referenceTaskIDs.isEmpty {
            draft.beginList(.a2aReferenceTaskIDs)
            // Sound here and below: bytes have no padding.
            for task in referenceTaskIDs { draft.appendElement(unsafe task.span.bytes) }
            draft.endList()
        }
        if let state = answer.state { draft.set(.a2aTaskState, state.name) }
        if !id.isEmpty {
            let text = id.text
            unsafe draft.set(.jsonrpcRequestID, text.span.bytes)
        }
        describeOutcome(&draft)
        if answerIsUnreadable || codingIsUnreadable {
            draft.beginList(.unreadable)
            if answerIsUnreadable { draft.appendElement("response") }
            if codingIsUnreadable { draft.appendElement("content-encoding") }
            draft.endList()
        }
    }

    private func describeName(_ draft: inout SpanDraft) {
        let (agent, name) = (agent, methodName)
        if operation == .other { draft.set(.a2aMethodName, unlessEmpty: name) } else { draft.set(.a2aMethodName, operation.name) }
        if operation.isSend {
            draft.set(.operationName, "invoke_agent")
            draft.setName("invoke_agent", unsafe agent.span.bytes)
        } else if operation == .other {
            draft.setName(unsafe name.span.bytes)
        } else {
            draft.setName(operation.name, RawSpan())
        }
    }

    private func describeOutcome(_ draft: inout SpanDraft) {
        switch answer.outcome {
        case .none: break
        case .result:
            // Who only asks about a task that failed has had a good answer.
            guard operation.isSend || operation.isStreamed || isEventStream, let failure = answer.state?.errorType else { break }
            draft.record.isError = true
            draft.set(.errorType, failure)
        case .error(let code):
            // Over HTTP the status says it, where it does.
            if binding == .jsonRPC || status < 400 {
                draft.record.isError = true
                draft.set(.errorType, String(code))
                if binding == .jsonRPC { draft.set(.rpcResponseStatusCode, String(code)) }
            }
            var words = answer.errorReason
            if !words.isEmpty, !answer.errorMessage.isEmpty { words += Array(": ".utf8) }
            words += answer.errorMessage
            if !words.isEmpty { draft.setStatusMessage(unsafe Redaction.apply(to: words).span.bytes) }
        }
    }
}

extension SpanDraft {
    fileprivate mutating func set(_ attribute: Attribute, unlessEmpty text: [UInt8]) {
        // Sound: bytes have no padding.
        if !text.isEmpty { unsafe set(attribute, text.span.bytes) }
    }
}
