import LLM
import Testing

@Suite struct `A redacted text` {
    private func redacted(_ text: String) -> String { String(decoding: Redaction.apply(to: Array(text.utf8)), as: UTF8.self) }

    // Secrets are put together here, so that no scanner takes this file for a leak.
    @Test(arguments: [
        ("sk-" + "abcDEF0123456789xyz", "[secret]"), ("sk-proj-" + "a1b2c3d4-e5f6_g7h8i9", "[secret]"), ("sk-ant-api03-" + "a1b2c3d4e5f6g7h8", "[secret]"),
        ("key: AKIA" + "IOSFODNN7EXAMPLE.", "key: [secret]."), ("ASIA" + "IOSFODNN7EXAMPL1", "[secret]"),
        ("ghp_" + "0123456789abcdefghijABCDEFGHIJ012345", "[secret]"), ("github_pat_" + "11ABCDEFG0abcdefghijkl_mnop", "[secret]"),
        ("xoxb-" + "123456789012-abcdefghij", "[secret]"), ("AIza" + "SyA0123456789abcdefghijklmnopqrstu", "[secret]"),
        ("Authorization: Bearer " + "abcdef.0123456789-xyz==", "Authorization: Bearer [secret]"), ("bearer " + "0123456789abcdef\n", "bearer [secret]\n"),
        ("eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl rest", "[secret] rest"),
        ("a\n-----BEGIN RSA PRIVATE " + "KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----\nb", "a\n[secret]\nb"),
        ("-----BEGIN PRIVATE " + "KEY-----\nMIIE cut off", "[secret]"), ("\"sk-" + "abcDEF0123456789xyz\",", "\"[secret]\","),
    ]) func `masks a secret`(text: String, expected: String) { #expect(redacted(text) == expected) }

    @Test(arguments: [
        ("write to jane.doe+x@mail.example.co.uk, please", "write to [email], please"), ("<a@b.io>", "<[email]>"), ("a@b.io.", "[email]."),
        ("4111 1111 1111 1111", "[card]"), ("card 5500-0000-0000-0004.", "card [card]."), ("378282246310005", "[card]"), ("[4111111111111111]", "[[card]]"),
        ("call +49 (0)30 1234567 now", "call [phone] now"), ("+14155550123", "[phone]"), ("(415) 555-0123", "[phone]"), ("415-555-0123, or 415.555.0124", "[phone], or [phone]"),
    ]) func `masks an address or a number`(text: String, expected: String) { #expect(redacted(text) == expected) }

    @Test(arguments: [
        "", "plain text, grüße 世界 🌍", "sk-learn-is-a-python-package", "sk-1", "Bearer of bad news", "the bearer", "AKIA", "xoxb-", "eyJ", "eyJhbGciOiJIUzI1NiJ9 alone",
        "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----", "@decorator", "user@localhost", "a @ b.io", "git@", "x@.com",
        "4111 1111 1111 1112", "1741569952123456789", "2024-10-21", "192.168.100.1000", "call_4111111111111111x", "1234567890", "+1", "3+12345678", "12-415-555-0123", "0.12345678901234",
    ]) func `leaves alone`(text: String) { #expect(redacted(text) == text) }

    /// If each of them looked through what follows it, any of these would take minutes.
    @Test(arguments: [("sk-", ""), ("eyJ-", ""), ("eyJ-", ".aaaa"), ("eyJ-", ".aaaaaaaa.!"), ("@", ""), ("@a.", ""), ("bearer ", ""), ("-----BEGIN ", ""), ("+1-", ""), ("(555)", "")])
    func `leaves alone the beginnings of secrets, however many`(beginning: String, end: String) {
        let text = String(repeating: beginning, count: 300_000 / beginning.utf8.count)
        let tail = end.isEmpty ? "" : "." + String(repeating: "a", count: 300_000) + end.dropFirst()
        #expect(redacted(text + tail) == text + tail)
    }

    @Test(arguments: [
        ("sk-sk-abcdefghijklmnop1", "[secret]"), ("sk-abc sk-abcdefghijklmnop1", "sk-abc [secret]"), ("a-sk-1234567890123456-sk-x", "a-[secret]"),
        ("eyJ-eyJhbGciOi.eyJzdWIi.c2ln", "[secret]"), ("eyJhbGciOi.x eyJhbGciOi.eyJzdWIi.c2ln", "eyJhbGciOi.x [secret]"),
        ("eyJ-short.eyJzdWIiOi.eyJzdWIi.c2ln", "[secret].c2ln"), ("eyJ.eyJzdWIiOi.eyJzdWIi.c2ln", "eyJ.[secret]"),
    ]) func `finds a secret behind the beginning of one`(text: String, expected: String) { #expect(redacted(text) == expected) }
}

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
