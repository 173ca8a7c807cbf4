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

    @Test func `that has no end to its structure is unreadable and takes no memory`() {
        let span = span(.chatCompletions, #"{"choices":["# + String(repeating: #"{"index":0},"#, count: 300_000))
        #expect(span.contains("hopspan.unreadable"))
    }
}
