import JSONRPC
import MCP
import Testing

private let ours = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

/// The message with our trace context in it.
private func written(_ text: String, tracestate: String = "", baggage: String = "") throws -> String? {
    let bytes = Array(text.utf8)
    let (parent, state, baggage) = (Array(ours.utf8), Array(tracestate.utf8), Array(baggage.utf8))
    let span = unsafe bytes.span.bytes
    let request = try MCPRequest(try JSONRPCMessage(span), span)
    guard let edit = unsafe request.writing(traceparent: parent.span.bytes, tracestate: state.span.bytes, baggage: baggage.span.bytes, in: span) else { return nil }
    return String(decoding: bytes[..<edit.range.lowerBound] + edit.bytes + bytes[edit.range.upperBound...], as: UTF8.self)
}

@Suite struct `An MCP request` {
    @Test(arguments: [
        (#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#, #"{"params":{"_meta":{"traceparent":"T"}},"jsonrpc":"2.0","id":1,"method":"tools/list"}"#),
        (#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}"#, #"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"traceparent":"T"}}}"#),
        (#"{"method":"tools/call","params":{ "name":"a" },"jsonrpc":"2.0","id":1}"#, #"{"method":"tools/call","params":{"_meta":{"traceparent":"T"}, "name":"a" },"jsonrpc":"2.0","id":1}"#),
        (#"{"jsonrpc":"2.0","id":1,"method":"m","params":{"_meta":null}}"#, #"{"jsonrpc":"2.0","id":1,"method":"m","params":{"_meta":{"traceparent":"T"}}}"#),
        (#"{"jsonrpc":"2.0","id":1,"method":"m","params":{"_meta":{}}}"#, #"{"jsonrpc":"2.0","id":1,"method":"m","params":{"_meta":{"traceparent":"T"}}}"#),
        (
            #"{"jsonrpc":"2.0","id":1,"method":"m","params":{"_meta":{ "progressToken" : 12345678901234567890, "traceparent":"stale", "tr\u0061cestate":"a=b", "x/y": {"a":1.50} },"name":"n"}}"#,
            #"{"jsonrpc":"2.0","id":1,"method":"m","params":{"_meta":{"traceparent":"T","progressToken" : 12345678901234567890,"x/y": {"a":1.50}},"name":"n"}}"#
        ),
    ]) func `gets our trace context, and keeps every other byte`(text: String, expected: String) throws {
        #expect(try written(text)?.replacing(ours, with: "T") == expected)
    }

    @Test func `carries tracestate and baggage as JSON strings`() throws {
        let text = #"{"jsonrpc":"2.0","id":1,"method":"m","params":{"_meta":{"baggage":"old=1"}}}"#
        #expect(try written(text, tracestate: #"a=q"\"#, baggage: "k=v") == #"{"jsonrpc":"2.0","id":1,"method":"m","params":{"_meta":{"traceparent":"\#(ours)","tracestate":"a=q\"\\","baggage":"k=v"}}}"#)
    }

    @Test func `is left alone where its _meta is something that no server takes`() throws {
        #expect(try written(#"{"jsonrpc":"2.0","id":1,"method":"m","params":{"_meta":"x"}}"#) == nil)
    }

    @Test(arguments: [
        #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"allowed","name":"denied"}}"#,
        #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"allowed","n\u0061me":"denied"}}"#,
        #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","_meta":{},"_meta":{}}}"#,
        #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"_meta":{"traceparent":"a","traceparent":"b"}}}"#,
    ]) func `is refused when what it asks for is said twice`(text: String) {
        #expect(throws: JSONRPCError.invalid(.memberTwice)) { try written(text) }
    }

    @Test(arguments: [
        (#""tools/call","params":{"name":"get_weather","arguments":{"city":"Paris"}}"#, MCPMethod.toolsCall, #""get_weather""#),
        (#""tools\/call","params":{"name":"x"}"#, .toolsCall, #""x""#),
        (#""resources/read","params":{"uri":"file:///a"}"#, .resourcesRead, #""file:///a""#),
        (#""tasks/get","params":{"taskId":"t1"}"#, .tasksGet, #""t1""#),
        (#""prompts/get","params":{"name":"p"}"#, .promptsGet, #""p""#),
        (#""x.vendor/thing","params":{"name":"p"}"#, .other, #""p""#),
        (#""ping""#, .ping, ""),
    ]) func `says what it is for`(rest: String, method: MCPMethod, target: String) throws {
        let text = #"{"jsonrpc":"2.0","id":1,"method":"# + rest + "}"
        let bytes = Array(text.utf8)
        let span = unsafe bytes.span.bytes
        let request = try MCPRequest(try JSONRPCMessage(span), span)
        #expect(request.method == method)
        #expect(String(decoding: bytes[request.target], as: UTF8.self) == target)
    }

    @Test func `knows every method by its name`() throws {
        for method in MCPMethod.allCases where method != .other {
            let text = #"{"jsonrpc":"2.0","method":"\#(method.name)"}"#
            let bytes = Array(text.utf8)
            let span = unsafe bytes.span.bytes
            #expect(try MCPRequest(try JSONRPCMessage(span), span).method == method)
        }
    }
}
