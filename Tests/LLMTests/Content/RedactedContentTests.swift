import Content
import LLM
import Testing

@Suite struct `A secret where a text is cut` {
    /// Addresses, which take less room masked, up to `length` bytes with the first letters of a key at their end, and more of it behind.
    private func text(_ length: Int, _ secret: String) -> String {
        let address = "jane.doe@mail.example.com "
        let letters = length - 9
        let filled = String(repeating: address, count: letters / address.utf8.count)
        return filled + String(repeating: ".", count: max(0, letters - filled.utf8.count - 1)) + " " + secret + " and more"
    }

    /// 4,000 bytes and what is read beyond them, now and formerly.
    @Test(arguments: [12_192, 8_096], ["sk-" + "abcDEF0123456789xyz", "Bearer " + "abcdef.0123456789-xyz==", "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"])
    func `does not show its beginning`(room: Int, secret: String) {
        let beginning = String(secret.prefix(8))
        for shift in -3...9 {
            let text = text(room + shift, secret)
            let call = LLMCall()
            call.content = ContentRecording(.redacted, limit: 4_000)
            call.readRequest(#"{"messages":[{"role":"user","content":"\#(text)"}]}"#, api: .chatCompletions)
            #expect(!call.printed.contains(beginning), "of a request, \(shift)")
            #expect(call.printed.contains("[email]"))

            call.reset()
            call.readRequest("{}", api: .chatCompletions)
            call.beginResponse(status: 200, isEventStream: true, sentAt: 0)
            let bytes = Array(text.utf8)
            for start in stride(from: 0, to: bytes.count, by: 7) {
                let piece = String(decoding: bytes[start..<min(start + 7, bytes.count)], as: UTF8.self)
                call.observe(Array((#"data: {"choices":[{"index":0,"delta":{"content":"\#(piece)"}}]}"# + "\n\n").utf8), now: 1, relay: { _ in })
            }
            call.endResponse(isComplete: true, now: 1, relay: { _ in })
            #expect(!call.printed.contains(beginning), "of a stream, \(shift)")
            #expect(call.printed.contains("[email]"))
        }
    }

    @Test func `is masked in the name of whoever speaks`() {
        let call = LLMCall()
        call.content = ContentRecording(.redacted, limit: 4_000)
        call.readRequest(#"{"messages":[{"role":"user","name":"jane@example.com","content":"hi"}]}"#, api: .chatCompletions)
        #expect(call.printed.contains("[email]") && !call.printed.contains("jane"))
    }
}
