import Foundation
import HTTP
import JSON
import LLM
import Testing

@testable import Demo

@Suite struct `A stand-in` {
    /// Sends the body of a step to the stand-in itself, with `change` made to it.
    static func send(_ step: Agent.Step, to standIn: StandIn, _ change: (String) -> String = { $0 }) throws -> HTTPClientResponse {
        // What stands before the path on the gateway is the gateway's.
        let path = switch step.target {
        case .openAI(let path), .anthropic(let path): path
        case .tools, .agent: "/mcp"
        }
        let request = try HTTPClientRequest(.post, url: standIn.url + path, headers: ["content-type": "application/json"], body: Array(change(step.body).utf8))
        return try HTTPClient.sendBlocking(request)
    }

    /// The JSON of each event; `[DONE]` is a string.
    static func events(_ answer: HTTPClientResponse) throws -> [JSONValue] {
        #expect(answer.headers["content-type"]?.hasPrefix("text/event-stream") == true)
        return try String(decoding: answer.body, as: UTF8.self).split(separator: "\n").filter { $0.hasPrefix("data: ") }.map {
            let data = String($0.dropFirst(6))
            return data == "[DONE]" ? .string(data) : try JSONValue(data)
        }
    }

    static func json(_ answer: HTTPClientResponse) throws -> JSONValue {
        #expect(answer.headers["content-type"] == "application/json")
        return try JSONValue(String(decoding: answer.body, as: UTF8.self))
    }

    @Test func `answers every step of the agent as the story has it`() async throws {
        let (openAI, anthropic) = (try StandIn.openAI(), try StandIn.anthropic())
        for step in Agent.steps {
            let standIn: StandIn
            switch step.target {
            case .openAI: standIn = openAI
            case .anthropic: standIn = anthropic
            case .tools, .agent: continue
            }
            let answer = try Self.send(step, to: standIn)
            #expect(answer.status == step.status, "\(step.name)")
            let asked = try JSONValue(step.body)
            if asked["stream"]?.bool == true {
                #expect(try Self.events(answer).count > 5)
            } else if step.status == 200 {
                let json = try Self.json(answer)
                #expect(json["model"]?.string?.hasPrefix(asked["model"]?.string ?? "?") == true, "\(step.name)")
                #expect(json["usage"] != nil)
            } else {
                #expect(try Self.json(answer)["error"]?["type"]?.string == "overloaded_error")
            }
        }
        await openAI.stop()
        await anthropic.stop()
    }

    @Test func `sends the usage of a stream only to who asks`() async throws {
        let openAI = try StandIn.openAI()
        let step = try #require(Agent.steps.first { $0.name == "streaming the explanation" })
        let plain = try Self.events(Self.send(step, to: openAI))
        #expect(plain.allSatisfy { $0["usage"] == nil })
        let asked = try Self.events(Self.send(step, to: openAI) { $0.replacing("\"stream\":true", with: "\"stream\":true,\"stream_options\":{\"include_usage\":true}") })
        #expect(asked.count == plain.count + 1)
        #expect(asked.dropLast().last?["usage"]?["total_tokens"]?.int == 2315)
        #expect(asked.dropLast().last?["choices"]?.elements?.isEmpty == true)
        #expect(asked.last?.string == "[DONE]")
        // The text is whole, however it was cut.
        let text = plain.compactMap { $0["choices"]?[0]?["delta"]?["content"]?.string }.joined()
        #expect(text.hasPrefix("Checkout's p99 rose") && text.hasSuffix("in the next release."))
        await openAI.stop()
    }

    @Test(arguments: ["", "[]", "{}", #"{"model":"no-such-model","max_tokens":1,"messages":[]}"#]) func `refuses what its provider would refuse`(body: String) async throws {
        let (openAI, anthropic) = (try StandIn.openAI(), try StandIn.anthropic())
        for (url, path) in [(openAI.url, "/v1/chat/completions"), (anthropic.url, "/v1/messages"), (anthropic.url, "/v1/other")] {
            let answer = try HTTPClient.sendBlocking(HTTPClientRequest(.post, url: url + path, body: Array(body.utf8)))
            #expect((400...404).contains(answer.status))
            #expect(try Self.json(answer)["error"]?["message"]?.string?.isEmpty == false)
        }
        await openAI.stop()
        await anthropic.stop()
    }
}

@Suite struct `A stand-in with tools` {
    private func answer(_ call: Script.ToolCall) throws -> JSONValue {
        try JSONValue(try #require(call.server.answer(try JSONValue(call.message))))
    }

    @Test func `answers a call with its figures, and one that fails inside a 200`() async throws {
        let metrics = try StandIn.metrics()
        let step = try #require(Agent.steps.first { $0.target == .tools("metrics", tool: "query_metrics") })
        let answer = try `A stand-in`.json(try `A stand-in`.send(step, to: metrics))
        #expect(answer["result"]?["isError"]?.bool == false)
        #expect(answer["result"]?["content"]?[0]?["text"]?.string?.contains("0.64") == true)
        await metrics.stop()
        let runbook = try self.answer(Script.runbook)
        #expect(runbook["result"]?["isError"]?.bool == true)
        #expect(runbook["result"]?["content"]?[0]?["text"]?.string?.contains("latency-step") == true)
    }

    @Test func `serves a message a line, and goes on after what is none`() throws {
        #expect(ToolServer.runbooks.answer(try JSONValue(#"{"jsonrpc":"2.0","method":"notifications/cancelled"}"#)) == nil)
        let refused = try JSONValue(try #require(ToolServer.runbooks.answer(try JSONValue(#"{"jsonrpc":"2.0","id":"x","method":"initialize"}"#))))
        #expect(refused["error"]?["code"]?.int == -32601)
        #expect(refused["id"]?.string == "x")
        let list = try JSONValue(try #require(ToolServer.metrics.answer(try JSONValue(#"{"jsonrpc":"2.0","id":7,"method":"tools/list"}"#))))
        #expect(list["result"]?["tools"]?.elements?.compactMap { $0["inputSchema"]?["type"]?.string } == ["object", "object"])
    }
}

@Suite struct `The demo's models` {
    @Test(arguments: [
        ("openai", Models.planner), ("openai", Models.worker), ("openai", Models.historian), ("openai", Models.checker), ("anthropic", Models.reviewer), ("anthropic", Models.writer),
        ("openai", "gpt-4o-mini-2024-07-18"), ("openai", "gpt-4.1-mini-2025-04-14"), ("openai", "gpt-4o-2024-11-20"), ("openai", "gpt-5.2-2025-12-11"), ("anthropic", "claude-haiku-4-5-20251001"),
    ]) func `have real prices`(provider: String, model: String) {
        #expect(PriceCatalogue.bundled.entry(provider: provider, model: model).map { $0.rule != .prefix } == true)
    }

    @Test func `are all asked`() {
        let bodies = Agent.steps.map(\.body).joined() + Historian.question
        for model in [Models.planner, Models.worker, Models.historian, Models.checker, Models.reviewer, Models.writer] {
            #expect(bodies.contains("\"model\":\"\(model)\""))
        }
    }
}

@Suite struct `The demo's agent` {
    @Test func `sends well-formed requests`() throws {
        for step in Agent.steps {
            let body = try JSONValue(step.body)
            #expect(body["model"] != nil || body["jsonrpc"]?.string == "2.0", "\(step.name)")
        }
    }

    @Test func `repeats the call that failed, byte for byte`() throws {
        let failed = try #require(Agent.steps.firstIndex { $0.status != 200 })
        #expect(Agent.steps[failed].body == Agent.steps[failed + 1].body)
        #expect(Agent.steps[failed].target == Agent.steps[failed + 1].target)
        #expect(Agent.steps.filter { $0.status != 200 }.count == 1)
    }
}
