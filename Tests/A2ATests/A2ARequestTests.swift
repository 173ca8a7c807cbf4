import A2A
import HTTP
import JSONRPC
import Testing

private let ours = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

/// The request with our trace context in it; nil where there is no place for it.
private func written(_ text: String, path: String? = nil, tracestate: String = "", baggage: String = "") throws -> String? {
    let bytes = Array(text.utf8)
    let (parent, state, baggage) = (Array(ours.utf8), Array(tracestate.utf8), Array(baggage.utf8))
    let span = unsafe bytes.span.bytes
    let call = A2ACall()
    let request: A2ARequest
    if let path {
        let path = Array(path.utf8)
        request = try call.readRequest(A2APath(.post, unsafe path.span.bytes)!, unsafe path.span.bytes, span, version: RawSpan())
    } else {
        request = try call.readMessage(span, version: RawSpan())
    }
    let edits = unsafe request.writing(traceparent: parent.span.bytes, tracestate: state.span.bytes, baggage: baggage.span.bytes, in: span)
    if edits.isEmpty { return nil }
    var written: [UInt8] = []
    edits.apply(to: span) { piece in unsafe piece.withUnsafeBytes { unsafe written.append(contentsOf: $0) } }
    #expect(written.count == bytes.count + edits.growth)
    return String(decoding: written, as: UTF8.self)
}

private func send(_ params: String) -> String { #"{"jsonrpc":"2.0","id":1,"method":"message/send","params":{\#(params)}}"# }

@Suite struct `A send` {
    @Test(arguments: [
        (#""message":{}"#, #""message":{"metadata":{"traceparent":"T"}}"#),
        (#""message":{"kind":"message","parts":[]}"#, #""message":{"metadata":{"traceparent":"T"},"kind":"message","parts":[]}"#),
        (#""contextId":"c","taskId":"t","message":{"contextId":"c","taskId":"t"}"#, #""contextId":"c","taskId":"t","message":{"metadata":{"traceparent":"T"},"contextId":"c","taskId":"t"}"#),
        (#""message":{"metadata":null}"#, #""message":{"metadata":{"traceparent":"T"}}"#),
        (
            #""message":{"metadata":{ "https://x/ext": {"a":1.50}, "traceparent":"stale","tr\u0061cestate":"a=b" },"messageId":"m"}"#,
            #""message":{"metadata":{"traceparent":"T","https://x/ext": {"a":1.50}},"messageId":"m"}"#
        ),
        // What stands beside the message is changed only where it could be taken for the context.
        (#""metadata":{"a":1},"message":{"a":1}"#, #""metadata":{"a":1},"message":{"metadata":{"traceparent":"T"},"a":1}"#),
        (
            #""metadata":{"traceparent":"stale","a":1}, "configuration":{} ,"message":{"a":1}"#,
            #""metadata":{"traceparent":"T","a":1}, "configuration":{} ,"message":{"metadata":{"traceparent":"T"},"a":1}"#
        ),
        (
            #""message":{"metadata":{"traceparent":"x"}},"x":1,"metadata":{"baggage":"old=1"}"#,
            #""message":{"metadata":{"traceparent":"T"}},"x":1,"metadata":{"traceparent":"T","baggage":"old=1"}"#
        ),
        // What is no string is somebody else's, whatever its name.
        (#""message":{"metadata":{"baggage":{"pieces":2}}}"#, #""message":{"metadata":{"traceparent":"T","baggage":{"pieces":2}}}"#),
        (#""message":{"metadata":{"tracestate":7,"traceparent":null}}"#, #""message":{"metadata":{"traceparent":"T","tracestate":7}}"#),
        (#""message":{"metadata":{"baggage":"old=1"}}"#, #""message":{"metadata":{"traceparent":"T","baggage":"old=1"}}"#),
    ]) func `gets our trace context wherever it may be looked for, and keeps every other byte`(params: String, expected: String) throws {
        #expect(try written(send(params))?.replacing(ours, with: "T") == send(expected))
        // The same where the body is all there is.
        #expect(try written("{\(params)}", path: "/message:send")?.replacing(ours, with: "T") == "{\(expected)}")
        #expect(try written("{\(params)}", path: "/v1/message:stream")?.replacing(ours, with: "T") == "{\(expected)}")
    }

    @Test func `writes no baggage beside one that is none`() throws {
        let own = #"{"pieces":2}"#
        #expect(
            try written(send(#""message":{"metadata":{"baggage":\#(own),"tracestate":"x=1"}}"#), tracestate: "a=b", baggage: "k=v")
                == send(#""message":{"metadata":{"traceparent":"\#(ours)","tracestate":"a=b","baggage":\#(own)}}"#))
    }

    @Test func `carries tracestate and baggage`() throws {
        #expect(
            try written(send(#""message":{}"#), tracestate: "a=b", baggage: "k=v")
                == send(#""message":{"metadata":{"traceparent":"\#(ours)","tracestate":"a=b","baggage":"k=v"}}"#))
    }

    @Test func `is known over HTTP by the name that 0.3's protobuf has for it`() throws {
        let expected = #"{"request":{"metadata":{"traceparent":"T"},"message_id":"m"}}"#
        #expect(try written(#"{"request":{"message_id":"m"}}"#, path: "/v1/message:send")?.replacing(ours, with: "T") == expected)
        #expect(try written(#"{"request":{"message_id":"m"}}"#, path: "/message:send") == nil)
        #expect(throws: JSONRPCError.invalid(.memberTwice)) { try written(#"{"request":{},"message":{}}"#, path: "/v1/message:send") }
    }

    @Test(arguments: [#""message":"x""#, #""message":{"metadata":"x"}"#, #""message":{"metadata":{"traceparent":{"a":1}}}"#, #""messages":{}"#, ""]) func `is left alone where it is none`(params: String) throws {
        #expect(try written(send(params)) == nil)
    }

    @Test(arguments: [
        #""message":{},"message":{}"#, #""message":{},"mess\u0061ge":{}"#, #""message":1,"message":{}"#, #""message":{"metadata":{},"metadata":{}}"#,
        #""metadata":{},"metadata":{"traceparent":"x"},"message":{}"#, #""message":{"taskId":"a","taskId":"b"}"#, #""message":{"taskId":"a","task_id":"b"}"#,
        #""message":{"metadata":{"traceparent":"a","traceparent":"b"}}"#, #""message":{"messageId":"a","messageId":"a"}"#,
    ]) func `is refused where two readers could take it for two`(params: String) {
        #expect(throws: JSONRPCError.invalid(.memberTwice)) { try written(send(params)) }
        #expect(throws: JSONRPCError.invalid(.memberTwice)) { try written("{\(params)}", path: "/message:send") }
    }

    @Test(arguments: ["", "{", "[]x", #"{"message":}"#, "{\"message\":\"\u{1}\"}"]) func `is refused where it is no JSON`(body: String) {
        #expect(throws: JSONRPCError.unreadable) { try written(body, path: "/message:send") }
        #expect(throws: JSONRPCError.unreadable) { try written(body) }
    }

    @Test func `is refused where it is no UTF-8`() {
        let bytes: [UInt8] = Array(#"{"message":{"a":""#.utf8) + [0xFF] + Array(#""}}"#.utf8)
        let path = Array("/message:send".utf8)
        #expect(throws: JSONRPCError.unreadable) {
            _ = try A2ACall().readRequest(A2APath(.post, unsafe path.span.bytes)!, unsafe path.span.bytes, unsafe bytes.span.bytes, version: RawSpan())
        }
    }
}

@Suite struct `Another request to an agent` {
    @Test(arguments: ["tasks/get", "GetTask", "tasks/cancel", "message/other"]) func `is left alone, but for a stale context`(method: String) throws {
        func call(_ metadata: String) -> String { #"{"jsonrpc":"2.0","id":1,"method":"\#(method)","params":{"id":"t","metadata":{\#(metadata)}}}"# }
        #expect(try written(call(#""a":1"#)) == nil)
        #expect(try written(call(#""a":1,"traceparent":"stale""#))?.replacing(ours, with: "T") == call(#""traceparent":"T","a":1"#))
    }

    @Test(arguments: [
        (#"{"jsonrpc":"2.0","id":1,"result":{}}"#, JSONRPCError.invalid(.method)), (#"[{"jsonrpc":"2.0","id":1,"method":"tasks/get"}]"#, .batch),
        (#"{"id":1,"method":"tasks/get"}"#, .invalid(.version)),
    ]) func `is refused where it is none`(text: String, error: JSONRPCError) {
        #expect(throws: error) { try written(text) }
    }

    @Test func `is known by either of its names`() throws {
        for operation in A2AOperation.allCases where operation != .other {
            for name in [operation.name, operation.legacyMethod] {
                let bytes = Array(#"{"jsonrpc":"2.0","id":1,"method":"\#(name)"}"#.utf8)
                let call = A2ACall()
                _ = try call.readMessage(unsafe bytes.span.bytes, version: RawSpan())
                #expect(call.operation == operation)
            }
        }
    }
}
