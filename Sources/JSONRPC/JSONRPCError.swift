/// Why bytes are no JSON-RPC message that can be passed on. Each case knows the code and the words its sender is answered with
/// (JSON-RPC 2.0 §5.1).
public enum JSONRPCError: Error, Sendable, Hashable {
    /// No JSON, or not UTF-8.
    case unreadable
    /// An array of messages, where the protocol has none.
    case batch
    /// JSON, and no message.
    case invalid(Reason)

    public enum Reason: UInt8, Sendable {
        case notAnObject, version, identifier, method, parameters, nothingToDo, twoOutcomes, memberTwice, errorObject
    }

    /// -32700 and -32600.
    public var code: Int { self == .unreadable ? -32700 : -32600 }

    public var message: String {
        switch self {
        case .unreadable: "The body is no JSON text in UTF-8."
        case .batch: "A batch of messages is not taken here; send each message in a request of its own."
        case .invalid(.notAnObject): "A message is a JSON object."
        case .invalid(.version): #"The member "jsonrpc" must be "2.0"."#
        case .invalid(.identifier): #"The member "id" must be a string or an integer."#
        case .invalid(.method): #"The member "method" must be a string that is not empty."#
        case .invalid(.parameters): #"The member "params" must be an object."#
        case .invalid(.nothingToDo): #"A message has a "method", a "result" or an "error"."#
        case .invalid(.twoOutcomes): #"A message has only one of "method", "result" and "error"."#
        case .invalid(.memberTwice): "A member is given twice, and two readers could take it for two messages."
        case .invalid(.errorObject): #"The member "error" must be an object with an integer "code"."#
        }
    }
}
