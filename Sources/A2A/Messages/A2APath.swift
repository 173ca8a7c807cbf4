public import HTTP

/// What a path below an agent's URL says in the HTTP+JSON binding (A2A 0.3.0 §3.5.3; 1.0 §11.3, "URL patterns"): told by its end, because
/// the binding may have a path of its own in front.
public struct A2APath: Sendable, Hashable {
    public let operation: A2AOperation
    /// It has the `v1` of 0.3 in front.
    public let isLegacy: Bool
    /// Where the task's id stands, percent-encoded; empty where none is named.
    public let taskID: Range<Int>
    /// Where the tenant stands: a single part in front of a path of 1.0; empty without.
    public let tenant: Range<Int>

    /// - Parameter path: without a query.
    /// - Returns: nil of all that is no operation of this binding: JSON-RPC's endpoint, a card, anything else.
    public init?(_ method: Method, _ path: RawSpan) {
        var parts = Parts(path)
        guard let last = parts.removeLast() else { return nil }
        var task = 0..<0
        var found: A2AOperation?
        if path.extracting(last).isVerb("send", of: "message") {
            found = method == .post ? .sendMessage : nil
        } else if path.extracting(last).isVerb("stream", of: "message") {
            found = method == .post ? .sendStreamingMessage : nil
        } else if path.extracting(last).equals("extendedAgentCard") {
            found = method == .get ? .getExtendedAgentCard : nil
        } else if path.extracting(last).equals("card") || path.extracting(last).equals("authenticatedExtendedCard") {
            // `/v1/card` of 0.3, `/agent/authenticatedExtendedCard` of 0.2.
            guard method == .get, let before = parts.removeLast() else { return nil }
            let isOld = path.extracting(last).equals("authenticatedExtendedCard")
            guard path.extracting(before).equals(isOld ? "agent" : "v1") else { return nil }
            self.init(.getExtendedAgentCard, isLegacy: true)
            return
        } else if path.extracting(last).equals("tasks") {
            found = method == .get ? .listTasks : nil
        } else {
            (found, task) = Self.taskOperation(method, path, last, &parts)
        }
        guard let found else { return nil }
        let before = parts.removeLast()
        let isLegacy = before.map { path.extracting($0).equals("v1") } ?? false
        let tenant = isLegacy || parts.removeLast() != nil ? 0..<0 : before ?? 0..<0
        self.init(found, isLegacy: isLegacy, taskID: task, tenant: tenant)
    }

    private init(_ operation: A2AOperation, isLegacy: Bool, taskID: Range<Int> = 0..<0, tenant: Range<Int> = 0..<0) {
        (self.operation, self.isLegacy, self.taskID, self.tenant) = (operation, isLegacy, taskID, tenant)
    }

    /// `tasks/{id}`, `tasks/{id}:verb`, `tasks/{id}/pushNotificationConfigs`, `tasks/{id}/pushNotificationConfigs/{configId}`.
    private static func taskOperation(_ method: Method, _ path: RawSpan, _ last: Range<Int>, _ parts: inout Parts) -> (A2AOperation?, Range<Int>) {
        guard let before = parts.removeLast() else { return (nil, 0..<0) }
        if path.extracting(before).equals("tasks") {
            if let end = path.extracting(last).end(beforeVerb: "cancel") {
                return (method == .post ? .cancelTask : nil, last.lowerBound..<last.lowerBound + end)
            }
            if let end = path.extracting(last).end(beforeVerb: "subscribe") {
                // The annotation in the definition says GET, the text POST.
                return (method == .post || method == .get ? .subscribeToTask : nil, last.lowerBound..<last.lowerBound + end)
            }
            // A verb that is not known is none of these; a colon that is the id's own is written encoded.
            guard path.extracting(last).firstIndex(of: UInt8(ascii: ":")) == nil else { return (nil, 0..<0) }
            return (method == .get ? .getTask : nil, last)
        }
        guard let third = parts.removeLast() else { return (nil, 0..<0) }
        if path.extracting(last).equals("pushNotificationConfigs"), path.extracting(third).equals("tasks") {
            return (method == .post ? .createPushConfig : method == .get ? .listPushConfigs : nil, before)
        }
        if path.extracting(before).equals("pushNotificationConfigs"), let fourth = parts.removeLast(), path.extracting(fourth).equals("tasks") {
            return (method == .get ? .getPushConfig : method == .delete ? .deletePushConfig : nil, third)
        }
        return (nil, 0..<0)
    }

    /// The parts of a path between its slashes, taken from the end. One slash at the very end is none.
    private struct Parts: ~Escapable {
        let path: RawSpan
        var end: Int

        @_lifetime(copy path)
        init(_ path: RawSpan) {
            self.path = path
            end = path.byteCount
            if end > 0, path[byte: end - 1] == UInt8(ascii: "/") { end -= 1 }
        }

        /// Nil where there is none, or an empty one.
        @_lifetime(self: copy self)
        mutating func removeLast() -> Range<Int>? {
            guard end > 0 else { return nil }
            var start = end
            while start > 0, path[byte: start - 1] != UInt8(ascii: "/") { start -= 1 }
            guard start < end else { return nil }
            let part = start..<end
            end = max(0, start - 1)
            return part
        }
    }
}

extension RawSpan {
    /// Whether it is `{noun}:{verb}`.
    fileprivate func isVerb(_ verb: StaticString, of noun: StaticString) -> Bool {
        guard let end = end(beforeVerb: verb) else { return false }
        return extracting(0..<end).equals(noun)
    }

    /// How much stands before `:{verb}` at the end, if anything does. Servers decode before they look, so that the colon may be encoded.
    fileprivate func end(beforeVerb verb: StaticString) -> Int? {
        let start = byteCount - verb.utf8CodeUnitCount
        guard start > 1, extracting(start..<byteCount).equals(verb) else { return nil }
        if self[byte: start - 1] == UInt8(ascii: ":") { return start - 1 }
        guard start > 3, extracting(start - 3..<start).equals("%3A") || extracting(start - 3..<start).equals("%3a") else { return nil }
        return start - 3
    }
}
