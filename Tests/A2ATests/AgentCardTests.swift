import A2A
import HTTP
import JSON
import Testing

private func rewritten(_ card: String, agentPath: String = "", keepsSecurity: Bool = false, denied: [String] = []) -> String? {
    let rewriting = AgentCardRewriting(gateway: Array("http://gw/a2a/r".utf8), agentPath: Array(agentPath.utf8), keepsSecurity: keepsSecurity)
    let bytes = Array(card.utf8)
    return rewriting.rewrite(unsafe bytes.span.bytes) { !denied.contains($0.string) }.map { String(decoding: $0.text, as: UTF8.self) }
}

@Suite struct `An agent's card` {
    @Test func `leads to the gateway, in 1.0`() {
        let card = #"""
            {"name" : "R","supportedInterfaces":[
              {"url":"r.example:443","protocolBinding":"GRPC","protocolVersion":"1.0"},
              {"url":"https://r.example/a2a/v1","tenant":"acme","protocolBinding":"JSONRPC","protocolVersion":"1.0"},
              {"url":"https://r.example","protocolBinding":"HTTP+JSON","protocolVersion":"1.0"},
              {"url":"wss://r.example/x","protocolBinding":"https://x/custom","protocolVersion":"1.0"}],
             "capabilities":{"streaming":true, "extensions":[{"uri":"https://x"}]},"version":"7.1","iconUrl":"https://r.example/icon.png",
             "signatures":[{"protected":"x","signature":"y"}]}
            """#
        #expect(
            rewritten(card) == #"{"name" : "R","supportedInterfaces":[{"url":"http://gw/a2a/r/a2a/v1","tenant":"acme","protocolBinding":"JSONRPC","protocolVersion":"1.0"},"#
                + #"{"url":"http://gw/a2a/r","protocolBinding":"HTTP+JSON","protocolVersion":"1.0"}],"capabilities":{"streaming":true, "extensions":[{"uri":"https://x"}]},"#
                + #""version":"7.1","iconUrl":"https://r.example/icon.png"}"#)
    }

    @Test func `does so in 0.3`() {
        let card = #"{"url":"http://r.example/agents/r/","preferredTransport":"JSONRPC","additionalInterfaces":[{"transport":"GRPC","url":"r:1"},{"transport":"HTTP+JSON","url":"http://r.example/agents/r/rest"}],"protocolVersion":"0.3.0"}"#
        #expect(
            rewritten(card, agentPath: "/agents/r")
                == #"{"url":"http://gw/a2a/r/","preferredTransport":"JSONRPC","additionalInterfaces":[{"transport":"HTTP+JSON","url":"http://gw/a2a/r/rest"}],"protocolVersion":"0.3.0"}"#)
    }

    @Test(arguments: [
        (#"{"url":"r:1","preferredTransport":"GRPC","additionalInterfaces":[{"url":"r:1","transport":"GRPC"},{"url":"http://r/x","transport":"HTTP+JSON"}]}"#,
         #"{"url":"http://gw/a2a/r/x","preferredTransport":"HTTP+JSON","additionalInterfaces":[{"url":"http://gw/a2a/r/x","transport":"HTTP+JSON"}]}"#),
        (#"{"additionalInterfaces":[{"url":"http://r/x","transport":"JSONRPC"}],"preferredTransport":"GR\u0050C","url":"r:1"}"#,
         #"{"additionalInterfaces":[{"url":"http://gw/a2a/r/x","transport":"JSONRPC"}],"preferredTransport":"JSONRPC","url":"http://gw/a2a/r/x"}"#),
        (#"{"url":"r:1","preferredTransport":"GRPC"}"#, #"{"url":"http://gw/a2a/r","preferredTransport":"JSONRPC"}"#),
    ]) func `names another interface first where the first cannot be passed`(card: String, expected: String) {
        #expect(rewritten(card) == expected)
    }

    @Test(arguments: [
        ("http://r", "", "http://gw/a2a/r"), ("http://r/", "", "http://gw/a2a/r"), ("https://other:99/x/y", "", "http://gw/a2a/r/x/y"), ("http://r?x", "", "http://gw/a2a/r"),
        ("http://r/a", "/a", "http://gw/a2a/r"), ("http://r/a/", "/a", "http://gw/a2a/r/"), ("http://r/a/b", "/a", "http://gw/a2a/r/b"),
        ("http://r/ab", "/a", "http://gw/a2a/r"), ("http://r/b", "/a", "http://gw/a2a/r"), ("r:1", "", "http://gw/a2a/r"), ("", "", "http://gw/a2a/r"), ("://", "", "http://gw/a2a/r"),
    ]) func `has an address here for every one there`(url: String, agentPath: String, expected: String) {
        #expect(rewritten(#"{"url":"\#(url)"}"#, agentPath: agentPath) == #"{"url":"\#(expected)"}"#)
    }

    @Test func `says nothing of the agent's security, unless callers have to do with it`() {
        let card = #"{"securitySchemes":{"k":{"type":"apiKey"}},"security":[{"k":[]}],"securityRequirements":[],"skills":[{"id":"a","security":[{"k":[]}],"tags":[]}]}"#
        #expect(rewritten(card) == #"{"skills":[{"id":"a","tags":[]}]}"#)
        #expect(rewritten(card, keepsSecurity: true) == card)
    }

    @Test(arguments: [
        (#"[{"id":"a","n":1},{"id":"b"},{"id":"c"}]"#, #"[{"id":"a","n":1},{"id":"c"}]"#), (#"[{"id":"\u0062"}]"#, "[]"), (#"[{"id":"a","id":"b"}]"#, "[]"),
        (#"["b",1]"#, "[]"), (#"{"id":"a"}"#, "[]"), (#"[{"name":"x"}]"#, "[]"), (#"[]"#, "[]"),
    ]) func `shows only the skills that callers may use`(skills: String, expected: String) {
        #expect(rewritten(#"{"skills":\#(skills)}"#, denied: ["b", ""]) == #"{"skills":\#(expected)}"#)
    }

    @Test func `hides nothing in another spelling`() {
        #expect(rewritten(#"{"si\u0067natures":[],"supported_interfaces":[{"url":"r:1","protocol_binding":"GRPC"}],"u\u0072l":"http://r/x","url":"http://r/y"}"#)
            == #"{"supportedInterfaces":[],"url":"http://gw/a2a/r/x","url":"http://gw/a2a/r/y"}"#)
    }

    @Test(arguments: ["", "[]", "null", "{", #"{"url":"x"}}"#, #"{"url":}"#, "<html>"]) func `is none where it is no object`(text: String) { #expect(rewritten(text) == nil) }

    @Test func `says its version`() {
        let bytes = Array(#"{"version":"7.1"}"#.utf8)
        let rewriting = AgentCardRewriting(gateway: [], agentPath: [], keepsSecurity: false)
        #expect(rewriting.rewrite(unsafe bytes.span.bytes) { _ in true }?.version == Array("7.1".utf8))
    }
}
