import EventLoop
import HTTP
import JSON

/// What OpenAI would say: Chat Completions and Responses, as its API reference has them.
enum OpenAIStandIn {
    static func answer(_ request: HTTPRequest, _ loop: EventLoop) async -> HTTPResponse {
        guard let asked = StandInRequest(request) else { return refusal(400, "We could not parse the JSON body of your request.") }
        switch request.path {
        case "/v1/chat/completions":
            guard let reply = Script.chatReply(to: asked) else { return refusal(404, "The model does not exist or you do not have access to it.") }
            await loop.sleep(nanoseconds: reply.patience)
            return asked.wantsStream ? stream(reply, asked, loop) : .json(200, completion(reply), fields)
        case "/v1/responses":
            await loop.sleep(nanoseconds: 260_000_000)
            return .json(200, response(Script.check), fields)
        default: return refusal(404, "Unknown request URL.")
        }
    }

    private static let fields = [HTTPField("openai-version", "2020-10-01"), HTTPField("x-request-id", "req_demo"), HTTPField("openai-processing-ms", "120")]

    private static func refusal(_ status: Int, _ message: String) -> HTTPResponse {
        .json(status, #"{"error":{"message":\#(message.quoted),"type":"invalid_request_error","param":null,"code":null}}"#)
    }

    // MARK: Chat Completions

    private static func completion(_ reply: Script.ChatReply) -> String {
        """
        {"id":"\(reply.id)","object":"chat.completion","created":1763820000,"model":"\(reply.model)","choices":[{"index":0,\
        "message":{"role":"assistant","content":\(reply.toolCalls.isEmpty ? reply.text.quoted : "null")\(toolCalls(reply)),"refusal":null},\
        "logprobs":null,"finish_reason":"\(reply.finishReason)"}],"usage":\(usage(reply.usage)),"service_tier":"default","system_fingerprint":"fp_demo"}
        """
    }

    private static func toolCalls(_ reply: Script.ChatReply) -> String {
        guard !reply.toolCalls.isEmpty else { return "" }
        return #","tool_calls":[\#(reply.toolCalls.map(\.json).joined(separator: ","))]"#
    }

    private static func usage(_ usage: Script.Usage) -> String {
        """
        {"prompt_tokens":\(usage.input),"completion_tokens":\(usage.output),"total_tokens":\(usage.input + usage.output),\
        "prompt_tokens_details":{"cached_tokens":\(usage.cached),"audio_tokens":0},\
        "completion_tokens_details":{"reasoning_tokens":\(usage.reasoning),"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}
        """
    }

    /// Usage comes in a last chunk with no choices, and only to who asked (`stream_options.include_usage`).
    private static func stream(_ reply: Script.ChatReply, _ asked: StandInRequest, _ loop: EventLoop) -> HTTPResponse {
        let sendsUsage = asked.json["stream_options"]?["include_usage"]?.bool ?? false
        func chunk(_ choices: String, usage: String = "null") -> String {
            let tail = sendsUsage ? #","usage":\#(usage)"# : ""
            return "data: {\"id\":\"\(reply.id)\",\"object\":\"chat.completion.chunk\",\"created\":1763820000,\"model\":\"\(reply.model)\",\"service_tier\":\"default\",\"choices\":[\(choices)]\(tail)}\n\n"
        }
        var events = [chunk(#"{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}"#)]
        events += reply.text.pieces(ofWords: 3).map { chunk(#"{"index":0,"delta":{"content":\#($0.quoted)},"logprobs":null,"finish_reason":null}"#) }
        events.append(chunk(#"{"index":0,"delta":{},"logprobs":null,"finish_reason":"\#(reply.finishReason)"}"#))
        if sendsUsage { events.append(chunk("", usage: usage(reply.usage))) }
        events.append("data: [DONE]\n\n")
        return .events(events, fields, pause: 14_000_000, on: loop)
    }

    // MARK: Responses

    private static func response(_ reply: Script.ChatReply) -> String {
        """
        {"id":"\(reply.id)","object":"response","created_at":1763820000,"status":"completed","error":null,"incomplete_details":null,"model":"\(reply.model)",\
        "output":[{"type":"reasoning","id":"rs_demo","summary":[]},{"type":"message","id":"msg_demo","status":"completed","role":"assistant",\
        "content":[{"type":"output_text","text":\(reply.text.quoted),"annotations":[]}]}],"service_tier":"default",\
        "usage":{"input_tokens":\(reply.usage.input),"input_tokens_details":{"cached_tokens":\(reply.usage.cached)},"output_tokens":\(reply.usage.output),\
        "output_tokens_details":{"reasoning_tokens":\(reply.usage.reasoning)},"total_tokens":\(reply.usage.input + reply.usage.output)}}
        """
    }
}
