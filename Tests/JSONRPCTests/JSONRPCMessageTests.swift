import JSONRPC
import Testing

private func read(_ text: String) throws(JSONRPCError) -> JSONRPCMessage {
    let bytes = Array(text.utf8)
    return try JSONRPCMessage(unsafe bytes.span.bytes)
}

private func part(_ text: String, _ range: Range<Int>) -> String { String(decoding: Array(text.utf8)[range], as: UTF8.self) }

@Suite struct `A JSON-RPC message` {
    @Test(arguments: [
        (#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#, JSONRPCMessage.Kind.request, "1", #""tools/list""#),
        (#" { "method" : "a" , "id" : "x\"y" , "jsonrpc" : "2.0" } "#, .request, #""x\"y""#, #""a""#),
        (#"{"jsonrpc":"2.0","method":"notifications/progress","params":{}}"#, .notification, "", #""notifications/progress""#),
        (#"{"jsonrpc":"2.0","id":-7,"result":null}"#, .result, "-7", ""),
        (#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"x"}}"#, .error, "", ""),
        (#"{"jsonrpc":"2.0","error":{"code":-32600}}"#, .error, "", ""),
        (#"{"\u006asonrpc":"2.0","id":1,"method":"tools\/call","extra":[1,{}]}"#, .request, "1", #""tools\/call""#),
    ]) func `is told by its members`(text: String, kind: JSONRPCMessage.Kind, id: String, method: String) throws {
        let message = try read(text)
        #expect(message.kind == kind)
        #expect(part(text, message.id) == id)
        #expect(part(text, message.method) == method)
    }

    @Test func `says where its parts stand`() throws {
        let text = #"{"jsonrpc":"2.0","id":1,"method":"m","params": {"a":[1]} }"#
        let message = try read(text)
        #expect(part(text, try #require(message.params)) == #"{"a":[1]}"#)
        #expect(message.start == 1)
        let answer = #"{"jsonrpc":"2.0","id":1,"result": [1, 2] }"#
        #expect(part(answer, try read(answer).outcome) == "[1, 2]")
    }

    @Test(arguments: [
        ("", JSONRPCError.unreadable), ("{", .unreadable), (#"{"jsonrpc":"2.0","id":1,"method":"m"} x"#, .unreadable),
        ("[]", .batch), (#"[{"jsonrpc":"2.0","method":"m"}]"#, .batch), ("1", .invalid(.notAnObject)), ("null", .invalid(.notAnObject)),
        (#"{"id":1,"method":"m"}"#, .invalid(.version)), (#"{"jsonrpc":"1.0","id":1,"method":"m"}"#, .invalid(.version)),
        (#"{"jsonrpc":2.0,"id":1,"method":"m"}"#, .invalid(.version)),
        (#"{"jsonrpc":"2.0","id":null,"method":"m"}"#, .invalid(.identifier)), (#"{"jsonrpc":"2.0","id":1.5,"method":"m"}"#, .invalid(.identifier)),
        (#"{"jsonrpc":"2.0","id":{},"method":"m"}"#, .invalid(.identifier)), (#"{"jsonrpc":"2.0","id":true,"method":"m"}"#, .invalid(.identifier)),
        (#"{"jsonrpc":"2.0","result":1}"#, .invalid(.identifier)),
        (#"{"jsonrpc":"2.0","id":1,"method":""}"#, .invalid(.method)), (#"{"jsonrpc":"2.0","id":1,"method":5}"#, .invalid(.method)),
        (#"{"jsonrpc":"2.0","id":1,"method":"m","params":[1]}"#, .invalid(.parameters)),
        (#"{"jsonrpc":"2.0","id":1}"#, .invalid(.nothingToDo)), (#"{"jsonrpc":"2.0","id":1,"result":1,"error":{}}"#, .invalid(.twoOutcomes)),
        (#"{"jsonrpc":"2.0","id":1,"method":"m","result":1}"#, .invalid(.twoOutcomes)), (#"{"jsonrpc":"2.0","id":1,"error":"x"}"#, .invalid(.errorObject)),
        (#"{"jsonrpc":"2.0","id":1,"id":2,"method":"m"}"#, .invalid(.memberTwice)), (#"{"jsonrpc":"2.0","id":1,"method":"m","\u006dethod":"n"}"#, .invalid(.memberTwice)),
        (#"{"jsonrpc":"2.0","id":1,"method":"m","params":{},"params":{"name":"x"}}"#, .invalid(.memberTwice)),
        (#"{"jsonrpc":"2.0","id":null,"id":2,"method":"m"}"#, .invalid(.memberTwice)),
    ]) func `is refused when it is none, or could be two`(text: String, expected: JSONRPCError) {
        #expect(throws: expected) { try read(text) }
        #expect(!expected.message.isEmpty && (expected.code == -32700) == (expected == .unreadable))
    }
}

@Suite struct `A JSON-RPC id` {
    private func matches(_ kept: String, _ other: String) -> Bool {
        var id = JSONRPCID()
        let (kept, other) = (Array(kept.utf8), Array(other.utf8))
        id.keep(unsafe kept.span.bytes)
        return unsafe id.is(other.span.bytes)
    }

    @Test(arguments: [
        ("1", "1", true), ("1", #""1""#, false), (#""1""#, "1", false), (#""a""#, #""\u0061""#, true), (#""\u0061""#, #""a""#, true),
        ("1", "1.0", true), ("10", "1e1", true), ("12345678901234567890", "12345678901234567890", true), ("12345678901234567890", "12345678901234567891", false),
        ("0", "null", false), (#""""#, #""""#, true), ("null", "null", false), ("", "", false),
    ]) func `is known again however it is spelled, and keeps its type`(kept: String, other: String, expected: Bool) {
        #expect(matches(kept, other) == expected)
    }

    @Test func `is an attribute as text`() {
        var id = JSONRPCID()
        for (written, text) in [("7", "7"), (#""a\nb""#, "a\nb"), ("-3", "-3"), ("", "")] {
            let bytes = Array(written.utf8)
            id.keep(unsafe bytes.span.bytes)
            #expect(String(decoding: id.text, as: UTF8.self) == text)
            #expect(id.isEmpty == written.isEmpty)
        }
    }
}

@Suite struct `A string of a message` {
    private func text(_ bytes: [UInt8]) -> String? {
        var text: String?
        JSONRPCMessage.withText(0..<bytes.count, in: unsafe bytes.span.bytes) { decoded in
            text = unsafe decoded.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
        }
        return text
    }

    @Test func `is decoded, and left alone where it is none`() {
        #expect(text(Array(#""a\u0062""#.utf8)) == "ab")
        #expect(text(Array("7".utf8)) == nil)
    }

    @Test func `is not looked at where it is very long`() {
        let longest = String(repeating: ",", count: 8 << 10)
        #expect(text(Array("\"\(longest)\"".utf8)) == longest)
        #expect(text(Array("\"\(longest),\"".utf8)) == nil)
    }

    @Test(arguments: [
        (#"{"jsonrpc":"1.0"}"#, true), (#"{"a":{"jsonrpc":"2.0"}}"#, false), ("{}", false), (#"{"method":"x"}"#, false), (#"{"method":"x","params":{}}"#, true),
        (#"[{"jsonrpc":"2.0"}]"#, true), ("[]", false), ("[1]", false), ("", false), ("hello", false), (#"{"jsonrpc":"2.0","#, true), (#"{"\u006asonrpc":"2.0"}"#, true),
    ]) func `tells what means to be a message`(text: String, expected: Bool) {
        let bytes = Array(text.utf8)
        #expect(unsafe JSONRPCMessage.isMeant(bytes.span.bytes) == expected)
    }
}
