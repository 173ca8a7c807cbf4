import A2A
import HTTP
import Testing

private struct Reading: Equatable {
    var operation: A2AOperation
    var isLegacy = false
    var task = ""
    var tenant = ""
}

private func read(_ method: Method, _ path: String) -> Reading? {
    let bytes = Array(path.utf8)
    guard let found = A2APath(method, unsafe bytes.span.bytes) else { return nil }
    return Reading(
        operation: found.operation, isLegacy: found.isLegacy, task: String(decoding: bytes[found.taskID], as: UTF8.self),
        tenant: String(decoding: bytes[found.tenant], as: UTF8.self))
}

@Suite struct `A path of the HTTP+JSON binding` {
    @Test(arguments: [
        (.post, "/message:send", Reading(operation: .sendMessage)),
        (.post, "/message%3Asend", Reading(operation: .sendMessage)),
        (.post, "/message:stream", Reading(operation: .sendStreamingMessage)),
        (.get, "/tasks", Reading(operation: .listTasks)),
        (.get, "/tasks/", Reading(operation: .listTasks)),
        (.get, "/tasks/abc", Reading(operation: .getTask, task: "abc")),
        (.get, "/tasks/a%3Ab", Reading(operation: .getTask, task: "a%3Ab")),
        (.get, "/tasks/a%2Fb", Reading(operation: .getTask, task: "a%2Fb")),
        (.post, "/tasks/abc:cancel", Reading(operation: .cancelTask, task: "abc")),
        (.post, "/tasks/abc%3acancel", Reading(operation: .cancelTask, task: "abc")),
        (.post, "/tasks/a:b:cancel", Reading(operation: .cancelTask, task: "a:b")),
        (.get, "/tasks/abc:subscribe", Reading(operation: .subscribeToTask, task: "abc")),
        (.post, "/tasks/abc:subscribe", Reading(operation: .subscribeToTask, task: "abc")),
        (.post, "/tasks/abc/pushNotificationConfigs", Reading(operation: .createPushConfig, task: "abc")),
        (.get, "/tasks/abc/pushNotificationConfigs", Reading(operation: .listPushConfigs, task: "abc")),
        (.get, "/tasks/abc/pushNotificationConfigs/c1", Reading(operation: .getPushConfig, task: "abc")),
        (.delete, "/tasks/abc/pushNotificationConfigs/c1", Reading(operation: .deletePushConfig, task: "abc")),
        (.get, "/extendedAgentCard", Reading(operation: .getExtendedAgentCard)),
        // A tenant, and a binding with a path of its own.
        (.post, "/acme/message:send", Reading(operation: .sendMessage, tenant: "acme")),
        (.get, "/acme/tasks/abc", Reading(operation: .getTask, task: "abc", tenant: "acme")),
        (.get, "/acme/extendedAgentCard", Reading(operation: .getExtendedAgentCard, tenant: "acme")),
        (.post, "/a2a/rest/message:send", Reading(operation: .sendMessage)),
        // 0.3 and 0.2.
        (.post, "/v1/message:send", Reading(operation: .sendMessage, isLegacy: true)),
        (.post, "/v1/message:stream", Reading(operation: .sendStreamingMessage, isLegacy: true)),
        (.get, "/v1/tasks/abc", Reading(operation: .getTask, isLegacy: true, task: "abc")),
        (.get, "/rest/v1/tasks/abc:subscribe", Reading(operation: .subscribeToTask, isLegacy: true, task: "abc")),
        (.get, "/v1/card", Reading(operation: .getExtendedAgentCard, isLegacy: true)),
        (.get, "/agent/authenticatedExtendedCard", Reading(operation: .getExtendedAgentCard, isLegacy: true)),
    ] as [(Method, String, Reading)]) fileprivate func `says what is asked`(method: Method, path: String, expected: Reading) {
        #expect(read(method, path) == expected)
    }

    @Test(arguments: [
        (.post, ""), (.post, "/"), (.post, "//"), (.get, "/"), (.get, "/.well-known/agent-card.json"), (.get, "/.well-known/agent.json"), (.post, "/jsonrpc"),
        (.get, "/message:send"), (.post, "/:send"), (.post, "/messages:send"), (.post, "/tasks"), (.put, "/tasks/abc"), (.post, "/tasks/:cancel"),
        (.get, "/tasks/abc:cancel"), (.get, "/tasks/abc:pause"), (.get, "/card"), (.get, "/authenticatedExtendedCard"), (.post, "/tasks//pushNotificationConfigs"), (.get, "/other/abc"),
    ] as [(Method, String)]) func `is nothing else`(method: Method, path: String) {
        #expect(read(method, path)?.operation == nil)
    }
}
