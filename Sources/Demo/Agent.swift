public import HTTP

/// The demo's agent: it knows the gateway's address, and sends two headers besides what its clients send: its run's name and its own.
public struct Agent: Sendable {
    /// One call it makes.
    public struct Step: Sendable {
        /// For progress: `asking for a plan`.
        public let name: String
        let target: Target
        let body: String
        /// The answer that the story has here.
        let status: Int

        init(name: String, _ target: Target, _ body: String, status: Int = 200) {
            (self.name, self.target, self.body, self.status) = (name, target, body, status)
        }
    }

    /// Whom it calls. Paths are those of the provider.
    enum Target: Sendable, Hashable {
        case openAI(String)
        case anthropic(String)
        /// An MCP server, and which of its tools.
        case tools(String, tool: String)
        /// Another agent, over A2A.
        case agent(String)
    }

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

    /// Hops that its run has: its own calls, and those of the agent it asks.
    public static var hops: Int { steps.count + Historian.hops }

    /// - Parameters:
    ///   - gateway: where the gateway listens.
    ///   - run: what the run is called. With a name, and no trace of the caller's, the run's root span is the gateway's own: back ends that
    ///     the demo is exported to have a whole tree.
    public init(gateway: Origin, run: String) {
        self.gateway = gateway
        headers = ["x-hopspan-run": run, "x-hopspan-agent": Self.name, "user-agent": "hopspan-demo"]
    }

    /// Makes one call and reads the answer to its end. Blocks; not on a loop.
    public func take(_ step: Step) throws(HTTPClientError) -> Outcome {
        let answer = try HTTPClient.sendBlocking(step.target.request(to: gateway, headers, step.body))
        return Outcome(status: answer.status, run: answer.headers["x-hopspan-run"], isAsExpected: answer.status == step.status)
    }
}

extension Agent.Target {
    /// As an ordinary client of that kind would send it.
    func request(to gateway: Origin, _ headers: HTTPFields, _ body: String) -> HTTPClientRequest {
        var headers = headers
        headers.append("content-type", "application/json")
        let target: String
        switch self {
        case .openAI(let path):
            headers.append("authorization", "Bearer no-key-needed")
            target = "/openai" + path
        case .anthropic(let path):
            headers.append("x-api-key", "no-key-needed")
            headers.append("anthropic-version", "2023-06-01")
            target = "/anthropic" + path
        case .tools(let server, let tool):
            headers.append("accept", "application/json, text/event-stream")
            headers.append("mcp-protocol-version", ToolServer.revision)
            headers.append("mcp-method", "tools/call")
            headers.append("mcp-name", tool)
            target = "/mcp/" + server
        case .agent(let name):
            headers.append("a2a-version", "1.0")
            target = "/a2a/" + name
        }
        var request = HTTPClientRequest(.post, gateway, target: target, headers: headers, body: Array(body.utf8))
        request.timeout = .seconds(30)
        return request
    }
}
