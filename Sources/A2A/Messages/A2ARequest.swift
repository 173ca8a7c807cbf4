internal import HTTP
internal import JSON
public import JSONRPC

/// What a request to an agent says: what is asked, about which task, and what travels in its metadata. Holds offsets into the request's
/// body.
public struct A2ARequest: Sendable {
    public let operation: A2AOperation
    /// Ids as they are written, quotes and all; empty where there are none.
    private(set) var taskID = 0..<0
    private(set) var contextID = 0..<0
    private(set) var messageID = 0..<0
    private(set) var tenant = 0..<0
    /// The list as it is written.
    private(set) var referenceTaskIDs = 0..<0
    /// The trace context in the message's metadata, and in the metadata beside the message.
    public private(set) var messageTrace = TraceMembers()
    public private(set) var paramsTrace = TraceMembers()
    /// The skills that the request says it is for, as they are written, where it says so: in metadata, by the name that cards have for it.
    public private(set) var skills: [Range<Int>] = []
    /// Where the message has its metadata, or could have it; `other` where there is no message.
    private(set) var messageMetadata = TracePlace.other
    /// The metadata beside the message where it carries trace context.
    private(set) var paramsMetadata = TracePlace.other
    private var isTwice = false

    /// - Parameters:
    ///   - params: where in `bytes` stands what is asked: JSON-RPC's `params`, the whole body over HTTP+JSON.
    ///   - isLegacy: as in 0.2 and 0.3.
    init(_ operation: A2AOperation, isLegacy: Bool, _ bytes: RawSpan, params: Range<Int>?) throws(JSONRPCError) {
        self.operation = operation
        guard let params else { return }
        do throws(JSONError) { try read(bytes, params, isLegacy: isLegacy) } catch { throw .unreadable }
        if isTwice || messageTrace.isTwice || paramsTrace.isTwice { throw .invalid(.memberTwice) }
    }

    private mutating func read(_ bytes: RawSpan, _ params: Range<Int>, isLegacy: Bool) throws(JSONError) {
        var json = JSONReader(bytes.extracting(params))
        let base = params.lowerBound
        // Beside the message, which has its own.
        var (id, task, context) = (0..<0, 0..<0, 0..<0)
        var (hasMessage, hasMetadata) = (false, false)
        guard try json.enterObject() else { return }
        while let key = try json.nextMember() {
            // The second is its name in 0.3's protobuf, which some writers of its JSON keep to.
            if operation.isSend, key.is("message") || isLegacy && key.is("request") {
                if hasMessage { isTwice = true }
                hasMessage = true
                let isObject = try json.peek() == .object
                let value = try json.rawValue()
                if isObject { try readMessage(bytes, base + value.lowerBound..<base + value.upperBound) }
            } else if key.is("metadata") {
                if hasMetadata { isTwice = true }
                hasMetadata = true
                let isObject = try json.peek() == .object
                let value = try json.rawValue()
                guard isObject else { continue }
                let range = base + value.lowerBound..<base + value.upperBound
                try Self.readMetadata(&paramsTrace, &skills, bytes, range)
                if paramsTrace.hasText(in: bytes) { paramsMetadata = .object(range) }
            } else if key.is("id") {
                try Self.take(&id, &isTwice, &json, base)
            } else if key.is("taskId") || key.is("task_id") {
                try Self.take(&task, &isTwice, &json, base)
            } else if key.is("contextId") || key.is("context_id") {
                try Self.take(&context, &isTwice, &json, base)
            } else if key.is("tenant") {
                try Self.take(&tenant, &isTwice, &json, base)
            }
        }
        if taskID.isEmpty { taskID = task }
        if contextID.isEmpty { contextID = context }
        // Of a push configuration of 1.0 it is the configuration's own.
        if taskID.isEmpty, !operation.isSend, operation != .other, !operation.isPushConfig || isLegacy { taskID = id }
    }

    private mutating func readMessage(_ bytes: RawSpan, _ range: Range<Int>) throws(JSONError) {
        var json = JSONReader(bytes.extracting(range))
        let base = range.lowerBound
        guard try json.enterObject() else { return }
        messageMetadata = .absent(at: base + json.offset, isAlone: true)
        var hasMetadata = false
        while let key = try json.nextMember() {
            if case .absent(let at, _) = messageMetadata { messageMetadata = .absent(at: at, isAlone: false) }
            if key.is("metadata") {
                if hasMetadata { isTwice = true }
                hasMetadata = true
                let kind = try json.peek()
                let value = try json.rawValue()
                let range = base + value.lowerBound..<base + value.upperBound
                switch kind {
                case .object:
                    messageMetadata = .object(range)
                    try Self.readMetadata(&messageTrace, &skills, bytes, range)
                case .null: messageMetadata = .null(range)
                default: messageMetadata = .other
                }
            } else if key.is("messageId") || key.is("message_id") {
                try Self.take(&messageID, &isTwice, &json, base)
            } else if key.is("taskId") || key.is("task_id") {
                try Self.take(&taskID, &isTwice, &json, base)
            } else if key.is("contextId") || key.is("context_id") {
                try Self.take(&contextID, &isTwice, &json, base)
            } else if key.is("referenceTaskIds") || key.is("reference_task_ids") {
                try Self.take(&referenceTaskIDs, &isTwice, &json, base)
            }
        }
    }

    private static func readMetadata(_ trace: inout TraceMembers, _ skills: inout [Range<Int>], _ bytes: RawSpan, _ range: Range<Int>) throws(JSONError) {
        var json = JSONReader(bytes.extracting(range))
        guard try json.enterObject() else { return }
        while let key = try json.nextMember() {
            if key.is("skillId") || key.is("skill_id") {
                let value = try json.rawValue()
                skills.append(range.lowerBound + value.lowerBound..<range.lowerBound + value.upperBound)
            } else {
                try trace.take(key, &json, base: range.lowerBound)
            }
        }
    }

    /// Puts the pending value's range where it belongs.
    @_lifetime(json: copy json)
    private static func take(_ place: inout Range<Int>, _ isTwice: inout Bool, _ json: inout JSONReader, _ base: Int) throws(JSONError) {
        let value = try json.rawValue()
        if !place.isEmpty { isTwice = true }
        place = base + value.lowerBound..<base + value.upperBound
    }
}

extension A2ARequest {
    /// The changes that make a trace context the request's own. The protocol has no place for one; metadata is free, so it is put there
    /// under the names of W3C's headers: into the message's, and in place of one that came in the metadata beside it, so that no receiver
    /// can find another. Every other member stays as it is, byte for byte.
    ///
    /// - Parameters:
    ///   - tracestate: empty: none. So `baggage`.
    /// - Returns: in their order; none where there is no place for it: the request is no send, or its message is none.
    public func writing(traceparent: RawSpan, tracestate: RawSpan, baggage: RawSpan, in bytes: RawSpan) -> [MessageEdit] {
        let message = messageMetadata.writing("metadata", isFree: true, traceparent: traceparent, tracestate: tracestate, baggage: baggage, in: bytes)
        let params = paramsMetadata.writing("metadata", isFree: true, traceparent: traceparent, tracestate: tracestate, baggage: baggage, in: bytes)
        guard let message, let params else { return [message ?? params].compactMap { $0 } }
        return message.range.lowerBound < params.range.lowerBound ? [message, params] : [params, message]
    }
}
