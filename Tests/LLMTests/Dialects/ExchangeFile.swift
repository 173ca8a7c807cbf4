import Foundation
import LLM
import Testing
import Tracing

/// An exchange as a file: what is sent, what comes back, and the span that must come out, separated by lines of dashes.
///
///     ---- content full 2000                      what is recorded, and its limit; nothing without it
///     ---- request openai /v1/chat/completions
///     ---- response 200 text/event-stream        `<cut>` in it: the connection breaks there; an Amazon event stream is told
///                                                by lines (`AmazonMessages`)
///     ---- fields                                 fields of the answer's head that say something, where there are any
///     ---- sent                                   the request as it goes upstream, where it differs
///     ---- relayed                                what the caller receives, where it differs
///     ---- span                                   name, attributes, outcome; `RECORD=1` writes this and the two before
struct ExchangeFile: Sendable, CustomTestStringConvertible {
    let url: URL
    var dialect = Provider.Dialect.openai
    var path = ""
    var request = ""
    var status = 0
    var contentType = ""
    var response = ""
    var fields = ""
    var sent: String?
    var relayed: String?
    var span = ""
    var isComplete = true
    var content = ContentRecording.none

    var testDescription: String { url.lastPathComponent }
    var isEventStream: Bool { contentType.hasPrefix("text/event-stream") }
    var isAmazonEventStream: Bool { contentType == AmazonMessages.contentType }
    /// The answer's body.
    var answer: [UInt8] { isAmazonEventStream ? AmazonMessages.encode(response, isComplete: isComplete) : Array(response.utf8) }

    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures/dialects")

    static let all: [ExchangeFile] = {
        let names = try! FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".exchange") }.sorted()
        return names.map { ExchangeFile(folder.appending(path: $0)) }
    }()

    static let streams = all.filter { $0.isEventStream || $0.isAmazonEventStream || $0.path.contains(":stream") }
    static let eventStreams = all.filter(\.isEventStream)

    init(_ url: URL) {
        self.url = url
        let text = try! String(contentsOf: url, encoding: .utf8)
        var title: [Substring] = []
        var lines: [Substring] = []
        let all: [Substring] = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() + ["---- end"]
        for line in all {
            guard line.hasPrefix("---- ") else {
                lines.append(line)
                continue
            }
            close(title, lines.map { $0 + "\n" }.joined())
            title = line.dropFirst(5).split(separator: " ")
            lines = []
        }
    }

    private mutating func close(_ title: [Substring], _ content: String) {
        switch title.first {
        case "request":
            (dialect, path, request) = (title[1] == "anthropic" ? .anthropic : title[1] == "other" ? .other : .openai, String(title[2]), String(content.dropLast()))
        case "response":
            (status, contentType, response) = (Int(title[1])!, title.dropFirst(2).joined(separator: " "), content)
            if let cut = content.range(of: "<cut>") {
                response = String(content[..<cut.lowerBound])
                isComplete = false
            }
        case "content": self.content = ContentRecording(title[1] == "full" ? .full : .redacted, limit: Int(title[2])!)
        case "fields": fields = content
        case "sent": sent = String(content.dropLast())
        case "relayed": relayed = content
        case "span": span = content
        case nil: break
        default: Issue.record("\(url.lastPathComponent): unknown section \(title)")
        }
    }

    /// Writes the file with what came out.
    func record(_ outcome: Outcome) throws {
        var text = content.mode == .none ? "" : "---- content \(content.mode) \(content.limit)\n"
        text += "---- request \(dialect) \(path)\n\(request)\n---- response \(status) \(contentType)\n"
        text += isComplete ? response : response + "<cut>\n"
        if !fields.isEmpty { text += "---- fields\n\(fields)" }
        if outcome.sent != request { text += "---- sent\n\(outcome.sent)\n" }
        if outcome.relayed != Self.text(answer) { text += "---- relayed\n\(outcome.relayed)\(outcome.relayed.hasSuffix("\n") ? "" : "\n")" }
        text += "---- span\n\(outcome.span)"
        try text.write(to: url, atomically: true, encoding: .utf8)
    }

    /// What an exchange came to.
    struct Outcome: Equatable {
        var sent: String
        var relayed: String
        var span: String
    }

    var expected: Outcome { Outcome(sent: sent ?? request, relayed: relayed ?? Self.text(answer), span: span) }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    /// Sends the exchange through `call`, its answer in the pieces given.
    func run(_ call: LLMCall = LLMCall(), pieces: [[UInt8]]) -> Outcome {
        call.reset()
        call.content = content
        var relayed: [UInt8] = []
        let api = API(dialect: dialect, method: "POST", path: path)!
        call.readRequest(request, api: api, path: path)
        call.beginResponse(status: status, isEventStream: isEventStream, sentAt: 1_000_000_000)
        call.readFields("content-type: \(contentType)\n" + fields)
        for piece in pieces {
            call.observe(piece, now: 1_250_000_000, relay: { relayed += $0 })
            if !call.holdsBack { relayed += piece }
        }
        call.endResponse(isComplete: isComplete, now: 1_250_000_000, relay: { relayed += $0 })
        return Outcome(sent: call.sent(request), relayed: String(decoding: relayed, as: UTF8.self), span: call.printed)
    }

    func run() -> Outcome { run(pieces: [answer]) }
}

extension API {
    init?(dialect: Provider.Dialect, method: String, path: String) {
        let (method, path) = (Array(method.utf8), Array(path.utf8))
        // Sound here and below: bytes have no padding.
        unsafe self.init(dialect: dialect, method: method.span.bytes, path: path.span.bytes)
    }
}

extension LLMCall {
    func readRequest(_ body: String, api: API, path: String = "/", injectUsage: Bool = true) {
        let (body, path) = (Array(body.utf8), Array(path.prefix { $0 != "?" }.utf8))
        unsafe readRequest(body.span.bytes, api: api, path: path.span.bytes, injectUsage: injectUsage)
    }

    /// Gives the call the fields of the answer's head, a line each.
    func readFields(_ lines: String) {
        guard readsFields else { return }
        for line in lines.split(separator: "\n") {
            let colon = line.firstIndex(of: ":")!
            let (name, value) = (Array(line[..<colon].utf8), Array(line[colon...].dropFirst(2).utf8))
            unsafe readField(name.span.bytes, value.span.bytes)
        }
    }

    func observe(_ piece: [UInt8], now: UInt64, relay: ([UInt8]) -> Void) {
        unsafe observe(piece.span.bytes, now: now, emit: { relay(unsafe $0.withUnsafeBytes { unsafe Array($0) }) })
    }

    func endResponse(isComplete: Bool, now: UInt64, relay: ([UInt8]) -> Void) {
        endResponse(isComplete: isComplete, now: now, emit: { relay(unsafe $0.withUnsafeBytes { unsafe Array($0) }) })
    }

    /// The body as it goes upstream.
    func sent(_ body: String) -> String {
        guard let edit = usageInjection else { return body }
        let body = Array(body.utf8)
        return String(decoding: body[..<edit.range.lowerBound], as: UTF8.self) + edit.text.description
            + String(decoding: body[edit.range.upperBound...], as: UTF8.self)
    }

    /// The span of the call, a line for each thing it says.
    var printed: String {
        var draft = SpanDraft()
        describe(into: &draft)
        var text = ""
        // Time and counters, of which the record alone knows, stand before what went wrong and what was said.
        var counters = Self.printed(draft.record)
        let behind: [Attribute] = [.unreadable, .errorType, .systemInstructions, .inputMessages, .outputMessages, .toolDefinitions]
        draft.withEntries { entries in
            SpanEntry.forEach(in: entries) { tag, type, value in
                if behind.contains(where: { $0.rawValue == tag }) || tag == SpanEntry.Tag.statusMessage.rawValue {
                    text += counters
                    counters = ""
                }
                let name = Attribute(rawValue: tag)?.name.description ?? "\(SpanEntry.Tag(rawValue: tag)!)"
                text += "\(name): \(Self.printed(type, value))\n"
            }
        }
        text += counters
        if draft.record.isError { text += "is error\n" }
        if streamWasCut { text += "was cut\n" }
        return text
    }

    private static func printed(_ record: SpanRecord) -> String {
        var text = ""
        if record.timeToFirstContent >= 0 { text += "\(Attribute.ttft.name): \(Double(record.timeToFirstContent) / 1e9)\n" }
        let tokens = record.tokens
        for (attribute, count) in [
            (Attribute.usageInputTokens, tokens.input), (.usageOutputTokens, tokens.output), (.usageCacheReadInputTokens, tokens.cacheRead),
            (.usageCacheWriteInputTokens, tokens.cacheWrite), (.usageReasoningOutputTokens, tokens.reasoning),
        ] where count >= 0 {
            text += "\(attribute.name): \(count)\n"
        }
        return text
    }

    private static func printed(_ type: SpanEntry.ValueType, _ value: RawSpan) -> String {
        switch type {
        case .string: return String(decoding: unsafe value.withUnsafeBytes { unsafe Array($0) }, as: UTF8.self)
        case .bool: return "\(SpanEntry.bool(value))"
        case .int: return "\(SpanEntry.int(value))"
        case .double: return "\(SpanEntry.double(value))"
        case .strings:
            var elements: [String] = []
            SpanEntry.forEachElement(of: value) { elements.append(printed(.string, $0)) }
            return "\(elements)"
        }
    }
}
