import JSONRPC
import MCP
import Testing

/// The text without the tools that begin with `x`; nil where it is no JSON.
private func edited(_ text: String) -> String? {
    let bytes = Array(text.utf8)
    var result: [UInt8] = []
    guard let edits = ToolList.edits(in: unsafe bytes.span.bytes, allows: { unsafe $0.byteCount == 0 || $0.unsafeLoad(as: UInt8.self) != UInt8(ascii: "x") })
    else { return nil }
    edits.apply(to: unsafe bytes.span.bytes) { piece in unsafe piece.withUnsafeBytes { unsafe result.append(contentsOf: $0) } }
    return String(decoding: result, as: UTF8.self)
}

private func list(_ tools: String) -> String { #"{"jsonrpc":"2.0", "id":1 ,"result":{"nextCursor":"c","tools":\#(tools) ,"ttlMs": 1.50}}"# }

@Suite struct `A list of tools` {
    @Test(arguments: [
        ("[]", "[]"), (#"[{"name":"a"}]"#, #"[{"name":"a"}]"#), (#"[ {"name":"x"} ]"#, "[  ]"),
        (#"[{"name":"a"}, {"name":"x"}]"#, #"[{"name":"a"}]"#), (#"[{"name":"x"}, {"name":"a"}]"#, #"[{"name":"a"}]"#),
        (#"[{"name":"x"},{"name":"x2"} , {"name":"a", "n": 1.0},{"name":"x"},{"name":"x"},{"name":"b"} ]"#, #"[{"name":"a", "n": 1.0},{"name":"b"} ]"#),
        (#"[{"name":"x"},{"name":"x"}]"#, "[]"),
        // However it is spelled, and wherever it stands.
        (#"[{"description":"{\"name\":\"a\"}","name":"\u0078"},{"name":"a"}]"#, #"[{"name":"a"}]"#),
        (#"[{"na\u006de":"x"},{"name":"a"}]"#, #"[{"name":"a"}]"#),
        // What has no name, or two, is nothing that could be allowed.
        (#"[{"name":"a","name":"x"},{"name":"a","name":"b"},{"title":"a"},{"name":1},7,null,["name"],{"name":"b"}]"#, #"[{"name":"b"}]"#),
        ("{}", "{}"), ("null", "null"),
    ]) func `loses what is not allowed, and nothing else`(tools: String, left: String) {
        #expect(edited(list(tools)) == list(left))
    }

    @Test func `is found in every message of an array, and in each of two members`() {
        #expect(edited("[\(list(#"[{"name":"x"}]"#)), {}, 1]") == "[\(list("[]")), {}, 1]")
        #expect(edited(#"{"result":{"tools":[{"name":"x"}],"tools":[{"name":"x"}]},"result":{"tools":[{"name":"x"}]}}"#) == #"{"result":{"tools":[],"tools":[]},"result":{"tools":[]}}"#)
    }

    @Test(arguments: [
        #"{"jsonrpc":"2.0","method":"notifications/message","params":{"tools":[{"name":"x"}]}}"#, #"{"id":1,"error":{"tools":[{"name":"x"}]}}"#,
        #"{"id":1,"result":{"content":[],"structuredContent":{"tools":[{"name":"x"}]}}}"#, #"{"id":1,"result":[{"tools":[{"name":"x"}]}]}"#, "[]", "3",
    ]) func `is in no other message`(text: String) {
        #expect(edited(text) == text)
    }

    @Test(arguments: ["", "no JSON", #"{"result":{"tools":[{"name":"a"}"#, #"{"result":{"tools":[]}} x"#]) func `is not told from what is no JSON`(text: String) {
        #expect(edited(text) == nil)
    }
}

@Suite struct `A request for a tool` {
    private func isAllowed(_ params: String, method: String = "tools/call") throws -> Bool {
        let bytes = Array(#"{"jsonrpc":"2.0","id":1,"method":"\#(method)","params":\#(params)}"#.utf8)
        let request = try MCPRequest(try JSONRPCMessage(unsafe bytes.span.bytes), unsafe bytes.span.bytes)
        return request.asksAllowedTool(in: unsafe bytes.span.bytes) { unsafe $0.byteCount > 0 && $0.unsafeLoad(as: UInt8.self) != UInt8(ascii: "x") }
    }

    @Test func `is known by its name, however that is spelled`() throws {
        #expect(try isAllowed(#"{"name":"a"}"#))
        #expect(try !isAllowed(#"{"name":"x"}"#))
        #expect(try !isAllowed(#"{"name":"\u0078"}"#))
        #expect(try !isAllowed(#"{"na\u006de":"x"}"#))
        #expect(try !isAllowed(#"{"name":"x"}"#, method: #"tools\/call"#))
        #expect(try !isAllowed(#"{"name":"x","task":{"ttl":1}}"#))
        #expect(try isAllowed(#"{"name":"x"}"#, method: "prompts/get"))
        let long = String(repeating: "x", count: 100_000)
        #expect(try !isAllowed(#"{"name":"\#(long)"}"#))
    }

    @Test(arguments: ["{}", #"{"name":1}"#, #"{"name":null}"#, #"{"name":["a"]}"#]) func `is none without a name`(params: String) throws {
        #expect(try !isAllowed(params))
    }

    private func hasLookalikes(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return MCPRequest.hasLookalikes(unsafe bytes.span.bytes)
    }

    @Test(arguments: [
        #"{"method":"ping","Method":"tools/call"}"#, #"{"method":"tools/call","params":{"name":"a","Name":"x"}}"#, #"{"params":{"NAME":"x"}}"#,
        #"{"param\u017f":{}}"#, #"{"paramſ":{}}"#, #"{"method":"a","M\u0045thod":"b"}"#, #"{"ID":1}"#, #"{"JsonRPC":1}"#, "{",
    ]) func `could be taken for another where members differ only in case`(text: String) {
        #expect(hasLookalikes(text))
    }

    @Test(arguments: [
        #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"Name":"x","METHOD":1},"_meta":{"Name":1}}}"#, #"{"methods":1,"parameters":2}"#, "[]", "1",
    ]) func `could not otherwise`(text: String) {
        #expect(!hasLookalikes(text))
    }
}
