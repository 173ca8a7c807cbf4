import Foundation
import HTTP
import Testing

/// A head is read in one pass where it is all there, and in two steps where it comes in pieces: `end`, then `parse…`. Both must read
/// the same, or refuse both. Over every head that is in the tree; the fuzzer goes on from there.
@Suite struct `A head` {
    struct Sample: CustomTestStringConvertible {
        let name: String
        let bytes: [UInt8]
        let isRequest: Bool
        var testDescription: String { name }
    }

    static let samples: [Sample] = {
        let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        func files(_ folder: String) -> [URL] {
            let found = try? FileManager.default.contentsOfDirectory(at: tests.appending(path: folder), includingPropertiesForKeys: nil)
            return (found ?? []).sorted { $0.lastPathComponent < $1.lastPathComponent }
        }
        var samples: [Sample] = []
        for file in files("Fuzz/Corpus/head") + files("Fuzz/Crashers/head") {
            guard let data = try? Data(contentsOf: file) else { continue }
            for isRequest in [true, false] { samples.append(Sample(name: file.lastPathComponent, bytes: Array(data), isRequest: isRequest)) }
        }
        // In an exchange file, the line ends of a head are CRLF on the wire.
        for file in files("GatewayTests/Fixtures") where file.pathExtension == "exchange" {
            guard let text = try? String(contentsOf: file, encoding: .utf8) else { continue }
            for (title, isRequest) in [("client sends", true), ("upstream receives", true), ("upstream sends", false), ("client receives", false)] {
                guard let start = text.range(of: "----- \(title)\n")?.upperBound else { continue }
                let section = text[start...].components(separatedBy: "\n-----")[0]
                for part in section.components(separatedBy: "\n@next\n") where !part.hasPrefix("@") {
                    let head = part.components(separatedBy: "\n\n")[0].split(separator: "\n", omittingEmptySubsequences: false).filter { !$0.hasPrefix("@") }
                    let bytes = Array(head.map { $0 + "\r\n" }.joined().utf8) + Array("\r\nbody".utf8)
                    samples.append(Sample(name: "\(file.lastPathComponent), \(title)", bytes: bytes, isRequest: isRequest))
                }
            }
        }
        return samples
    }()

    private func inOnePass(_ sample: Sample, into head: MessageHead) -> Int? {
        let bytes = unsafe sample.bytes.span.bytes
        return sample.isRequest ? HeadParser.requestAtHand(bytes, into: head) : HeadParser.responseAtHand(bytes, to: .get, into: head)
    }

    private func inTwoSteps(_ sample: Sample, into head: MessageHead) -> Int? {
        let bytes = unsafe sample.bytes.span.bytes
        var scanned = 0
        var end: Int?
        // As it would come, a byte at a time.
        for count in 1...max(1, bytes.byteCount) where end == nil {
            do { end = try HeadParser.end(in: bytes.extracting(first: count), scanned: &scanned) } catch { return nil }
        }
        guard let end else { return nil }
        do {
            if sample.isRequest {
                try HeadParser.parseRequest(bytes.extracting(first: end), into: head)
            } else {
                try HeadParser.parseResponse(bytes.extracting(first: end), to: .get, into: head)
            }
        } catch { return nil }
        return end
    }

    private func text(_ bytes: RawSpan) -> String { String(decoding: (0..<bytes.byteCount).map { bytes[byte: $0] }, as: UTF8.self) }

    /// Everything that a reader of the head can ask.
    private func facts(_ head: MessageHead, _ sample: Sample) -> [String] {
        var facts = [
            "\(head.minorVersion) \(head.framing)", "keeps alive: \(head.keepsAlive)", "expects: \(head.expectsContinue)", "upgrade: \(head.wantsUpgrade)", text(head.raw),
        ]
        facts += sample.isRequest ? ["\(head.method)", text(head.methodBytes), text(head.target), text(head.path)] : ["\(head.status)", text(head.statusText), text(head.reason)]
        for index in 0..<head.fieldCount {
            facts.append("\(head.field(index).name) \(head.field(index).isNominated) \(text(head.name(index)))=\(text(head.value(index))) \(text(head.line(index)))")
        }
        return facts
    }

    @Test(arguments: samples) func `is read the same in one pass and in two steps`(sample: Sample) {
        let (first, second) = (MessageHead(), MessageHead())
        let length = inOnePass(sample, into: first)
        #expect(length == inTwoSteps(sample, into: second))
        if length != nil { #expect(facts(first, sample) == facts(second, sample)) }
    }

    @Test func `is in the samples in every kind`() {
        #expect(Self.samples.count > 150)
        let read = Self.samples.filter { inOnePass($0, into: MessageHead()) != nil }
        #expect(read.count > 100 && Self.samples.count - read.count > 10)
        #expect(read.contains { $0.isRequest } && read.contains { !$0.isRequest })
    }
}
