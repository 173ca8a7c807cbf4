internal import JSON
internal import JSONRPC

/// What the answer to a request says about how it went: of a stream, what its events so far come to.
struct A2AAnswer: Sendable {
    enum Outcome: Sendable, Hashable {
        /// Nothing has come that answers the request.
        case none
        case result
        /// An error and its code: JSON-RPC's, or over HTTP+JSON the status.
        case error(Int64)
    }

    private(set) var outcome = Outcome.none
    /// The words of an error, and its reason (`google.rpc.ErrorInfo`), which over HTTP alone tells errors apart.
    private(set) var errorMessage: [UInt8] = []
    private(set) var errorReason: [UInt8] = []
    private(set) var taskID: [UInt8] = []
    private(set) var contextID: [UInt8] = []
    /// The last that was told; nil where none was, or one that is not known.
    private(set) var state: A2ATaskState?
    /// The agent answered with a message of its own instead of a task.
    private(set) var hasMessage = false
    /// An event said that it is the last (0.x, `final`).
    private(set) var hasFinal = false

    /// The longest text kept of an answer, in bytes.
    private static let textLimit = 1024

    /// A stream may end here: what it was for has been told. It may go on where the task only waits for somebody.
    var isSettled: Bool {
        if case .error = outcome { return true }
        return hasMessage || hasFinal || state.map { $0.isTerminal || $0.isInterrupted } ?? false
    }

    /// What may still come changes nothing.
    var isOver: Bool {
        if case .error = outcome { return true }
        return hasMessage || state?.isTerminal ?? false
    }

    /// Reads a message of JSON-RPC that answers the request.
    mutating func read(_ message: JSONRPCMessage, _ bytes: RawSpan) throws(JSONError) {
        var json = JSONReader(bytes.extracting(message.outcome))
        if message.kind == .error { return try readError(&json) }
        try readObject(&json, as: nil)
        outcome = .result
    }

    /// Reads a text of the HTTP+JSON binding, which has no envelope.
    mutating func read(_ bytes: RawSpan) throws(JSONError) {
        var json = JSONReader(bytes)
        let isObject = try json.peek() == .object
        do throws(JSONError) {
            try readObject(&json, as: nil)
            try json.finish()
        } catch {
            if outcome == .none, state != nil { outcome = .result }
            throw error
        }
        if outcome == .none, isObject { outcome = .result }
    }

    private enum Kind { case task, message, statusUpdate, artifactUpdate }

    /// A Task, a Message or an event: bare, told by its `kind` (0.x) or its members, or in an object that names it (1.0; 0.3 over HTTP).
    @_lifetime(json: copy json)
    private mutating func readObject(_ json: inout JSONReader, as wrapped: Kind?) throws(JSONError) {
        guard try json.enterObject() else { return }
        var kind = wrapped
        var (id, task, context): ([UInt8], [UInt8], [UInt8]) = ([], [], [])
        var state: A2ATaskState?
        var (hasStatus, hasState, hasMessageID, hasArtifact) = (false, false, false, false)
        // Also of one that breaks off: what has been told stands.
        defer {
            kind = kind ?? (hasMessageID ? .message : hasStatus ? (task.isEmpty ? .task : .statusUpdate) : hasArtifact ? .artifactUpdate : nil)
            if let kind { settle(kind, task: kind == .task ? id : task, context: context) }
            if kind != nil, kind != .message, hasState { self.state = state }
        }
        while let key = try json.nextMember() {
            if wrapped == nil, let inner = Self.wrapped(by: key), try json.peek() == .object {
                try readObject(&json, as: inner)
            } else if key.is("kind") {
                if wrapped == nil, let name = try json.string() { kind = Self.kind(name) }
            } else if key.is("id") {
                id = try json.text(Self.textLimit)
            } else if key.is("taskId") || key.is("task_id") {
                task = try json.text(Self.textLimit)
            } else if key.is("contextId") || key.is("context_id") {
                context = try json.text(Self.textLimit)
            } else if key.is("messageId") || key.is("message_id") {
                hasMessageID = true
            } else if key.is("artifact") {
                hasArtifact = true
            } else if key.is("status") {
                hasStatus = try json.peek() == .object
                if hasStatus { try Self.readState(&json, &state, &hasState) }
            } else if key.is("final") {
                if try json.bool() == true { hasFinal = true }
            } else if key.is("error"), wrapped == nil {
                if try json.peek() == .object { try readError(&json) }
            } else if wrapped == nil, key.is("message") || key.is("detail") {
                // An error as some servers have it; where it is none nobody asks for its words.
                errorMessage = try json.text(Self.textLimit)
            }
        }
    }

    private mutating func settle(_ kind: Kind, task: [UInt8], context: [UInt8]) {
        if kind == .message { hasMessage = true }
        if !task.isEmpty { taskID = task }
        if !context.isEmpty { contextID = context }
    }

    /// What a member of a wrapper holds.
    private static func wrapped(by key: borrowing JSONString) -> Kind? {
        if key.is("task") { return .task }
        if key.is("message") || key.is("msg") { return .message }
        if key.is("statusUpdate") || key.is("status_update") { return .statusUpdate }
        return key.is("artifactUpdate") || key.is("artifact_update") ? .artifactUpdate : nil
    }

    private static func kind(_ name: borrowing JSONString) -> Kind? {
        if name.is("task") { return .task }
        if name.is("message") { return .message }
        if name.is("status-update") { return .statusUpdate }
        return name.is("artifact-update") ? .artifactUpdate : nil
    }

    @_lifetime(json: copy json)
    private static func readState(_ json: inout JSONReader, _ state: inout A2ATaskState?, _ hasState: inout Bool) throws(JSONError) {
        guard try json.enterObject() else { return }
        while let key = try json.nextMember() {
            guard key.is("state") else { continue }
            hasState = true
            state = nil
            if try json.peek() == .number {
                // Lenient writers of protobuf's JSON give the number.
                state = try json.int64().flatMap { UInt8(exactly: $0).flatMap { A2ATaskState(rawValue: $0) } }
            } else if let name = try json.string() {
                state = A2ATaskState(name)
            }
        }
    }

    /// JSON-RPC's error, or `google.rpc.Status`, whose members have other names for the details.
    @_lifetime(json: copy json)
    private mutating func readError(_ json: inout JSONReader) throws(JSONError) {
        var code: Int64 = 0
        if try json.enterObject() {
            while let key = try json.nextMember() {
                if key.is("code") {
                    code = try json.int64() ?? 0
                } else if key.is("message") {
                    errorMessage = try json.text(Self.textLimit)
                } else if key.is("data") || key.is("details") {
                    if try json.enterArray() {
                        while try json.nextElement() { try readDetail(&json) }
                    }
                }
            }
        }
        outcome = .error(code)
    }

    @_lifetime(json: copy json)
    private mutating func readDetail(_ json: inout JSONReader) throws(JSONError) {
        guard try json.enterObject() else { return }
        while let key = try json.nextMember() {
            if key.is("reason"), errorReason.isEmpty { errorReason = try json.text(Self.textLimit) }
        }
    }
}

extension JSONReader {
    /// The pending string, decoded; empty where it is none, or is longer than `limit`.
    @_lifetime(self: copy self)
    mutating func text(_ limit: Int) throws(JSONError) -> [UInt8] {
        var text: [UInt8] = []
        if let string = try string(), string.raw.byteCount <= limit { string.append(to: &text) }
        return text
    }
}
