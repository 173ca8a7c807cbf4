import Foundation
import OTLP
import Tracing

enum Fixture {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")

    static func text(_ name: String) throws -> String {
        try String(contentsOf: folder.appending(path: name), encoding: .utf8).trimmingCharacters(in: .newlines)
    }
}

/// The spans that the golden files hold, as the gateway records them.
enum Example: String, CaseIterable {
    /// A streamed, priced chat completion within a caller's trace; every kind of value, and a list.
    case llm
    /// A hop that failed, without a model's numbers, in a run that its caller named; texts that are no plain ASCII.
    case failure
    /// As little as a span can have.
    case least

    static let source = SpanSource(
        resource: [
            KeyValue("service.name", .string("hopspan")), KeyValue("service.instance.id", .string("b0c1")),
            KeyValue("process.pid", .int(7)), KeyValue("host.ip", .array([.string("127.0.0.1"), .string("::1")])),
        ],
        scopeName: "hopspan", scopeVersion: "1.0", schemaURL: "https://opentelemetry.io/schemas/1.44.0")

    /// Calls `body` with the span as a draft has it.
    func withDraft<Result>(_ body: (borrowing SpanDraft) -> Result) -> Result {
        var draft = SpanDraft()
        draft.record.traceID = TraceID(high: 0x4bf9_2f35_77b3_4da6, low: 0xa3ce_929d_0e0e_4736)
        draft.record.spanID = SpanID(0x00f0_67aa_0ba9_02b7)
        draft.record.run = RunKey(draft.record.traceID)
        draft.record.startTime = 1_700_000_000_000_000_000
        draft.record.endTime = 1_700_000_001_500_000_001
        switch self {
        case .llm: fillLLM(&draft)
        case .failure: fillFailure(&draft)
        case .least: break
        }
        return body(draft)
    }

    private func fillLLM(_ draft: inout SpanDraft) {
        draft.record.parent = 0xb7ad_6b71_6920_3331
        draft.record.parentIsRemote = true
        draft.record.flags = 3
        draft.record.hopKind = HopKind.llm.rawValue
        draft.record.linkedBy = LinkedBy.traceparent.rawValue
        draft.record.tokens.input = 1200
        draft.record.tokens.output = 340
        draft.record.tokens.cacheRead = 1024
        draft.record.tokens.reasoning = 0
        draft.record.costSource = CostSource.catalogue.rawValue
        draft.record.cost = USD("0.00006975")
        draft.record.timeToFirstContent = 420_000_000
        withBytes(Array("gpt-4o-mini".utf8)) { draft.setName("chat", $0) }
        draft.set(.operationName, "chat" as StaticString)
        draft.set(.providerName, "openai" as StaticString)
        draft.set(.requestModel, "gpt-4o-mini" as StaticString)
        draft.set(.requestStream, true)
        draft.set(.requestTemperature, 0.7)
        draft.set(.requestMaxTokens, 1024)
        draft.set(.responseModel, "gpt-4o-mini-2024-07-18" as StaticString)
        draft.set(.responseID, "chatcmpl-BxyzABCDEFGHIJKLMNOPQRSTUV" as StaticString)
        draft.beginList(.responseFinishReasons)
        draft.appendElement("stop")
        draft.endList()
        draft.set(.responseTimeToFirstChunk, 0.375)
        draft.set(.openaiAPIType, "chat_completions" as StaticString)
        draft.set(.httpRequestMethod, "POST" as StaticString)
        draft.set(.httpResponseStatusCode, 200)
        draft.set(.urlFull, "https://a.example/v1" as StaticString)
        draft.set(.serverAddress, "api.openai.com" as StaticString)
        draft.set(.serverPort, 443)
        withBytes(Array("congo=t61rcWkgMzE,rojo=00f067aa0ba902b7".utf8)) { draft.setTraceState($0) }
    }

    private func fillFailure(_ draft: inout SpanDraft) {
        draft.record.parent = 1
        draft.record.hopKind = HopKind.tool.rawValue
        draft.record.linkedBy = LinkedBy.header.rawValue
        draft.record.runIsNamed = true
        draft.record.run = RunKey(high: 1, low: 2)
        draft.record.isError = true
        draft.record.tokens.cacheWrite = -1
        draft.setName("tools/call größe 漢字 🎈")
        draft.set(.runID, "nightly-42" as StaticString)
        draft.set(.errorType, "tool_error" as StaticString)
        withBytes([0x61, 0xFF, 0x62, 0x00, 0x63]) { draft.set(.responseID, $0) }
        draft.set(.conversationID, "" as StaticString)
        draft.set(.requestStream, false)
        draft.set(.usageInputTokens, 0)
        draft.set(.requestSeed, Int64.min)
        draft.set(.requestTemperature, -0.0)
        draft.set(.requestTopP, Double.infinity)
        draft.beginList(.toolCallIDs)
        draft.endList()
        draft.beginList(.requestStopSequences)
        draft.appendElement("")
        withBytes([0xC3]) { draft.appendElement($0) }
        draft.endList()
        draft.setStatusMessage("the tool said: größer als erlaubt")
    }

    func encoded(by encoder: inout SpanEncoder) -> [UInt8] {
        withDraft { draft in
            draft.withEntries { encoder.encode(draft.record, $0) }
            return array(encoder.bytes)
        }
    }

    func encoded(limits: AttributeLimits = AttributeLimits()) -> [UInt8] {
        var encoder = SpanEncoder(limits: limits)
        return encoded(by: &encoder)
    }
}
