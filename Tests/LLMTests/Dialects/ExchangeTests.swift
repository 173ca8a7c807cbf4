import Content
import Foundation
import LLM
import Testing

@Suite struct `An exchange with a model` {
    @Test(arguments: ExchangeFile.all) func `is read and relayed as recorded`(file: ExchangeFile) throws {
        let outcome = file.run()
        if ProcessInfo.processInfo.environment["RECORD"] == "1" { return try file.record(outcome) }
        #expect(outcome.span == file.expected.span)
        #expect(outcome.sent == file.expected.sent)
        #expect(outcome.relayed == file.expected.relayed)
    }

    @Test(arguments: ExchangeFile.all) func `is read alike byte by byte`(file: ExchangeFile) {
        #expect(file.run(pieces: file.answer.map { [$0] }) == file.run())
    }

    @Test(arguments: ExchangeFile.streams) func `is read alike cut in two anywhere`(file: ExchangeFile) {
        let whole = file.run()
        let response = file.answer
        let call = LLMCall()
        // Putting words together takes its time in a debug build: every seventh byte will do.
        for cut in stride(from: 0, to: response.count, by: file.content.mode == .none ? 1 : 7) {
            let outcome = file.run(call, pieces: [Array(response[..<cut]), Array(response[cut...])])
            if outcome != whole {
                #expect(outcome == whole, "cut at \(cut)")
                break
            }
        }
    }

    @Test(arguments: ExchangeFile.eventStreams, ["\r\n", "\r"]) func `is read alike with other line ends`(file: ExchangeFile, lineEnd: String) {
        let changed = file.response.replacing("\n", with: lineEnd)
        let relayed = file.expected.relayed.replacing("\n", with: lineEnd)
        for pieces in [[Array(changed.utf8)], changed.utf8.map { [$0] }] {
            let outcome = file.run(pieces: pieces)
            #expect(outcome.span == file.run().span)
            // Of a hidden event that a CR ended, the LF may come too late to be hidden: an empty line, which says nothing.
            if pieces.count == 1 { #expect(outcome.relayed == relayed) }
        }
    }

    /// Each API with each trouble. All files are also read byte by byte, cut in two, and, where they are streams, with other line ends.
    @Test(arguments: [
        ("chat", true), ("responses", true), ("messages", true), ("embeddings", false),
    ]) func `is there for each trouble`(api: String, streams: Bool) {
        let names = ExchangeFile.all.map(\.testDescription)
        let troubles =
            ["error-4", "json-malformed", "json-cut"]
            + (streams
                ? ["stream-cut", "stream-error", "stream-usage-missing", "stream-usage-twice", "stream-unknown-events", "stream-multi-byte"]
                : ["usage-missing", "usage-twice", "unknown-members"])
        for trouble in troubles { #expect(names.contains { $0.hasPrefix("\(api)-\(trouble)") }, "\(api)-\(trouble)") }
    }

    @Test func `leaves nothing behind for the next one on the same connection`() {
        let call = LLMCall()
        for _ in 0..<2 {
            for file in ExchangeFile.all {
                #expect(file.run(call, pieces: [file.answer]) == file.run(), "\(file.testDescription)")
            }
        }
    }
}
