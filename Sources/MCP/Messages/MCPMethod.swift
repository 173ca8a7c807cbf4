public import JSON

/// The methods of all revisions (MCP 2024-11-05 to 2026-07-28), as far as a gateway tells them apart.
public enum MCPMethod: UInt8, Sendable, CaseIterable {
    case initialize, serverDiscover, ping
    case toolsList, toolsCall
    case resourcesList, resourcesTemplatesList, resourcesRead, resourcesSubscribe, resourcesUnsubscribe
    case promptsList, promptsGet
    case completionComplete, loggingSetLevel, subscriptionsListen
    case tasksGet, tasksResult, tasksList, tasksCancel, tasksUpdate
    case samplingCreateMessage, rootsList, elicitationCreate
    case initialized, cancelled, progress, message
    case toolsListChanged, promptsListChanged, resourcesListChanged, resourceUpdated, rootsListChanged
    case subscriptionsAcknowledged, tasksStatus, tasks, elicitationComplete
    /// An extension's, or one of a revision to come.
    case other

    /// The method's name; empty of `other`.
    public var name: StaticString {
        switch self {
        case .initialize: "initialize"
        case .serverDiscover: "server/discover"
        case .ping: "ping"
        case .toolsList: "tools/list"
        case .toolsCall: "tools/call"
        case .resourcesList: "resources/list"
        case .resourcesTemplatesList: "resources/templates/list"
        case .resourcesRead: "resources/read"
        case .resourcesSubscribe: "resources/subscribe"
        case .resourcesUnsubscribe: "resources/unsubscribe"
        case .promptsList: "prompts/list"
        case .promptsGet: "prompts/get"
        case .completionComplete: "completion/complete"
        case .loggingSetLevel: "logging/setLevel"
        case .subscriptionsListen: "subscriptions/listen"
        case .tasksGet: "tasks/get"
        case .tasksResult: "tasks/result"
        case .tasksList: "tasks/list"
        case .tasksCancel: "tasks/cancel"
        case .tasksUpdate: "tasks/update"
        case .samplingCreateMessage: "sampling/createMessage"
        case .rootsList: "roots/list"
        case .elicitationCreate: "elicitation/create"
        case .initialized: "notifications/initialized"
        case .cancelled: "notifications/cancelled"
        case .progress: "notifications/progress"
        case .message: "notifications/message"
        case .toolsListChanged: "notifications/tools/list_changed"
        case .promptsListChanged: "notifications/prompts/list_changed"
        case .resourcesListChanged: "notifications/resources/list_changed"
        case .resourceUpdated: "notifications/resources/updated"
        case .rootsListChanged: "notifications/roots/list_changed"
        case .subscriptionsAcknowledged: "notifications/subscriptions/acknowledged"
        case .tasksStatus: "notifications/tasks/status"
        case .tasks: "notifications/tasks"
        case .elicitationComplete: "notifications/elicitation/complete"
        case .other: ""
        }
    }

    /// Tells a method by its name, however that is escaped (`tools\/call`).
    public init(_ name: borrowing JSONString) {
        for method in Self.byFrequency where name.is(method.name) {
            self = method
            return
        }
        self = .other
    }

    private static let byFrequency: [MCPMethod] = [.toolsCall, .toolsList] + allCases.filter { ![.toolsCall, .toolsList, .other].contains($0) }
}
