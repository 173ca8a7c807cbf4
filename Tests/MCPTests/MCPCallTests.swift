import Content
import JSONRPC
import MCP
import Testing
import Tracing

/// What a span carries, as text: its name, error and attributes.
private func span(_ request: String, _ answer: String?, isEventStream: Bool = false, cut: Int? = nil, content: ContentRecording = .none) throws -> [String: String] {
    let call = MCPCall()
    call.content = content
    let body = Array(request.utf8)
    _ = try call.readRequest(unsafe body.span.bytes)
    if let answer {
        call.beginResponse(isEventStream: isEventStream)
        let bytes = Array(answer.utf8)
        var at = 0
        while at < bytes.count {
            let piece = Array(bytes[at..<min(at + (cut ?? bytes.count), bytes.count)])
            call.observe(unsafe piece.span.bytes)
            at += piece.count
        }
        call.endResponse()
    }
    var draft = SpanDraft()
    call.describe(into: &draft)
    var values: [String: String] = [:]
    draft.withEntries { entries in
        SpanEntry.forEach(in: entries) { tag, type, value in
            let text = unsafe value.withUnsafeBytes { String(decoding: unsafe Array($0), as: UTF8.self) }
            switch tag {
            case SpanEntry.Tag.name.rawValue: values["name"] = text
            case SpanEntry.Tag.statusMessage.rawValue: values["status"] = text
            default: values["\(Attribute(rawValue: tag)!.name)"] = type == .string ? text : "…"
            }
        }
    }
    if draft.record.isError { values["error"] = "yes" }
    return values
}

private let call = #"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"get_weather","arguments":{"city":"Paris"}}}"#

@Suite struct `A tool call's span` {
    @Test func `bears the tool's name and says what was asked`() throws {
        #expect(
            try span(call, #"{"jsonrpc":"2.0","id":7,"result":{"content":[]}}"#) == [
                "name": "tools/call get_weather", "mcp.method.name": "tools/call", "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "get_weather",
                "jsonrpc.request.id": "7",
            ])
    }

    @Test(arguments: [1, 2, 3, 7, 1_000])
    func `is an error where the tool says so, behind whatever came before, however it is cut`(cut: Int) throws {
        let stream = "id: 1\ndata:\n\n: hello\n\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"progressToken\":1,\"progress\":1}}\n\n"
            + "data: {\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"sampling/createMessage\",\"params\":{}}\n\n"
            + "data: {\"jsonrpc\":\"2.0\",\"id\":\"7\",\"result\":{}}\n\ndata: {\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"content\":[],\"isError\":true}}\n\n"
            + "data: {\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"content\":[]}}\n\n"
        let values = try span(call, stream, isEventStream: true, cut: cut)
        #expect(values["error"] == "yes")
        #expect(values["error.type"] == "tool_error")
    }

    @Test func `is an error by a JSON-RPC error, with its code, and its words without secrets`() throws {
        let secret = "sk-" + "abcDEF0123456789xyz"
        let values = try span(call, #"{"jsonrpc":"2.0","id":7,"error":{"code":-32602,"message":"no such tool, key \#(secret)"}}"#)
        #expect(values["error.type"] == "-32602")
        #expect(values["rpc.response.status_code"] == "-32602")
        #expect(values["status"] == "no such tool, key [secret]")
    }

    @Test func `knows its outcome behind megabytes of result`() throws {
        let big = String(repeating: "x", count: 3 << 20)
        let answer = #"{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":"\#(big)"}],"isError":true}}"#
        #expect(try span(call, answer, cut: 60_000)["error.type"] == "tool_error")
        #expect(try span(call, "data: \(answer)\n\n", isEventStream: true, cut: 60_000)["error.type"] == "tool_error")
    }

    @Test(arguments: ["", "{", "no JSON", #"{"jsonrpc":"2.0","id":8,"result":{"isError":true}}"#, #"{"jsonrpc":"2.0","id":"7","result":{"isError":true}}"#])
    func `takes nobody else's answer for its own`(answer: String) throws {
        #expect(try span(call, answer)["error"] == nil)
    }

    @Test func `says what could not be read`() throws {
        #expect(try span(call, "no JSON")["hopspan.unreadable"] != nil)
        #expect(try span(call, #"{"jsonrpc":"2.0","id":7,"result":{}}"#)["hopspan.unreadable"] == nil)
    }

    @Test func `carries arguments and result only where content is recorded, masked where it is to be`() throws {
        let answer = #"{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":"jane@example.com"}]}}"#
        #expect(try span(call, answer)["gen_ai.tool.call.arguments"] == nil)
        let full = try span(call, answer, content: ContentRecording(.full))
        #expect(full["gen_ai.tool.call.arguments"] == #"{"city":"Paris"}"#)
        #expect(full["gen_ai.tool.call.result"] == #"{"content":[{"type":"text","text":"jane@example.com"}]}"#)
        let masked = try span(call, answer, content: ContentRecording(.redacted))
        #expect(masked["gen_ai.tool.call.result"] == #"{"content":[{"type":"text","text":"[email]"}]}"#)
    }

    @Test(arguments: [
        (#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18"}}"#, #"{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-03-26"}}"#, "initialize", "2025-03-26"),
        (#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}"#, #"{"jsonrpc":"2.0","id":1,"result":{}}"#, "tools/list", "2026-07-28"),
        (#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#, "", "notifications/initialized", nil),
        (#"{"jsonrpc":"2.0","id":"s1","result":{"role":"assistant"}}"#, "", "response", nil),
        (#"{"jsonrpc":"2.0","id":1,"method":"vendor/thing"}"#, "", "vendor/thing", nil),
        (#"{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"file:///secret"}}"#, "", "resources/read", nil),
    ] as [(String, String, String, String?)]) func `of another message is named by its method, and knows the revision`(request: String, answer: String, name: String, version: String?) throws {
        let values = try span(request, answer)
        #expect(values["name"] == name)
        #expect(values["mcp.protocol.version"] == version)
    }
}
