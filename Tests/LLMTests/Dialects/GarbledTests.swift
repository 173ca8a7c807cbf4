import LLM
import Testing
import Tracing

/// Numbers that come out the same every time (SplitMix64), so that a failure can be looked at again.
struct Dice: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

@Suite struct `A garbled exchange` {
    private static let splinters = [
        "\"", "\\", "{", "}", "[", "]", ",", ":", "\n\n", "\r", "null", "1e999", "-", "\\ud83d", "\u{0}", "data:", "[DONE]", #""index":-1,"#, #""index":99999999999999999999,"#,
        #""usage":{"prompt_tokens":-5},"#, #""content":[],"#, #""choices":{},"#, #""tool_calls":[[]],"#, #""type":7,"#, #""delta":[{}],"#, #""error":{},"#, "ÿ", "@", "4111111111111111",
    ]

    /// Breaks some bytes of a text.
    private func garbled(_ bytes: [UInt8], _ dice: inout Dice) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &dice) where !bytes.isEmpty {
            let at = Int.random(in: 0..<bytes.count, using: &dice)
            switch Int.random(in: 0..<5, using: &dice) {
            case 0: bytes[at] = UInt8.random(in: 0...255, using: &dice)
            case 1: bytes.removeSubrange(at..<min(bytes.count, at + Int.random(in: 1...20, using: &dice)))
            case 2: bytes.insert(contentsOf: bytes[at..<min(bytes.count, at + 40)], at: Int.random(in: 0...bytes.count, using: &dice))
            case 3: bytes.insert(contentsOf: Self.splinters.randomElement(using: &dice)!.utf8, at: at)
            default: bytes.removeSubrange(at...)
            }
        }
        return bytes
    }

    @Test(arguments: ExchangeFile.all) func `passes byte for byte, whatever is made of it`(file: ExchangeFile) {
        var dice = Dice(state: UInt64(file.response.utf8.count))
        let call = LLMCall()
        for round in 0..<40 {
            call.reset()
            call.content = [.none, ContentRecording(.full, limit: 300), ContentRecording(.redacted, limit: 5000)][round % 3]
            let request = String(decoding: garbled(Array(file.request.utf8), &dice), as: UTF8.self)
            call.readRequest(request, api: API(dialect: file.dialect, method: "POST", path: file.path)!, path: file.path)
            let response = garbled(file.answer, &dice)
            call.beginResponse(status: file.status, isEventStream: file.isEventStream, sentAt: 0)
            call.readFields("content-type: \(file.contentType)\n" + file.fields)
            var relayed: [UInt8] = []
            var rest = response[...]
            while !rest.isEmpty {
                let piece = Array(rest.prefix(Int.random(in: 1...300, using: &dice)))
                rest = rest.dropFirst(piece.count)
                call.observe(piece, now: 1, relay: { relayed += $0 })
                if !call.holdsBack { relayed += piece }
            }
            call.endResponse(isComplete: round % 2 == 0, now: 2, relay: { relayed += $0 })
            if !call.holdsBack || call.usage.tokens.input < 0 {
                #expect(relayed == response)
            } else {
                // What is missing are hidden events.
                var left = relayed[...]
                for byte in response where left.first == byte { left = left.dropFirst() }
                #expect(left.isEmpty)
            }
            #expect(call.printed.hasPrefix("name: "))
        }
    }
}
