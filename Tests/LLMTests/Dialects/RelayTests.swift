import LLM
import Testing
import Tracing

private let content = #"data: {"choices":[{"index":0,"delta":{"content":"x"}}]}"# + "\n\n"
private let finish = #"data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"# + "\n\n"
private let usage = #"data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":1}}"# + "\n\n"
private let done = "data: [DONE]\n\n"

/// A call whose stream has just begun.
private func stream(asked: Bool = false) -> LLMCall {
    let call = LLMCall()
    call.readRequest(#"{"stream":true,"stream_options":{"include_usage":\#(asked)}}"#, api: .chatCompletions)
    call.beginResponse(status: 200, isEventStream: true, sentAt: 0)
    return call
}

extension LLMCall {
    /// What is relayed for one chunk, piece by piece.
    fileprivate func relayed(_ chunk: String) -> [String] {
        var pieces: [String] = []
        observe(Array(chunk.utf8), now: 1, relay: { pieces.append(String(decoding: $0, as: UTF8.self)) })
        return pieces
    }

    fileprivate func relayedAtEnd(isComplete: Bool = true) -> [String] {
        var pieces: [String] = []
        endResponse(isComplete: isComplete, now: 1, relay: { pieces.append(String(decoding: $0, as: UTF8.self)) })
        return pieces
    }
}

@Suite struct `Hiding the usage chunk` {
    @Test func `passes a chunk of whole events in one piece`() {
        #expect(stream().relayed(content + content + finish) == [content + content + finish])
    }

    @Test func `takes the usage chunk out of the middle of a chunk`() {
        let call = stream()
        #expect(call.holdsBack)
        #expect(call.relayed(content + finish + usage + done) == [content + finish, done])
        #expect(call.relayedAtEnd() == [])
        #expect(call.usage.tokens.input == 3)
    }

    @Test func `relays nothing for a chunk that is the usage chunk`() {
        let call = stream()
        #expect(call.relayed(usage) == [])
    }

    @Test func `holds back an event until it is whole`() {
        let call = stream()
        #expect(call.relayed(content + String(usage.prefix(9))) == [content])
        #expect(call.relayed(String(usage.dropFirst(9).dropLast(2))) == [])
        #expect(call.relayed("\n\n" + done) == [done])
        #expect(call.relayed(String(content.prefix(20))) == [])
        #expect(call.relayed(String(content.dropFirst(20)) + finish + String(done.prefix(3))) == [content, finish])
        #expect(call.relayedAtEnd() == [String(done.prefix(3))])
    }

    @Test func `passes a comment as soon as its line ends`() {
        #expect(stream().relayed(": keep-alive\n") == [": keep-alive\n"])
    }

    @Test func `hides nothing from a caller who asked`() {
        let call = stream(asked: true)
        #expect(!call.holdsBack)
        #expect(call.relayed(usage) == [])
    }

    @Test func `hides no chunk that has more than usage in it`() {
        for event in [
            #"data: {"choices":[{"index":0,"delta":{}}],"usage":{"prompt_tokens":3}}"#, #"data: {"choices":[],"usage":null}"#, #"data: {"choices":[]}"#,
            #"data: {"usage":{"prompt_tokens":3}}"#, #"data: {"choices":null,"usage":{"prompt_tokens":3}}"#, #"data: {"choices":[],"usage":{"prompt_tokens":3}"#,
        ] {
            #expect(stream().relayed(event + "\n\n") == [event + "\n\n"])
        }
    }

    @Test func `lets an event pass that is too large to be held`() {
        let call = stream()
        let large = #"data: {"choices":[{"index":0,"delta":{"content":""# + String(repeating: "x", count: 200_000) + #""},"finish_reason":"length"}]}"# + "\n\n"
        var pieces: [String] = []
        for start in stride(from: 0, to: large.utf8.count, by: 4096) {
            pieces += call.relayed(String(large.dropFirst(start).prefix(4096)))
            #expect(pieces.joined().utf8.count >= start - 70_000)
        }
        #expect(pieces.joined() == large)
        #expect(call.relayed(usage + done) == [done])
        #expect(call.relayedAtEnd() == [])
        #expect(call.printed.contains(#"finish_reasons: ["length"]"#))
        #expect(!call.streamWasCut)
    }
}

@Suite struct `Time to the first` {
    private func times(_ api: API, _ events: [(UInt64, String)]) -> String {
        let call = LLMCall()
        call.readRequest(#"{"stream":true}"#, api: api, injectUsage: false)
        call.beginResponse(status: 200, isEventStream: true, sentAt: 1_000_000_000)
        for (now, event) in events { call.observe(Array((event + "\n\n").utf8), now: now * 1_000_000, relay: { _ in }) }
        call.endResponse(isComplete: true, now: 9_000_000_000, relay: { _ in })
        let lines = call.printed.split(separator: "\n")
        let chunk = lines.first { $0.contains("time_to_first_chunk") }?.split(separator: " ").last ?? "-"
        let content = lines.first { $0.contains("ttft") }?.split(separator: " ").last ?? "-"
        return "\(chunk) \(content)"
    }

    @Test func `content is not that of the role or of an empty text`() {
        #expect(times(.chatCompletions, [
            (1100, #"data: {"choices":[{"delta":{"role":"assistant","content":""}}]}"#), (1200, #"data: {"choices":[{"delta":{"content":"x"}}]}"#), (1300, #"data: {"choices":[{"delta":{"content":"y"}}]}"#),
        ]) == "0.1 0.2")
    }

    @Test(arguments: [
        #"{"content":"x"}"#, #"{"refusal":"x"}"#, #"{"reasoning_content":"x"}"#, #"{"reasoning":"x"}"#, #"{"reasoning_details":[{"type":"reasoning.text"}]}"#,
        #"{"tool_calls":[{"index":0,"function":{"arguments":"{"}}]}"#, #"{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":""}}]}"#,
        #"{"audio":{"id":"a","data":"AAAA"}}"#, #"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"x"}]}]}"#, #"{"function_call":{"arguments":"{"}}"#,
    ]) func `content is any kind of it`(delta: String) {
        #expect(times(.chatCompletions, [(1500, #"data: {"choices":[{"delta":\#(delta)}]}"#)]) == "0.5 0.5")
    }

    @Test(arguments: [
        #"{}"#, #"{"content":null}"#, #"{"content":[]}"#, #"{"tool_calls":[]}"#, #"{"tool_calls":[{"index":0,"function":{"arguments":""}}]}"#, #"{"audio":{"id":"a","expires_at":1}}"#,
    ]) func `content is none of these`(delta: String) {
        #expect(times(.chatCompletions, [(1500, #"data: {"choices":[{"delta":\#(delta)}]}"#)]) == "0.5 -")
    }

    @Test func `content of Messages is a delta with something in it`() {
        #expect(times(.messages, [
            (1100, #"data: {"type":"message_start","message":{"id":"m","content":[]}}"#), (1200, #"data: {"type":"content_block_start","content_block":{"type":"text","text":""}}"#),
            (1300, #"data: {"type":"ping"}"#), (1400, #"data: {"type":"content_block_delta","delta":{"type":"input_json_delta","partial_json":""}}"#),
            (1500, #"data: {"type":"content_block_delta","delta":{"type":"thinking_delta","thinking":"x"}}"#),
        ]) == "0.1 0.5")
    }

    @Test func `content of Responses is a delta with something in it`() {
        #expect(times(.responses, [
            (1100, #"data: {"type":"response.created","response":{}}"#), (1200, #"data: {"type":"response.output_item.added","item":{"type":"message"}}"#),
            (1300, #"data: {"type":"response.refusal.delta","delta":""}"#), (1400, #"data: {"type":"response.custom_tool_call_input.delta","delta":"x"}"#),
        ]) == "0.1 0.4")
    }
}
