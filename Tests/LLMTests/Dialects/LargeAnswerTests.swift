import Foundation
import LLM
import Testing

@Suite struct `A large answer` {
    /// The span of an answer that comes in pieces of 16 KiB.
    private func span(_ api: API, _ answer: String, isEventStream: Bool = false) -> String {
        let call = LLMCall()
        call.readRequest("{}", api: api)
        call.beginResponse(status: 200, isEventStream: isEventStream, sentAt: 0)
        let bytes = Array(answer.utf8)
        for start in stride(from: 0, to: bytes.count, by: 16 << 10) {
            call.observe(Array(bytes[start..<min(start + 16 << 10, bytes.count)]), now: 1, relay: { _ in })
            #expect(call.heldByteCount <= 1 << 20)
        }
        call.endResponse(isComplete: true, now: 1, relay: { _ in })
        return call.printed
    }

    private let usage = #""usage":{"prompt_tokens":5,"completion_tokens":7,"input_tokens":5,"output_tokens":7}"#

    @Test func `of one long text keeps its counters`() {
        let text = String(repeating: #"grüße \"quoted\" \\ \u00e9\n "#, count: 100_000)
        let span = span(.chatCompletions, #"{"id":"c","choices":[{"index":0,"message":{"content":"\#(text)"},"finish_reason":"stop"}],\#(usage)}"#)
        #expect(span.contains("gen_ai.usage.output_tokens: 7"))
        #expect(span.contains(#"finish_reasons: ["stop"]"#))
        #expect(!span.contains("unreadable"))
    }

    @Test func `of many vectors keeps its counters`() {
        let vector = (0..<1536).map { _ in "-0.0123e-5" }.joined(separator: ", ")
        let data = (0..<200).map { #"{"object":"embedding","index":\#($0),"embedding":[\#(vector)]}"# }.joined(separator: ",\n")
        let span = span(.embeddings, #"{"object":"list","data":[\#(data)],"model":"e",\#(usage)}"#)
        #expect(span.contains("gen_ai.usage.input_tokens: 5"))
        #expect(span.contains("gen_ai.response.model: e"))
        #expect(!span.contains("unreadable"))
    }

    @Test func `of many encoded vectors keeps its counters`() {
        let data = (0..<500).map { #"{"object":"embedding","index":\#($0),"embedding":"\#(String(repeating: "A", count: 16_384))"}"# }.joined(separator: ",")
        #expect(span(.embeddings, #"{"data":[\#(data)],\#(usage)}"#).contains("gen_ai.usage.input_tokens: 5"))
    }

    @Test func `with lists that go on after numbers stays what it was`() {
        let list = (0..<100).map { "\($0)" }.joined(separator: ",") + #","x",["#  + (0..<100).map { "\($0)" }.joined(separator: " , ") + #"],{"a":1}"#
        let padding = String(repeating: "x", count: 100_000)
        #expect(span(.chatCompletions, #"{"pad":"\#(padding)","list":[\#(list)],"choices":[{"finish_reason":"stop"}],\#(usage)}"#).contains("gen_ai.usage.output_tokens: 7"))
    }

    @Test func `in one event keeps its counters`() {
        let picture = String(repeating: "A", count: 3 << 20)
        let event = #"event: response.completed"# + "\n" + #"data: {"type":"response.completed","response":{"id":"r","status":"completed","output":[{"type":"image_generation_call","result":"\#(picture)"}],\#(usage)}}"# + "\n\n"
        let span = span(.responses, event + event, isEventStream: true)
        #expect(span.contains("gen_ai.usage.output_tokens: 7"))
        #expect(span.contains(#"finish_reasons: ["completed"]"#))
        #expect(!span.contains("unreadable"))
        #expect(!span.contains("cut"))
    }

    @Test func `in chunks that each have an id of their own keeps what comes last`() {
        let chunks = (0..<4000).map { #"data: {"id":"\#($0)-\#(String(repeating: "i", count: 60))","choices":[{"delta":{"content":"x"}}]}"# + "\n\n" }.joined()
        let span = span(.chatCompletions, chunks + #"data: {"choices":[{"delta":{},"finish_reason":"stop"}],\#(usage)}"# + "\n\n", isEventStream: true)
        #expect(span.contains(#"finish_reasons: ["stop"]"#))
        #expect(!span.contains("cut"))
    }

    @Test(arguments: [API.chatCompletions, .embeddings]) func `to as many inputs as there may be keeps its counters`(api: API) {
        let vector = String(repeating: "A", count: 1_400)
        let data = (0..<2048).map { #"{"object":"embedding","index":\#($0),"embedding":"\#(vector)"}"# }.joined(separator: ",\n")
        let span = span(api, #"{"object":"list","data":[\#(data)],"model":"e",\#(usage)}"#)
        #expect(span.contains("gen_ai.usage.input_tokens: 5"))
        #expect(span.contains("gen_ai.response.model: e"))
        #expect(!span.contains("unreadable"))
    }

    /// A thousand tokens and, of each, the twenty likeliest.
    private let logprobs: String = {
        let likeliest = (0..<20).map { #"{"token":" word\#($0)","logprob":-0.\#($0)12345,"bytes":[32,119,111,114,100]}"# }.joined(separator: ",")
        return (0..<1000).map { #"{"token":"[\#($0)]\"","logprob":-0.1,"bytes":[32],"top_logprobs":[\#(likeliest)]}"# }.joined(separator: ",")
    }()

    @Test func `with the likelihood of each token keeps what stands behind`() {
        let span = span(.chatCompletions, #"{"id":"c","choices":[{"index":0,"logprobs":{"content":[\#(logprobs)]},"message":{"content":"x"},"finish_reason":"stop"},{"index":1,"logprobs":{"content":[\#(logprobs)]},"finish_reason":"length"}],\#(usage)}"#)
        #expect(span.contains("gen_ai.usage.output_tokens: 7"))
        #expect(span.contains(#"finish_reasons: ["stop", "length"]"#))
        #expect(!span.contains("unreadable"))
    }

    @Test func `in a stream's last event is no cut`() {
        let event = #"event: response.completed"# + "\n" + #"data: {"type":"response.completed","response":{"id":"r","status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"x","logprobs":[\#(logprobs)]}]},{"type":"function_call","call_id":"c1","name":"f"}],\#(usage)}}"# + "\n\n"
        let span = span(.responses, event, isEventStream: true)
        #expect(span.contains("gen_ai.usage.output_tokens: 7"))
        #expect(span.contains(#"hopspan.tool_call.ids: ["c1"]"#))
        #expect(!span.contains("unreadable"))
        #expect(!span.contains("was cut"))
    }

    @Test func `beyond all bounds is unreadable, takes no memory, and still ends its stream`() {
        let members = (0..<200_000).map { #""member\#($0)":0"# }.joined(separator: ",")
        let whole = span(.chatCompletions, #"{"model":"m",\#(members),\#(usage)}"#)
        #expect(whole.contains("hopspan.unreadable"))
        #expect(whole.contains("gen_ai.response.model: m"))
        let stream = span(.responses, #"data: {"type":"response.completed",\#(members)}"# + "\n\n", isEventStream: true)
        #expect(stream.contains("hopspan.unreadable"))
        #expect(stream.contains(#"finish_reasons: ["completed"]"#))
        #expect(!stream.contains("was cut"))
    }

    @Test(arguments: [1, 7, 4096]) func `is outlined alike however it is cut`(length: Int) {
        let lists = #"[[[1,2,[3,4,5,6,7,8]],"a\"],[",{"x":["]"]}],"# + (0..<300).map { #"{"n":\#($0),"s":"}\\"}"# }.joined(separator: ",") + "]"
        let answer = Array(#"{"pad":"\#(String(repeating: "x", count: 70_000))","lists":\#(lists),\#(usage)}"#.utf8)
        let call = LLMCall()
        call.readRequest("{}", api: .chatCompletions)
        call.beginResponse(status: 200, isEventStream: false, sentAt: 0)
        for start in stride(from: 0, to: answer.count, by: length) { call.observe(Array(answer[start..<min(start + length, answer.count)]), now: 1, relay: { _ in }) }
        call.endResponse(isComplete: true, now: 1, relay: { _ in })
        #expect(call.printed.contains("gen_ai.usage.output_tokens: 7"))
        #expect(!call.printed.contains("unreadable"))
    }

    @Test func `of blocks without end has no more of them recorded than anybody reads`() {
        let call = LLMCall()
        call.content = ContentRecording(.full, limit: 1 << 20)
        call.readRequest("{}", api: .messages)
        call.beginResponse(status: 200, isEventStream: true, sentAt: 0)
        for index in 0..<2_000 {
            let event = #"data: {"type":"content_block_start","index":\#(index),"content_block":{"type":"tool_use","id":"","name":""}}"# + "\n\n"
            call.observe(Array(event.utf8), now: 1, relay: { _ in })
        }
        call.endResponse(isComplete: true, now: 1, relay: { _ in })
        #expect(call.printed.split(separator: #""type":"tool_call""#).count == 1_001)
    }

    @Test func `of a call in thousands of pieces keeps how it ended`() {
        let name = String(repeating: "n", count: 30)
        let pieces = (0..<5000).map { #"data: {"id":"c","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_1","function":{"name":"\#(name)","arguments":"\#($0)"}}]},"finish_reason":""}]}"# + "\n\n" }.joined()
        let span = span(.chatCompletions, pieces + #"data: {"choices":[{"delta":{},"finish_reason":"tool_calls"}],\#(usage)}"# + "\n\n", isEventStream: true)
        #expect(span.contains(#"finish_reasons: ["tool_calls"]"#))
        #expect(span.contains(#"["call_1"]"#))
    }

    @Test func `of a call whose name is longer than what is kept of it has one call`() {
        let id = String(repeating: "é", count: 200)
        let piece = #"data: {"id":"c","choices":[{"index":0,"delta":{"tool_calls":[{"id":"\#(id)","function":{"name":"f","arguments":"1"}}]}}]}"# + "\n\n"
        let span = span(.chatCompletions, piece + piece + "data: [DONE]\n\n", isEventStream: true)
        #expect(span.contains(#"["f"]"#))
    }

    @Test func `that has no end to its structure is unreadable and takes no memory`() {
        let span = span(.chatCompletions, #"{"choices":["# + String(repeating: #"{"index":0},"#, count: 300_000))
        #expect(span.contains("hopspan.unreadable"))
    }
}
