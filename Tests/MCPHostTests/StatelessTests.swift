import JSON
import MCPHost
import Peers
import Testing

@Suite struct `A server that is a program, asked without a session` {
    @Test func `is one process for all who ask`() async throws {
        let it = try HostUnderTest(["--modern"])
        let (one, other) = (try it.client(), try it.client())
        let process = try one.process(meta: Client.modern())
        #expect(try other.process(meta: Client.modern()) == process)
        let answer = try one.call("echo", id: #""a""#, meta: Client.modern())
        #expect(answer.status == 200 && answer.last?["id"]?.string == "a" && !answer.head.contains("mcp-session-id"))
        let discovered = try one.post(#"{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{"_meta":\#(Client.modern())}}"#)
        #expect(discovered.last?["result"]?["supportedVersions"]?[0]?.string == "2026-07-28")
        try one.send("GET", "", "mcp-protocol-version: 2026-07-28\r\n")
        #expect(try one.read().status == 405)
        await it.host.stop()
        #expect(!isThere(process))
    }

    @Test func `keeps apart clients whose ids and progress tokens are the same`() async throws {
        let it = try HostUnderTest(["--modern"])
        let (one, other) = (try it.client(), try it.client())
        try one.send("POST", Client.call("hangs", id: "1", meta: Client.modern(#","progressToken":"t""#)))
        var answer = try other.call("between", id: "1", meta: Client.modern(#","progressToken":"t""#))
        #expect(answer.messages.compactMap { $0["params"]?["progressToken"]?.string } == ["t"])
        #expect(answer.last?["id"]?.int == 1 && answer.text == "done")
        // Until the other call has come.
        answer = try other.call("answers_waiting", id: "1", meta: Client.modern())
        #expect(answer.text == "done")
        #expect(try one.read().text == "late")
        await it.host.stop()
    }

    @Test func `hears that a client has left, which cancels its request`() async throws {
        let it = try HostUnderTest(["--modern"])
        let (one, other) = (try it.client(), try it.client())
        try one.send("POST", Client.call("hangs", meta: Client.modern()))
        _ = try other.call("echo", meta: Client.modern())
        one.peer.close()
        var seen: [JSONValue] = []
        for _ in 0..<500 where seen.isEmpty {
            seen = try other.post(#"{"jsonrpc":"2.0","id":1,"method":"seen","params":{"_meta":\#(Client.modern())}}"#).last?["result"]?["notifications"]?.elements ?? []
        }
        #expect(seen.first?["method"]?.string == "notifications/cancelled")
        #expect(seen.first?["params"]?["requestId"]?.int == 1)
        await it.host.stop()
    }

    @Test func `sends what a subscription brings with the id that its client gave it`() async throws {
        let it = try HostUnderTest(["--modern"])
        let client = try it.client()
        let answer = try client.post(#"{"jsonrpc":"2.0","id":"sub","method":"subscriptions/listen","params":{"ends":true,"_meta":\#(Client.modern())}}"#)
        #expect(answer.messages.map { $0["method"]?.string } == ["notifications/subscriptions/acknowledged", "notifications/tools/list_changed", nil])
        let key = "io.modelcontextprotocol/subscriptionId"
        #expect(answer.messages.map { ($0["params"] ?? $0["result"])?["_meta"]?[key]?.string } == ["sub", "sub", "sub"])
        await it.host.stop()
    }

    @Test func `answers errors with the statuses of 2026-07-28`() async throws {
        let it = try HostUnderTest(["--modern"])
        let client = try it.client()
        let unknown = try client.post(#"{"jsonrpc":"2.0","id":1,"method":"nothing","params":{"_meta":\#(Client.modern())}}"#)
        #expect(unknown.status == 404 && unknown.error.code == -32601)
        #expect(try client.post(#"{"jsonrpc":"2.0","id":1,"result":{}}"#, "mcp-protocol-version: 2026-07-28\r\n").status == 400)
        await it.host.stop()
    }

    @Test(arguments: [[], ["--silent"]]) func `is found out to know only sessions, and then asked no more`(arguments: [String]) async throws {
        let it = try HostUnderTest(arguments) { $0.discovery = .milliseconds(50) }
        let client = try it.client()
        let ask = #"{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{"_meta":\#(Client.modern())}}"#
        let answer = try client.post(ask)
        #expect(answer.status == 404 && answer.error.code == -32601)
        _ = try await it.notices { if case .ended(_, _, true) = $0 { true } else { false } }
        let again = try it.client().call("echo", meta: Client.modern())
        #expect(again.status == 404 && again.error.message.contains("initialize"))
        #expect(try it.client().open().last?["result"] != nil)
        await it.host.stop()
    }

    @Test func `is started anew when it has died`() async throws {
        let it = try HostUnderTest(["--modern"])
        let client = try it.client()
        let process = try client.process(meta: Client.modern())
        #expect(try client.call("dies", meta: Client.modern()).error.message.contains("status 3"))
        #expect(try client.process(meta: Client.modern()) != process)
        await it.host.stop()
    }
}
