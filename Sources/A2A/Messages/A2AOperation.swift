internal import HTTP
internal import JSON

/// What can be asked of an agent, in any version and binding (A2A 0.2 to 1.0, "Protocol operations").
public enum A2AOperation: UInt8, Sendable, CaseIterable {
    case sendMessage, sendStreamingMessage
    case getTask, listTasks, cancelTask, subscribeToTask
    case createPushConfig, getPushConfig, listPushConfigs, deletePushConfig
    case getExtendedAgentCard
    /// An extension's, or one of a version to come.
    case other

    /// The name that is the same for every binding: that of 1.0 (`a2a.method.name`); empty of `other`.
    public var name: StaticString {
        switch self {
        case .sendMessage: "SendMessage"
        case .sendStreamingMessage: "SendStreamingMessage"
        case .getTask: "GetTask"
        case .listTasks: "ListTasks"
        case .cancelTask: "CancelTask"
        case .subscribeToTask: "SubscribeToTask"
        case .createPushConfig: "CreateTaskPushNotificationConfig"
        case .getPushConfig: "GetTaskPushNotificationConfig"
        case .listPushConfigs: "ListTaskPushNotificationConfigs"
        case .deletePushConfig: "DeleteTaskPushNotificationConfig"
        case .getExtendedAgentCard: "GetExtendedAgentCard"
        case .other: ""
        }
    }

    /// The JSON-RPC method of 0.2 and 0.3; empty where there is none.
    public var legacyMethod: StaticString {
        switch self {
        case .sendMessage: "message/send"
        case .sendStreamingMessage: "message/stream"
        case .getTask: "tasks/get"
        case .listTasks: "tasks/list"
        case .cancelTask: "tasks/cancel"
        case .subscribeToTask: "tasks/resubscribe"
        case .createPushConfig: "tasks/pushNotificationConfig/set"
        case .getPushConfig: "tasks/pushNotificationConfig/get"
        case .listPushConfigs: "tasks/pushNotificationConfig/list"
        case .deletePushConfig: "tasks/pushNotificationConfig/delete"
        case .getExtendedAgentCard: "agent/getAuthenticatedExtendedCard"
        case .other: ""
        }
    }

    /// Tells an operation by its JSON-RPC method, however that is escaped (`message\/send`).
    /// - Returns: with it, whether the method is one of 0.2 and 0.3, whose names have a slash.
    static func reading(_ method: borrowing JSONString) -> (operation: A2AOperation, isLegacy: Bool) {
        for operation in allCases where operation != .other {
            if method.is(operation.name) { return (operation, false) }
            if method.is(operation.legacyMethod) { return (operation, true) }
        }
        return (.other, method.raw.firstIndex(of: UInt8(ascii: "/")) != nil)
    }

    /// It gives an agent something to do: what counts as a call of the agent.
    public var isSend: Bool { self == .sendMessage || self == .sendStreamingMessage }

    /// Its answer is a stream that ends with the task, or with its waiting for somebody.
    public var isStreamed: Bool { self == .sendStreamingMessage || self == .subscribeToTask }

    /// It is about a push-notification configuration, which has an id beside the task's.
    var isPushConfig: Bool {
        switch self {
        case .createPushConfig, .getPushConfig, .listPushConfigs, .deletePushConfig: true
        default: false
        }
    }
}
