import EventLoop
import HTTP
import JSON

/// An MCP server as the demo's agent meets one: over HTTP (`StandIn.metrics`), or as a child process of the gateway (`serve`). It speaks
/// MCP 2026-07-28, without sessions.
public struct ToolServer: Sendable {
    struct Tool {
        var name: String
        var description: String
        /// JSON Schema of its arguments.
        var schema: String
        /// What it says; nil where it fails.
        var result: String?
        var failure = ""
    }

    /// What comes after `/mcp/` on the gateway.
    let name: String
    let tools: [Tool]

    static let revision = "2026-07-28"

    /// Figures, and what has been changed.
    static let metrics = ToolServer(
        name: "metrics",
        tools: [
            Tool(
                name: "query_metrics", description: "Reads a metric of a service.",
                schema: """
                    {"type":"object","properties":{"service":{"type":"string"},"metric":{"type":"string"},"quantile":{"type":"number"},\
                    "from":{"type":"string"}},"required":["service","metric"]}
                    """,
                result: #"{"23:00":0.31,"23:10":0.63,"23:20":0.64,"07:00":0.64}"#),
            Tool(
                name: "list_changes", description: "Lists what was changed.",
                schema: #"{"type":"object","properties":{"from":{"type":"string"},"to":{"type":"string"}}}"#,
                result: #"[{"at":"22:41","what":"dashboard edited"},{"at":"23:08","what":"certificate of the payment provider renewed"}]"#),
        ])

    /// Runbooks, of which none is the one that is asked for.
    public static let runbooks = ToolServer(
        name: "runbooks",
        tools: [
            Tool(
                name: "read_runbook", description: "Reads a runbook by its name.",
                schema: #"{"type":"object","properties":{"name":{"type":"string"}},"required":["name"]}"#,
                failure: "no runbook is called latency-step; there are disk-full, failover and on-call")
        ])

    /// What a tool says to those arguments.
    func result(of tool: String, _ arguments: String) -> (text: String, isError: Bool) {
        guard let tool = tools.first(where: { $0.name == tool }) else { return ("no tool of that name", true) }
        return tool.result.map { ($0, false) } ?? (tool.failure, true)
    }

    /// The answer to a message; nil where none is called for.
    func answer(_ message: JSONValue) -> String? {
        guard let method = message["method"]?.string, let id = message["id"] else { return nil }
        let number = String(decoding: id.bytes, as: UTF8.self)
        func result(_ members: String) -> String { #"{"jsonrpc":"2.0","id":\#(number),"result":{"resultType":"complete",\#(members)}}"# }
        func error(_ code: Int, _ message: String) -> String { #"{"jsonrpc":"2.0","id":\#(number),"error":{"code":\#(code),"message":\#(message.quoted)}}"# }
        switch method {
        case "server/discover":
            return result(#""supportedVersions":["\#(Self.revision)"],"capabilities":{"tools":{}},"serverInfo":{"name":"\#(name)","version":"1.0"},"ttlMs":0,"cacheScope":"public""#)
        case "tools/list":
            let list = tools.map { #"{"name":"\#($0.name)","description":\#($0.description.quoted),"inputSchema":\#($0.schema)}"# }
            return result(#""tools":[\#(list.joined(separator: ","))],"ttlMs":60000,"cacheScope":"public""#)
        case "tools/call":
            guard let tool = message["params"]?["name"]?.string, tools.contains(where: { $0.name == tool }) else { return error(-32602, "Unknown tool") }
            let (text, isError) = self.result(of: tool, "")
            return result(#""content":[{"type":"text","text":\#(text.quoted)}],"isError":\#(isError)"#)
        default: return error(-32601, "Method not found")
        }
    }

    /// Serves on standard input and output, a message a line, until the input ends. Blocks.
    /// - Parameter write: puts a line on standard output.
    public func serve<Failure: Error>(_ write: (String) throws(Failure) -> Void) throws(Failure) {
        while let line = readLine() {
            if let message = try? JSONValue(line), let answer = answer(message) { try write(answer) }
        }
    }

    /// The same over HTTP.
    func answer(_ request: HTTPRequest, _ loop: EventLoop) async -> HTTPResponse {
        guard request.method == .post else { return HTTPResponse(405) }
        guard let message = try? JSONValue(String(decoding: request.body, as: UTF8.self)) else { return HTTPResponse(400) }
        await loop.sleep(nanoseconds: 60_000_000)
        return answer(message).map { .json(200, $0) } ?? HTTPResponse(202)
    }
}
