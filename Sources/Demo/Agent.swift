public import HTTP
import JSON

/// The demo's agent: it knows two base URLs, and sends two headers besides what its clients send: its run's name and its own.
public struct Agent: Sendable {
    /// One call it makes.
    public struct Step: Sendable {
        /// For progress: `asking for a plan`.
        public let name: String
        let provider: Provider
        let path: String
        let body: String
        /// The answer that the story has here.
        let status: Int
    }

    enum Provider: Sendable { case openAI, anthropic }

    /// What the gateway said of a call.
    public struct Outcome: Sendable {
        public var status: Int
        /// `x-hopspan-run`.
        public var run: String?
        /// The status is the one that the story has.
        public var isAsExpected: Bool
    }

    private let gateway: Origin
    private let headers: HTTPFields

    public static let name = "incident-analyst"

    /// - Parameters:
    ///   - gateway: where the gateway listens.
    ///   - run: what the run is called. With a name, and no trace of the caller's, the run's root span is the gateway's own: back ends that
    ///     the demo is exported to have a whole tree.
    public init(gateway: Origin, run: String) {
        self.gateway = gateway
        headers = ["content-type": "application/json", "x-hopspan-run": run, "x-hopspan-agent": Self.name, "user-agent": "hopspan-demo"]
    }

    /// Makes one call and reads the answer to its end. Blocks; not on a loop.
    public func take(_ step: Step) throws(HTTPClientError) -> Outcome {
        var headers = headers
        let target: String
        switch step.provider {
        case .openAI:
            headers.append("authorization", "Bearer no-key-needed")
            target = "/openai" + step.path
        case .anthropic:
            headers.append("x-api-key", "no-key-needed")
            headers.append("anthropic-version", "2023-06-01")
            target = "/anthropic" + step.path
        }
        var request = HTTPClientRequest(.post, gateway, target: target, headers: headers, body: Array(step.body.utf8))
        request.timeout = .seconds(30)
        let answer = try HTTPClient.sendBlocking(request)
        return Outcome(status: answer.status, run: answer.headers["x-hopspan-run"], isAsExpected: answer.status == step.status)
    }
}

extension Agent {
    /// The calls, in their order.
    public static var steps: [Step] {
        let chat = "/v1/chat/completions"
        let review = Step(name: "having it reviewed", provider: .anthropic, path: "/v1/messages", body: reviewBody, status: 200)
        return [
            Step(name: "asking for a plan", provider: .openAI, path: chat, body: planBody, status: 200),
            Step(name: "asking with tools", provider: .openAI, path: chat, body: toolBody, status: 200),
            Step(name: "looking up the runbook", provider: .openAI, path: "/v1/embeddings", body: embeddingBody, status: 200),
            Step(name: "streaming the explanation", provider: .openAI, path: chat, body: explanationBody, status: 200),
            Step(name: review.name, provider: .anthropic, path: review.path, body: review.body, status: 529),
            review,
            Step(name: "checking the figures", provider: .openAI, path: "/v1/responses", body: checkBody, status: 200),
            Step(name: "streaming the note", provider: .anthropic, path: "/v1/messages", body: noteBody, status: 200),
        ]
    }

    private static let question = "Why has checkout been slow since last night?"

    private static let planBody = """
        {"model":"\(Models.planner)","temperature":0.2,"messages":[{"role":"system","content":"You plan investigations of incidents. Answer in numbered steps."},\
        {"role":"user","content":"\(question)"}]}
        """

    private static let tools = """
        [{"type":"function","function":{"name":"query_metrics","description":"Reads a metric of a service.","parameters":{"type":"object",\
        "properties":{"service":{"type":"string"},"metric":{"type":"string"},"quantile":{"type":"number"},"from":{"type":"string"}},"required":["service","metric"]}}}]
        """

    private static let beginning = """
        {"role":"system","content":"You investigate incidents. Look before you explain."},{"role":"user","content":"\(question)"}
        """

    private static let toolBody = #"{"model":"\#(Models.worker)","max_completion_tokens":800,"tools":\#(tools),"messages":[\#(beginning)]}"#

    private static let embeddingBody = #"{"model":"\#(Models.librarian)","input":"p99 of checkout doubled within a minute, no deployment","encoding_format":"float"}"#

    private static let explanationBody: String = {
        let call = Script.ToolCall()
        return """
            {"model":"\(Models.worker)","stream":true,"max_completion_tokens":800,"tools":\(tools),"messages":[\(beginning),\
            {"role":"assistant","content":null,"tool_calls":[{"id":"\(call.id)","type":"function","function":{"name":"\(call.name)","arguments":\(call.arguments.quoted)}}]},\
            {"role":"tool","tool_call_id":"\(call.id)","content":"{\\"23:00\\":0.31,\\"23:10\\":0.63,\\"23:20\\":0.64,\\"07:00\\":0.64}"},\
            {"role":"user","content":"The runbook on sudden steps in latency: look for changed certificates and for session resumption."}]}
            """
    }()

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
