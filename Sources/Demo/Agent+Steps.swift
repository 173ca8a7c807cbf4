import JSON

extension Agent {
    /// The calls, in their order.
    public static var steps: [Step] {
        let chat = "/v1/chat/completions"
        let review = Step(name: "having it reviewed", .anthropic("/v1/messages"), reviewBody)
        return [
            Step(name: "asking for a plan", .openAI(chat), planBody),
            Step(name: "asking with tools", .openAI(chat), toolBody),
            Step(name: "reading the metric", Script.metric),
            // The run's wrong step: HTTP says 200, the tool says that there is no such runbook, and the agent reads on.
            Step(name: "reading the runbook", Script.runbook),
            Step(name: "streaming the explanation", .openAI(chat), explanationBody),
            Step(name: "asking the historian", .agent("historian"), historianBody),
            Step(name: review.name, .anthropic("/v1/messages"), review.body, status: 529),
            review,
            Step(name: "checking the figures", .openAI("/v1/responses"), checkBody),
            Step(name: "streaming the note", .anthropic("/v1/messages"), noteBody),
        ]
    }

    private static let question = "Why has checkout been slow since last night?"

    private static let planBody = """
        {"model":"\(Models.planner)","temperature":0.2,"messages":[{"role":"system","content":"You plan investigations of incidents. Answer in numbered steps."},\
        {"role":"user","content":"\(question)"}]}
        """

    private static let tools: String = {
        let tools = [ToolServer.metrics.tools[0], ToolServer.runbooks.tools[0]].map {
            #"{"type":"function","function":{"name":"\#($0.name)","description":\#($0.description.quoted),"parameters":\#($0.schema)}}"#
        }
        return "[" + tools.joined(separator: ",") + "]"
    }()

    private static let beginning = """
        {"role":"system","content":"You investigate incidents. Look before you explain."},{"role":"user","content":"\(question)"}
        """

    private static let toolBody = #"{"model":"\#(Models.worker)","max_completion_tokens":800,"tools":\#(tools),"messages":[\#(beginning)]}"#

    private static let explanationBody: String = {
        let calls = [Script.metric, Script.runbook]
        let results = calls.map { #"{"role":"tool","tool_call_id":"\#($0.id)","content":\#($0.server.result(of: $0.name, $0.arguments).text.quoted)}"# }
        return """
            {"model":"\(Models.worker)","stream":true,"max_completion_tokens":800,"tools":\(tools),"messages":[\(beginning),\
            {"role":"assistant","content":null,"tool_calls":[\(calls.map(\.json).joined(separator: ","))]},\(results.joined(separator: ","))]}
            """
    }()

    private static let historianBody = """
        {"jsonrpc":"2.0","id":"ask-1","method":"SendMessage","params":{"message":{"messageId":"msg-demo-1","role":"ROLE_USER",\
        "parts":[{"text":"What was changed around checkout between 22:30 and 23:30?"}]}}}
        """

    private static let reviewBody = """
        {"model":"\(Models.reviewer)","max_tokens":600,"system":"You review incident reports. Be short.",\
        "messages":[{"role":"user","content":"Review: p99 doubled at 23:10, two minutes after a certificate was renewed; sessions are not resumed."}]}
        """

    private static let checkBody = """
        {"model":"\(Models.checker)","reasoning":{"effort":"low"},"max_output_tokens":600,"input":"A round trip takes 165 ms. p99 went from 310 ms to 640 ms. Is a full handshake enough to explain it?"}
        """

    private static let noteBody = """
        {"model":"\(Models.writer)","max_tokens":300,"stream":true,"messages":[{"role":"user","content":"Write three sentences to the team about the cause and what is next."}]}
        """
}

extension Agent.Step {
    /// A call of a tool, as the model asked for it (MCP 2026-07-28: no session, and the envelope with every request).
    init(name: String, _ call: Script.ToolCall) {
        self.init(name: name, .tools(call.server.name, tool: call.name), call.message)
    }
}
