import LLM
import Testing

/// Events that look like the last one are not read (`EventPattern`). One that comes in two pieces always is, so both ways can be held
/// against each other.
@Suite struct `A stream that repeats itself` {
    /// Texts for the places that vary, in every spelling of JSON, and some that are none.
    private static let texts = [
        "x", "", " the", #"\n"#, #"\""#, #"\\"#, #"\u00e9"#, #"\ud83d\ude00"#, "é", "}", #"],\"finish_reason\":\"stop\""#, "[DONE]", "data: ",
        #"\x"#, #"\u12"#, "\u{1}", #"" "#, #"","content":"again"#, #"","finish_reason":"length"#, #""}},{"index":1,"delta":{"content":"y"#,
    ]
    private static let numbers = ["1", "0", "17", "-3", "1.5e3", "01", "1.", "-", "null", "\"2\"", "{}", "[1]"]

    /// What an event of each API may be; `@` is a text, `#` a number.
    private static let shapes: [API: [String]] = [
        .chatCompletions: [
            #"{"id":"c1","object":"chat.completion.chunk","created":#,"model":"m","choices":[{"index":0,"delta":{"content":"@"},"finish_reason":null}]}"#,
            #"{"id":"c1","object":"chat.completion.chunk","created":#,"model":"m","choices":[{"index":0,"delta":{"content":"@"},"finish_reason":null}],"usage":null,"obfuscation":"@"}"#,
            #"{"id":"@","model":"@","choices":[{"index":#,"delta":{"reasoning_content":"@"},"finish_reason":null}]}"#,
            #"{"choices":[{"delta":{"content":"@","refusal":null}},{"index":1,"delta":{"content":"@"}}]}"#,
            #"{"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"@"}}]},"finish_reason":null}]}"#,
            #"{"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":#,"id":"@","function":{"name":"@","arguments":"@"}}]},"finish_reason":null}]}"#,
            #"{"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"id":"@","function":{"name":"f","arguments":"@"}}]}}]}"#,
            #"{"id":"c1","choices":[{"index":0,"delta":{},"finish_reason":"@"}]}"#,
            #"{"id":"c1","choices":[],"usage":{"prompt_tokens":#,"completion_tokens":#}}"#,
            #"{"id":"c1","choices":[{"index":0,"delta":{"content":"@"}}],"usage":{"prompt_tokens":3,"completion_tokens":#}}"#,
        ],
        .messages: [
            #"{"type":"content_block_delta","index":#,"delta":{"type":"text_delta","text":"@"}}"#,
            #"{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"@"}}"#,
            #"{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"@","name":"f","input":{}}}"#,
            #"{"type":"message_delta","delta":{"stop_reason":"@","stop_sequence":null},"usage":{"output_tokens":#}}"#,
            #"{"type":"ping"}"#,
        ],
        .responses: [
            #"{"type":"response.output_text.delta","sequence_number":#,"item_id":"m","output_index":0,"delta":"@","logprobs":[],"obfuscation":"@"}"#,
            #"{"type":"response.function_call_arguments.delta","sequence_number":#,"item_id":"f","delta":"@"}"#,
            #"{"type":"response.output_item.done","sequence_number":#,"item":{"type":"web_search_call","id":"@"}}"#,
            #"{"type":"@","sequence_number":#,"delta":"@"}"#,
        ],
    ]

    private func event(_ api: API, _ shape: String, _ dice: inout Dice) -> String {
        // Mostly well-formed, so that there is something to be learned.
        func text() -> String { Self.texts[Int.random(in: 0..<(Int.random(in: 0..<12, using: &dice) == 0 ? Self.texts.count : 13), using: &dice)] }
        func number() -> String { Self.numbers[Int.random(in: 0..<(Int.random(in: 0..<12, using: &dice) == 0 ? Self.numbers.count : 5), using: &dice)] }
        var data = ""
        for character in shape {
            data += character == "@" ? text() : character == "#" ? number() : String(character)
        }
        return api == .messages ? "event: x\ndata: \(data)\n\n" : "data: \(data)\n\n"
    }

    @Test(arguments: [API.chatCompletions, .messages, .responses]) func `is read as if every event of it were`(api: API) {
        var dice = Dice(state: 7)
        let shapes = Self.shapes[api]!
        let (fast, slow) = (LLMCall(), LLMCall())
        for round in 0..<400 {
            var events: [String] = []
            for _ in 0..<Int.random(in: 1...6, using: &dice) {
                let shape = shapes.randomElement(using: &dice)!
                for _ in 0..<Int.random(in: 1...5, using: &dice) { events.append(event(api, shape, &dice)) }
            }
            if Bool.random(using: &dice) { events = events.map { $0.replacing("\n", with: "\r\n") } }
            var outcomes: [[String]] = []
            for (call, cut) in [(fast, 0), (slow, 7)] {
                call.reset()
                call.readRequest(#"{"stream":true}"#, api: api, injectUsage: round % 2 == 0)
                call.beginResponse(status: 200, isEventStream: true, sentAt: 0)
                var relayed: [UInt8] = []
                for event in events {
                    for piece in [Array(event.utf8.prefix(cut)), Array(event.utf8.dropFirst(cut))] {
                        call.observe(piece, now: 1, relay: { relayed += $0 })
                        if !call.holdsBack { relayed += piece }
                    }
                }
                call.endResponse(isComplete: true, now: 1, relay: { relayed += $0 })
                outcomes.append([call.printed, String(decoding: relayed, as: UTF8.self)])
            }
            if outcomes[0] != outcomes[1] {
                #expect(outcomes[0] == outcomes[1], "round \(round): \(events.joined())")
                break
            }
        }
    }

    @Test(arguments: ["\n", "\r\n"]) func `passes in one piece, many events at a time`(lineEnd: String) {
        let call = LLMCall()
        call.readRequest(#"{"stream":true}"#, api: .chatCompletions)
        call.beginResponse(status: 200, isEventStream: true, sentAt: 0)
        let events = ["a", "b", #"\"c"#, "d"].map { #"data: {"choices":[{"delta":{"content":"\#($0)"}}]}"# + lineEnd + lineEnd }
        var relayed: [String] = []
        for piece in [events[0], events[1], events.joined(), events[3] + "data: ", "[DONE]" + lineEnd + lineEnd] {
            call.observe(Array(piece.utf8), now: 1, relay: { relayed.append(String(decoding: $0, as: UTF8.self)) })
        }
        #expect(relayed == [events[0], events[1], events.joined(), events[3], "data: [DONE]" + lineEnd + lineEnd])
        #expect(call.streamHasSaidAll)
    }
}
