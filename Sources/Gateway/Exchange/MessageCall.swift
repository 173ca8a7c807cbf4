import A2A
import JSON
import MCP
import Tracing

/// What an exchange needs of a message while it is under way, whatever protocol it is of.
protocol MessageCall: AnyObject {
    func reset()
    /// A request was read that says what is asked.
    var isKnown: Bool { get }
    /// To do it twice does no more than to do it once.
    var mayBeRepeated: Bool { get }
    /// It is one of JSON-RPC that waits for an answer.
    var expectsAnswer: Bool { get }
    func writeID(to json: inout JSONWriter)
    /// - Parameter status: of HTTP.
    func beginResponse(status: Int, isEventStream: Bool)
    func observe(_ chunk: RawSpan)
    func endResponse()
    var heldByteCount: Int { get }
    /// It has its answer, whatever may still come.
    var isAnswered: Bool { get }
    /// A caller that leaves now has all it asked for.
    var hasSaidAll: Bool { get }
    var codingIsUnreadable: Bool { get set }
    func describe(into draft: inout SpanDraft)
}

extension MCPCall: MessageCall {
    var isKnown: Bool { kind != nil }
    var hasSaidAll: Bool { isAnswered }
    func beginResponse(status: Int, isEventStream: Bool) { beginResponse(isEventStream: isEventStream) }
}

extension A2ACall: MessageCall {
    var mayBeRepeated: Bool { operation != .other && !operation.isSend }
}
