import Foundation
import JSON
import MCPHost
import Peers
import Testing

@Suite struct `A server that is a program` {
    @Test func `is reached in a session that begins with its handshake`() async throws {
        let it = try HostUnderTest()
        let client = try it.client()
        let opened = try client.open()
        #expect(opened.status == 200 && opened.last?["id"]?.string == "init")
        #expect(opened.last?["result"]?["serverInfo"]?["name"]?.string == "troubles")
        let session = try #require(client.session)
        #expect(session.count >= 20)
        // The server sees ids of ours, the client its own, of their types.
        for id in ["7", #""seven""#, #""\u0073even""#] {
            let answer = try client.call("echo", id: id)
            #expect(answer.status == 200 && answer.head.contains("content-type: application/json"))
            #expect(answer.last?["id"] == (try JSONValue(id)))
            #expect(try JSONValue(answer.text ?? "")["id"]?.int != nil)
        }
        #expect(try client.post(#"{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}"#).status == 202)
        let seen = try client.post(#"{"jsonrpc":"2.0","id":1,"method":"seen"}"#).last?["result"]?["notifications"]?.elements
        #expect(seen?.compactMap { $0["method"]?.string } == ["notifications/initialized", "notifications/roots/list_changed"])
        await it.host.stop()
    }

    @Test func `is a process of each session's own, that ends with it`() async throws {
        let it = try HostUnderTest()
        let (one, other) = (try it.client(), try it.client())
        _ = try one.open()
        _ = try other.open()
        #expect(one.session != other.session)
        let (first, second) = (try one.process(), try other.process())
        #expect(first != second)
        #expect(try one.post("", "").status == 400)
        try one.send("DELETE")
        #expect(try one.read().status == 204)
        _ = try await it.notices { $0 == .ended(server: "troubles", how: "exited with status 0.", asked: true) }
        #expect(!isThere(first) && isThere(second))
        #expect(try it.client(one.session).call("echo").status == 404)
        #expect(try it.client(other.session).call("echo").status == 200)
        await it.host.stop()
        #expect(!isThere(second))
    }

    @Test func `has the descriptors and the environment that it is given, and nothing else`() async throws {
        // The interpreter itself: what stands in its place in a PATH may be a script.
        let python = Process()
        let path = Pipe()
        (python.executableURL, python.arguments) = (URL(filePath: "/usr/bin/env"), ["python3", "-c", "import sys; print(sys.executable, end='')"])
        python.standardOutput = path
        try python.run()
        let interpreter = try #require(String(data: path.fileHandleForReading.readDataToEndOfFile(), encoding: .utf8))
        let it = try HostUnderTest(command: [interpreter, HostUnderTest.script, "--flag", "a b"], environment: ["MODE=ro", "EMPTY="])
        let held = try #require(FileHandle(forReadingAtPath: "/dev/null"))  // one that could be inherited
        defer { try? held.close() }
        let client = try it.client()
        _ = try client.open()
        let process = try JSONValue(client.call("process").text ?? "")
        let environment = try #require(process["environment"]?.members)
        // Python sets one of its own where there is no locale.
        #expect(environment.filter { $0.name != "LC_CTYPE" }.map(\.name).sorted() == ["EMPTY", "MODE"])
        #expect(process["environment"]?["MODE"]?.string == "ro")
        let descriptors = try #require(process["descriptors"]?.members)
        #expect(descriptors.filter { $0.value.string?.hasPrefix("/proc/") != true }.map(\.name).sorted() == ["0", "1", "2"])
        #expect(descriptors.filter { ["0", "1", "2"].contains($0.name) }.allSatisfy { $0.value.string?.hasPrefix("pipe:") == true })
        #expect(process["arguments"]?.elements?.map(\.string) == ["--flag", "a b"])
        // Ended with all it starts, and reached by signals.
        #expect(process["session"]?.int == process["pid"]?.int)
        #expect(process["blocked"]?[0]?.string?.hasSuffix("0000000000000000\n") == true)
        await it.host.stop()
    }

    @Test func `is refused in its protocol's words where no session is named, or none that is`() async throws {
        let it = try HostUnderTest()
        let client = try it.client()
        #expect(try client.call("echo").status == 400)
        #expect(try client.call("echo").error.message.contains("initialize"))
        client.session = "nothing-such"
        let unknown = try client.call("echo", id: "9")
        #expect(unknown.status == 404 && unknown.last?["id"]?.int == 9)
        try client.send("GET")
        #expect(try client.read().status == 404)
        try client.send("DELETE")
        #expect(try client.read().status == 404)
        client.session = nil
        #expect(try client.post("{").error.code == -32700)
        #expect(try client.post("[]").error.code == -32600)
        #expect(try client.post(Client.call("echo"), "mcp-protocol-version: 1999-01-01\r\n").status == 400)
        try client.send("PUT")
        #expect(try client.read().status == 405)
        #expect(it.host.takeNotices().isEmpty, "nothing was started")
        await it.host.stop()
    }

    @Test func `makes no session of a handshake that it refuses`() async throws {
        let it = try HostUnderTest(["--refuses"])
        let client = try it.client()
        let answer = try client.open()
        #expect(answer.error.code == -32602 && client.session == nil)
        _ = try await it.notices { if case .ended(_, _, true) = $0 { true } else { false } }
        await it.host.stop()
    }

    @Test func `says what comes before an answer on the answer's own stream, in its order`() async throws {
        let it = try HostUnderTest()
        let client = try it.client()
        _ = try client.open()
        let answer = try client.call("between", id: #""x""#, meta: #"{"progressToken":"x"}"#)
        #expect(answer.head.contains("content-type: text/event-stream"))
        #expect(answer.messages.map { $0["method"]?.string } == ["notifications/message", "notifications/progress", "notifications/tools/list_changed", nil])
        #expect(answer.messages[1]["params"]?["progressToken"]?.string == "x")
        #expect(answer.last?["id"]?.string == "x")
        await it.host.stop()
    }

    @Test func `asks its client on the stream of the request that runs, and hears its answer`() async throws {
        let it = try HostUnderTest()
        let client = try it.client()
        _ = try client.open()
        let other = try it.client(client.session)
        try client.send("POST", Client.call("asks", id: "5"))
        _ = try client.peer.read(to: "\r\n\r\n")
        let asked = try client.peer.read(to: "\n\n")
        #expect(asked.contains("sampling/createMessage"))
        let id = try #require(asked.firstMatch(of: /"id": ?"(ask-[0-9]+)"/)?.1)
        #expect(try other.post(#"{"jsonrpc":"2.0","id":"\#(id)","result":{"role":"assistant"}}"#).status == 202)
        #expect(try client.peer.read(to: "\n\n").contains(#"heard {\"role\": \"assistant\"}"#))
        await it.host.stop()
    }

    @Test func `says what belongs to no request to whoever listens, now or later`() async throws {
        let it = try HostUnderTest()
        let client = try it.client()
        _ = try client.open()
        _ = try client.call("announces", #"{"count":2}"#)
        let listener = try it.client(client.session)
        try listener.send("GET")
        #expect(try listener.peer.read(to: "\r\n\r\n").contains("200"))
        for number in 0..<2 { #expect(try listener.peer.read(to: "\n\n").contains("later \(number)")) }
        let second = try it.client(client.session)
        try second.send("GET")
        #expect(try second.read().status == 409)
        _ = try client.call("announces")
        #expect(try listener.peer.read(to: "\n\n").contains("later 0"))
        // And again after it has left.
        listener.peer.close()
        var status = 409
        while status == 409 {
            try second.send("GET")
            let head = try second.peer.read(to: "\r\n\r\n")
            status = head.contains(" 409 ") ? 409 : 200
            if status == 409 { _ = try second.peer.read(to: "}}") }
        }
        _ = try client.call("announces")
        #expect(try second.peer.read(to: "\n\n").contains("later 0"))
        await it.host.stop()
    }

    @Test func `passes a cancellation on with the id that the server knows`() async throws {
        let it = try HostUnderTest()
        let client = try it.client()
        _ = try client.open()
        let other = try it.client(client.session)
        try client.send("POST", Client.call("hangs", id: #""mine""#))
        // Both are on their way through pipes of their own.
        var cancelled: [JSONValue] = []
        for _ in 0..<500 where cancelled.isEmpty {
            _ = try other.post(#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"mine"}}"#)
            let seen = try other.post(#"{"jsonrpc":"2.0","id":1,"method":"seen"}"#).last?["result"]?["notifications"]?.elements ?? []
            cancelled = seen.filter { $0["method"]?.string == "notifications/cancelled" }
        }
        #expect(cancelled.first?["params"]?["requestId"]?.int == 2)
        // Whose stream ends, and whose answer, should it come, is nobody's.
        let answer = try client.read()
        #expect(answer.last?["id"]?.string == "mine" && answer.error.code == -32800)
        #expect(try other.call("answers_waiting").text == "done")
        #expect(!it.host.takeNotices().contains { if case .trouble = $0 { true } else { false } })
        await it.host.stop()
    }

    @Test func `is not told that its client has left, and its answer goes nowhere`() async throws {
        let it = try HostUnderTest()
        let client = try it.client()
        _ = try client.open()
        let leaving = try it.client(client.session)
        try leaving.send("POST", Client.call("hangs"))
        while try client.call("echo").text == nil {}
        leaving.peer.close()
        #expect(try client.call("answers_waiting").text == "done")
        let seen = try client.post(#"{"jsonrpc":"2.0","id":1,"method":"seen"}"#).last?["result"]?["notifications"]?.elements
        #expect(seen?.count == 1)
        await it.host.stop()
    }

    @Test func `ends when nobody has used it for long`() async throws {
        let it = try HostUnderTest { $0.idle = .milliseconds(1) }
        let client = try it.client()
        _ = try client.open()
        _ = try await it.notices { if case .ended(_, _, true) = $0 { true } else { false } }
        #expect(try it.client(client.session).call("echo").status == 404)
        await it.host.stop()
    }

    @Test func `makes room where there are as many as may be`() async throws {
        let it = try HostUnderTest { $0.sessions = 1 }
        let (one, other) = (try it.client(), try it.client())
        _ = try one.open()
        _ = try other.open()
        #expect(try one.call("echo").status == 404)
        try other.send("POST", Client.call("hangs"))
        let third = try it.client()
        var refused = try third.open()
        // Until the call has come.
        while third.session != nil {
            _ = try other.open()
            try other.send("POST", Client.call("hangs"))
            refused = try third.open()
        }
        #expect(refused.status == 429 && refused.error.message.contains("DELETE"))
        await it.host.stop()
    }
}
