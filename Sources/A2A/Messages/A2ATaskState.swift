internal import JSON

/// How a task stands (A2A 1.0, `TaskState`, with its numbers; 0.x has the same states under names in lower case).
public enum A2ATaskState: UInt8, Sendable, CaseIterable {
    /// Also the `unknown` of 0.x.
    case unspecified = 0
    case submitted = 1
    case working = 2
    case completed = 3
    case failed = 4
    case canceled = 5
    case inputRequired = 6
    case rejected = 7
    case authRequired = 8

    /// As 1.0 has it (`a2a.task.state`).
    public var name: StaticString {
        switch self {
        case .unspecified: "TASK_STATE_UNSPECIFIED"
        case .submitted: "TASK_STATE_SUBMITTED"
        case .working: "TASK_STATE_WORKING"
        case .completed: "TASK_STATE_COMPLETED"
        case .failed: "TASK_STATE_FAILED"
        case .canceled: "TASK_STATE_CANCELED"
        case .inputRequired: "TASK_STATE_INPUT_REQUIRED"
        case .rejected: "TASK_STATE_REJECTED"
        case .authRequired: "TASK_STATE_AUTH_REQUIRED"
        }
    }

    /// As 0.2 and 0.3 have it over JSON-RPC.
    public var legacyName: StaticString {
        switch self {
        case .unspecified: "unknown"
        case .submitted: "submitted"
        case .working: "working"
        case .completed: "completed"
        case .failed: "failed"
        case .canceled: "canceled"
        case .inputRequired: "input-required"
        case .rejected: "rejected"
        case .authRequired: "auth-required"
        }
    }

    /// Nil of a state that is none of these.
    init?(_ text: borrowing JSONString) {
        for state in Self.allCases where text.is(state.name) || text.is(state.legacyName) {
            self = state
            return
        }
        // The enumeration of 0.3 as protobuf has it spells this one so.
        guard text.is("TASK_STATE_CANCELLED") else { return nil }
        self = .canceled
    }

    /// The task takes no more messages.
    public var isTerminal: Bool {
        switch self {
        case .completed, .failed, .canceled, .rejected: true
        case .unspecified, .submitted, .working, .inputRequired, .authRequired: false
        }
    }

    /// The task waits for somebody outside it.
    public var isInterrupted: Bool { self == .inputRequired || self == .authRequired }

    /// `error.type` where the state is a failure; nil where nothing has failed.
    var errorType: StaticString? {
        switch self {
        case .failed: "failed"
        case .rejected: "rejected"
        case .authRequired: "auth_required"
        case .unspecified, .submitted, .working, .completed, .canceled, .inputRequired: nil
        }
    }
}
