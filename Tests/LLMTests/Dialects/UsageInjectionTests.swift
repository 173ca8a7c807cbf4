import Foundation
import LLM
import Testing

@Suite struct `Asking a stream for its usage` {
    @Test(arguments: [
        (#"{"stream":true}"#, #"{"stream_options":{"include_usage":true},"stream":true}"#),
        (#" { "stream" : true } "#, #" {"stream_options":{"include_usage":true}, "stream" : true } "#),
        (#"{"stream":true,"stream_options":null}"#, #"{"stream":true,"stream_options":{"include_usage":true}}"#),
        (#"{"stream":true,"stream_options":{}}"#, #"{"stream":true,"stream_options":{"include_usage":true}}"#),
        (#"{"stream":true,"stream_options":{ }}"#, #"{"stream":true,"stream_options":{"include_usage":true }}"#),
        (#"{"stream":true,"stream_options":{"a":[1,{}]}}"#, #"{"stream":true,"stream_options":{"include_usage":true,"a":[1,{}]}}"#),
        (#"{"stream_options":{"include_usage":false},"stream":true}"#, #"{"stream_options":{"include_usage":true},"stream":true}"#),
        (#"{"stream_options":{"a":1,"include_usage": null ,"b":2},"stream":true}"#, #"{"stream_options":{"a":1,"include_usage": true ,"b":2},"stream":true}"#),
        (#"{"stream_options":{"include_usage":"no"},"stream":true}"#, #"{"stream_options":{"include_usage":true},"stream":true}"#),
        (#"{"stream_options":{"include\u005fusage":false},"stream":true}"#, #"{"stream_options":{"include\u005fusage":true},"stream":true}"#),
        // Twice: the last counts.
        (#"{"stream_options":{"include_usage":true},"stream_options":{},"stream":true}"#, #"{"stream_options":{"include_usage":true},"stream_options":{"include_usage":true},"stream":true}"#),
        (#"{"stream_options":{"include_usage":true,"include_usage":false},"stream":true}"#, #"{"stream_options":{"include_usage":true,"include_usage":true},"stream":true}"#),
        (#"{"stream_options":{"include_usage":false,"x":0},"stream_options":null,"stream":true}"#, #"{"stream_options":{"include_usage":false,"x":0},"stream_options":{"include_usage":true},"stream":true}"#),
        (#"{"stream":false,"stream":true}"#, #"{"stream_options":{"include_usage":true},"stream":false,"stream":true}"#),
    ]) func `changes no other byte`(body: String, sent: String) throws {
        let call = LLMCall()
        call.readRequest(body, api: .chatCompletions)
        #expect(call.sent(body) == sent)
        let edit = try #require(call.usageInjection)
        #expect(edit.growth == sent.utf8.count - body.utf8.count)
        let options = try #require(try JSONSerialization.jsonObject(with: Data(sent.utf8)) as? [String: Any])["stream_options"] as? [String: Any]
        #expect(options?["include_usage"] as? Bool == true)
    }

    @Test(arguments: [
        #"{"stream":true,"stream_options":{"include_usage":true}}"#,
        #"{"stream":true,"stream_options":{"include_usage":false},"stream_options":{"include_usage":true}}"#,
        #"{"stream":true,"stream_options":{"include_usage":false,"include_usage":true}}"#,
        #"{"stream":true,"stream_options":7}"#,
        #"{"stream":false}"#, #"{"stream":null}"#, #"{"stream":"true"}"#, #"{"stream":true,"stream":false}"#, "{}",
        #"{"stream":true"#, #"{"stream":true}}"#, #"[{"stream":true}]"#, "",
    ]) func `is not called for`(body: String) {
        let call = LLMCall()
        call.readRequest(body, api: .chatCompletions)
        #expect(call.usageInjection == nil)
    }

    @Test func `is left alone for a provider that does not take it, and for other APIs`() {
        let call = LLMCall()
        call.readRequest(#"{"stream":true}"#, api: .chatCompletions, injectUsage: false)
        #expect(call.usageInjection == nil)
        for api in [API.responses, .messages, .embeddings] {
            call.reset()
            call.readRequest(#"{"stream":true}"#, api: api)
            #expect(call.usageInjection == nil)
        }
    }
}
