import EventLoop
public import HTTP
import JSON
import Synchronization

/// The agent that the demo's agent asks, over A2A 1.0: it knows what was changed, because it asks a tool and a model, through the gateway
/// like everybody else. All it does for the trace is what any agent does that passes `traceparent` on.
public final class Historian: Sendable {
    /// Hops that its own calls are.
    static let hops = 2

    private let gateway = Mutex<Origin?>(nil)

    public init() {}

    /// Where its own calls go; known once the gateway listens.
    public func use(_ gateway: Origin) { self.gateway.withLock { $0 = gateway } }

    func answer(_ request: HTTPRequest, _ loop: EventLoop) async -> HTTPResponse {
        guard request.method == .post, let message = try? JSONValue(String(decoding: request.body, as: UTF8.self)), let id = message["id"] else {
            return HTTPResponse(400)
        }
        let number = String(decoding: id.bytes, as: UTF8.self)
        guard message["method"]?.string == "SendMessage" else {
            return .json(200, #"{"jsonrpc":"2.0","id":\#(number),"error":{"code":-32601,"message":"Method not found"}}"#)
        }
        let state: String
        let words: String
        if let found = await investigate(request, loop) { (state, words) = ("TASK_STATE_COMPLETED", found) } else { (state, words) = ("TASK_STATE_FAILED", "nothing could be found out") }
        return .json(
            200,
            """
            {"jsonrpc":"2.0","id":\(number),"result":{"task":{"id":"task-demo-1","contextId":"ctx-demo-1","status":{"state":"\(state)"},\
            "artifacts":[{"artifactId":"a1","parts":[{"text":\(words.quoted)}]}]}}}
            """)
    }

    /// Asks the tool, then the model what to make of it.
    private func investigate(_ request: HTTPRequest, _ loop: EventLoop) async -> String? {
        guard let gateway = gateway.withLock({ $0 }) else { return nil }
        var headers: HTTPFields = ["user-agent": "hopspan-demo-historian", "x-hopspan-agent": "historian"]
        for name in ["traceparent", "tracestate", "baggage"] { if let value = request.value(of: name) { headers.append(name, value) } }
        let client = HTTPClient(on: loop)
        let call = Script.changes
        let changes = try? await client.send(Agent.Target.tools(call.server.name, tool: call.name).request(to: gateway, headers, call.message))
        let answer = try? await client.send(Agent.Target.openAI("/v1/chat/completions").request(to: gateway, headers, Self.question))
        await client.close()
        guard changes?.status == 200, let answer, answer.status == 200 else { return nil }
        return (try? JSONValue(String(decoding: answer.body, as: UTF8.self)))?["choices"]?[0]?["message"]?["content"]?.string
    }

    static let question = """
        {"model":"\(Models.historian)","messages":[{"role":"system","content":"You say in two sentences what was changed."},\
        {"role":"user","content":\(Script.changes.server.result(of: Script.changes.name, "").text.quoted)}]}
        """
}
