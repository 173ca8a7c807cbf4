import EventLoop
import HTTP
import JSON
import Synchronization

/// Whether a stand-in has been overloaded yet.
final class Overload: Sendable {
    private let isOver = Atomic<Bool>(false)

    /// True for the first who asks.
    func strikes() -> Bool { !isOver.exchange(true, ordering: .relaxed) }
}

/// What Anthropic would say: Messages, as its API reference has them.
enum AnthropicStandIn {
    static func answer(_ request: HTTPRequest, _ overload: Overload, _ loop: EventLoop) async -> HTTPResponse {
        guard request.path == "/v1/messages" else { return error(404, "not_found_error", "Not Found") }
        guard let asked = StandInRequest(request), asked.json["max_tokens"]?.int != nil else {
            return error(400, "invalid_request_error", "max_tokens: Field required")
        }
        guard let reply = Script.message(from: asked.model) else { return error(404, "not_found_error", "model: \(asked.model)") }
        await loop.sleep(nanoseconds: reply.patience)
        if overload.strikes() { return error(529, "overloaded_error", "Overloaded") }
        return asked.wantsStream ? stream(reply, loop) : .json(200, message(reply), fields)
    }

    private static let fields = [HTTPField("request-id", "req_demo"), HTTPField("anthropic-organization-id", "demo")]

    private static func error(_ status: Int, _ type: String, _ message: String) -> HTTPResponse {
        .json(status, #"{"type":"error","error":{"type":"\#(type)","message":\#(message.quoted)},"request_id":"req_demo"}"#, fields)
    }

    private static func message(_ reply: Script.ChatReply) -> String {
        """
        {"id":"\(reply.id)","type":"message","role":"assistant","model":"\(reply.model)","content":[{"type":"text","text":\(reply.text.quoted)}],\
        "stop_reason":"\(reply.finishReason)","stop_sequence":null,"usage":\(usage(reply.usage, output: reply.usage.output))}
        """
    }

    /// `input_tokens` leaves out what was read from the cache.
    private static func usage(_ usage: Script.Usage, output: Int) -> String {
        """
        {"input_tokens":\(usage.input - usage.cached),"cache_creation_input_tokens":0,"cache_read_input_tokens":\(usage.cached),\
        "cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":\(output),"service_tier":"standard"}
        """
    }

    private static func stream(_ reply: Script.ChatReply, _ loop: EventLoop) -> HTTPResponse {
        func event(_ type: String, _ rest: String = "") -> String { "event: \(type)\ndata: {\"type\":\"\(type)\"\(rest)}\n\n" }
        var events = [
            event(
                "message_start",
                """
                ,"message":{"id":"\(reply.id)","type":"message","role":"assistant","model":"\(reply.model)","content":[],"stop_reason":null,\
                "stop_sequence":null,"usage":\(usage(reply.usage, output: 1))}
                """),
            event("content_block_start", #","index":0,"content_block":{"type":"text","text":""}"#),
            event("ping"),
        ]
        events += reply.text.pieces(ofWords: 4).map {
            event("content_block_delta", #","index":0,"delta":{"type":"text_delta","text":\#($0.quoted)}"#)
        }
        events += [
            event("content_block_stop", #","index":0"#),
            event("message_delta", #","delta":{"stop_reason":"\#(reply.finishReason)","stop_sequence":null},"usage":{"output_tokens":\#(reply.usage.output)}"#),
            event("message_stop"),
        ]
        return .events(events, fields, pause: 14_000_000, on: loop)
    }
}
