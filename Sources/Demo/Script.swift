import JSON

/// What the demo's models say, and what it counts as. Made up; the models are real ones, so that their prices are.
///
/// The story: an agent is asked why checkouts became slow last night. It plans, reads a metric, wants to read a runbook, which is not there,
/// explains all the same what it says, asks another agent what was changed, has another provider's model review it, lets a third one check
/// the figures, and writes a note to the team.
enum Script {
    struct Usage {
        /// Cached ones included.
        var input: Int
        var output: Int
        var cached = 0
        /// Part of `output`.
        var reasoning = 0
    }

    struct ToolCall {
        var id: String
        var server: ToolServer
        var name: String
        var arguments: String

        /// As Chat Completions has it.
        var json: String { #"{"id":"\#(id)","type":"function","function":{"name":"\#(name)","arguments":\#(arguments.quoted)}}"# }

        /// As MCP has it.
        var message: String {
            """
            {"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"\(name)","arguments":\(arguments),"_meta":{\
            "io.modelcontextprotocol/protocolVersion":"\(ToolServer.revision)","io.modelcontextprotocol/clientCapabilities":{},\
            "io.modelcontextprotocol/clientInfo":{"name":"hopspan-demo","version":"1.0"}}}}
            """
        }
    }

    static let metric = ToolCall(
        id: "call_demo_latency", server: .metrics, name: "query_metrics",
        arguments: #"{"service":"checkout","metric":"http.server.request.duration","quantile":0.99,"from":"-12h"}"#)
    static let runbook = ToolCall(id: "call_demo_runbook", server: .runbooks, name: "read_runbook", arguments: #"{"name":"latency-step"}"#)
    static let changes = ToolCall(id: "call_demo_changes", server: .metrics, name: "list_changes", arguments: #"{"from":"22:30","to":"23:30"}"#)

    struct ChatReply {
        var id: String
        var model: String
        var text: String
        var finishReason = "stop"
        var toolCalls: [ToolCall] = []
        var usage: Usage
        /// What it takes before the first byte, in nanoseconds.
        var patience: UInt64
    }

    // MARK: OpenAI's models

    /// Nil for a model that plays no part.
    static func chatReply(to asked: StandInRequest) -> ChatReply? {
        switch asked.model {
        case Models.planner: plan
        case Models.worker: asked.json["messages"]?.elements?.contains { $0["role"]?.string == "tool" } == true ? explanation : toolRequest
        case Models.historian: history
        default: nil
        }
    }

    private static let history = ChatReply(
        id: "chatcmpl-demo-history", model: "gpt-4.1-mini-2025-04-14",
        text: "Nothing was deployed. At 23:08 the payment provider's certificate was renewed; at 22:41 a dashboard was edited.",
        usage: Usage(input: 301, output: 32), patience: 130_000_000)

    private static let plan = ChatReply(
        id: "chatcmpl-demo-plan", model: "gpt-4o-mini-2024-07-18",
        text: "1. Get the p99 of checkout over the last 12 hours. 2. Look up the runbook for that shape. 3. Explain, and have it reviewed. 4. Tell the team.",
        usage: Usage(input: 412, output: 47), patience: 140_000_000)

    private static let toolRequest = ChatReply(
        id: "chatcmpl-demo-tool", model: "gpt-4o-2024-11-20", text: "", finishReason: "tool_calls", toolCalls: [metric, runbook],
        usage: Usage(input: 1384, output: 61, cached: 1024), patience: 190_000_000)

    private static let explanation = ChatReply(
        id: "chatcmpl-demo-answer", model: "gpt-4o-2024-11-20",
        text: """
            Checkout's p99 rose from 310 ms to 640 ms at 23:10 and has stayed there. Nothing was deployed then, but the payment provider's \
            certificate was renewed at 23:08, and every call since then makes a new TLS connection: the client's session cache holds the old \
            certificate's sessions and throws each of them away. The runbook names this: restart the checkout pods one by one, and raise \
            the cache's version in the next release.
            """,
        usage: Usage(input: 2217, output: 98, cached: 1280), patience: 160_000_000)

    static let check = ChatReply(
        id: "resp_demo", model: "gpt-5.2-2025-12-11",
        text: "Consistent: two round trips of 165 ms to the payment provider make up the 330 ms that were added.",
        usage: Usage(input: 538, output: 347, reasoning: 320), patience: 260_000_000)

    // MARK: Anthropic's models

    static func message(from model: String) -> ChatReply? {
        switch model {
        case Models.reviewer: review
        case Models.writer: note
        default: nil
        }
    }

    private static let review = ChatReply(
        id: "msg_demo_review", model: Models.reviewer,
        text: """
            The explanation holds: the times agree within two minutes, and the added latency is about two round trips, which is what a full TLS 1.2 \
            handshake costs. Before restarting, confirm it on one pod: its count of resumed sessions should be near zero.
            """,
        finishReason: "end_turn", usage: Usage(input: 2861, output: 74, cached: 2304), patience: 180_000_000)

    private static let note = ChatReply(
        id: "msg_demo_note", model: "claude-haiku-4-5-20251001",
        text: """
            Checkout has been slow since 23:10 (p99 640 ms, was 310 ms). Cause: TLS sessions with the payment provider are no longer resumed \
            since its certificate changed. Next: check one pod's resumption count, then restart the pods one by one. No orders were lost.
            """,
        finishReason: "end_turn", usage: Usage(input: 745, output: 68), patience: 120_000_000)
}

/// The models that play a part, by the names the agent calls them by.
public enum Models {
    public static let planner = "gpt-4o-mini"
    public static let worker = "gpt-4o"
    public static let historian = "gpt-4.1-mini"
    public static let checker = "gpt-5.2"
    public static let reviewer = "claude-sonnet-4-6"
    public static let writer = "claude-haiku-4-5"
}
