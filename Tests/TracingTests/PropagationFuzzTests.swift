import Testing
import Tracing

/// Random texts made of what headers are made of, so that most of the grammar's corners are met; the same ones on every run.
@Suite struct `Whatever a caller sends` {
    private struct Texts {
        var random = IDGenerator(seed: (21, 22, 23, 24))
        let pieces = [
            "=", ",", ";", " ", "\t", "%", "%4", "%41", "%C3", "a", "run.id", "foo", "@", "-", "*/", "_", "Z", "é", "\u{0}", "\u{7F}", "\"", "\\",
            "=1", ",b=2", "00-12345678901234567890123456789012-1234567890123456-01", String(repeating: "x", count: 200), "0", "f", "ff-",
        ]

        mutating func next(_ bound: Int) -> Int { Int(random.spanID().value % UInt64(bound)) }
        /// Half of them are made of what belongs there, so that enough comes through.
        mutating func text() -> String {
            let pieces = next(2) == 0 ? pieces : ["a=1,", "foo=x,", " ", "\t", "b@c=2,", ",", "run.id=5,", "k=\(String(repeating: "v", count: 150)),"]
            return (0..<next(12)).map { _ in pieces[next(pieces.count)] }.joined()
        }
    }

    @Test func `a tracestate comes out well-formed, and the same when it comes in again`() {
        var texts = Texts()
        var kept = 0
        for _ in 0..<2000 {
            var state = TraceState(lengthLimit: 512)
            for _ in 0..<(1 + texts.next(3)) { withBytes(texts.text()) { state.append($0) } }
            let result = text(state.text)
            #expect(result.utf8.count <= 512)
            #expect(result.utf8.allSatisfy { 0x20...0x7E ~= $0 })
            #expect(result.isEmpty || result.split(separator: ",", omittingEmptySubsequences: false).allSatisfy { $0.contains("=") })
            var again = TraceState(lengthLimit: 512)
            withBytes(result) { again.append($0) }
            #expect(text(again.text) == result)
            if !result.isEmpty { kept += 1 }
        }
        #expect(kept > 50)
    }

    @Test func `baggage comes out well-formed, and the same when it comes in again`() {
        var texts = Texts()
        var found = 0
        for _ in 0..<2000 {
            var baggage = Baggage()
            for _ in 0..<(1 + texts.next(3)) { withBytes(texts.text()) { baggage.append($0) } }
            let result = text(baggage.text)
            #expect(result.utf8.count <= Baggage.lengthLimit)
            #expect(result.utf8.allSatisfy { 0x20...0x7E ~= $0 || $0 == 0x09 })
            var again = Baggage()
            withBytes(result) { again.append($0) }
            #expect(text(again.text) == result)
            if baggage.withValue(of: "run.id", { UTF8Text.isWellFormed($0) }) == true { found += 1 }
        }
        #expect(found > 50)
    }

    @Test func `a traceparent is read or refused`() {
        var texts = Texts()
        for _ in 0..<2000 {
            let parent = withBytes(texts.text()) { TraceContext(traceparent: $0) }
            if let parent { #expect(parent.traceID.isValid && parent.spanID.isValid) }
        }
    }
}
