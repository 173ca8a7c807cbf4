import Foundation
import JSON
import LLM
import Testing
import Tracing

/// One case of Fixtures/cost-cases.json: an answer as a provider sends it, and what two independent libraries say it cost.
struct CostCase: Sendable, CustomTestStringConvertible {
    var id, provider, api, model, at: String
    var variant, region: String?
    var response: [UInt8]
    var stream: [[UInt8]]
    var expected: String
    var testDescription: String { "\(id) \(provider) \(model) \(variant ?? "")" }

    static let tolerance = USD("0.000000001")!

    static let all: [CostCase] = {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures/cost-cases.json")
        let bytes = [UInt8](try! Data(contentsOf: file))
        return try! JSONValue(unsafe bytes.span.bytes)["cases"]!.elements!.map { value in
            CostCase(
                id: value["id"]!.string!, provider: value["provider"]!.string!, api: value["api"]!.string!, model: value["model"]!.string!, at: value["at"]!.string!,
                variant: value["variant"]?.string, region: value["region"]?.string, response: value["response"]!.bytes,
                stream: value["stream"]?.elements?.map(\.bytes) ?? [], expected: value["expected_usd"]!.string!)
        }
    }()

    var shape: UsageShape {
        switch api {
        case "anthropic.messages": .anthropic
        case "bedrock.converse": .bedrock
        case "gemini.generate": .gemini
        case "xai.chat": .xai
        case "perplexity.chat": .perplexity
        case "cohere.chat": .cohere
        default: .openai
        }
    }

    var time: Int64 { Int64(ISO8601DateFormatter().date(from: at)!.timeIntervalSince1970) }

    /// What the gateway's readers make of these messages, one after the other.
    func usage(of messages: [[UInt8]]) throws -> (usage: Usage, model: String) {
        var usage = UsageReader(shape)
        var named = ""
        var tier: PriceVariant?
        func read(_ reader: inout JSONReader) throws {
            guard try reader.enterObject() else { return }
            while let key = try reader.nextMember() {
                if key.is("usage") || key.is("usageMetadata") {
                    try usage.read(&reader)
                } else if key.is("message") || key.is("response") {
                    try read(&reader)
                } else if key.is("model") || key.is("modelVersion"), let text = try reader.string() {
                    named = String(text)
                } else if key.is("service_tier"), let word = try reader.string() {
                    tier = PriceVariant(serviceTier: word)
                }
            }
        }
        for message in messages {
            var reader = JSONReader(unsafe message.span.bytes)
            try read(&reader)
            try reader.finish()
        }
        var result = usage.usage
        if let tier, result.variant == .standard { result.variant = tier }
        // Said by a header or the path, not by the answer.
        if let variant, result.variant == .standard { result.variant = PriceVariant.allCases.first { "\($0.name)" == variant } ?? .unlisted }
        if region == "eu" { result.region = .eu }
        return (result, named)
    }

    // MARK: through a call

    /// The API the gateway understands it as; nil where it passes as plain HTTP.
    var understoodAs: API? {
        switch api {
        case "anthropic.messages": provider == "aws.bedrock" ? .invokeModel : .messages
        case "gemini.generate": .generateContent
        case "bedrock.converse": .converse
        case "cohere.chat": .cohereChat
        case "openai.responses": .responses
        case "openai.embeddings": .embeddings
        case "openai.chat", "compat.chat", "xai.chat", "deepseek.chat", "perplexity.chat", "mistral.chat": .chatCompletions
        default: nil
        }
    }

    /// Where the model stands, for those who do not say it in the body.
    private var path: String {
        switch understoodAs! {
        case .generateContent: "/v1beta/models/\(model):generateContent"
        case .converse: "/model/\(model.replacing(":", with: "%3A"))/converse"
        case .invokeModel: "/model/\(model)/invoke"
        case .messages where provider == "gcp.vertex_ai": "/v1/projects/p/locations/global/publishers/anthropic/models/\(model):rawPredict"
        default: "/"
        }
    }

    static let understood = all.filter { $0.understoodAs != nil && $0.variant == nil && $0.region == nil }

    /// What the call costs as the gateway prices it: the messages are its answer, as a body or as a stream.
    func cost(of messages: [[UInt8]], by book: PriceBook, isEventStream: Bool) -> CallCost {
        let call = LLMCall()
        call.readRequest(#"{"model":"\#(model)","stream":\#(isEventStream)}"#, api: understoodAs!, path: path)
        call.beginResponse(status: 200, isEventStream: isEventStream, sentAt: 0, usage: shape)
        for message in messages {
            let text = isEventStream ? Array("data: ".utf8) + message.map { $0 == 0x0A ? 0x20 : $0 } + Array("\n\n".utf8) : message
            call.observe(text, now: 1, relay: { _ in })
        }
        call.endResponse(isComplete: true, now: 1, relay: { _ in })
        let name = Array(provider.utf8)
        return call.cost(by: book, provider: unsafe name.span.bytes, at: time, isComplete: true)
    }
}

@Suite struct `A call's cost` {
    let book = PriceBook(.bundled)

    private func check(_ cost: CallCost, of call: CostCase) throws {
        let usd = try #require(cost.usd)
        let difference = usd < USD(call.expected)! ? USD(call.expected)! - usd : usd - USD(call.expected)!
        #expect(difference <= CostCase.tolerance, "\(usd) is not \(call.expected)")
        #expect(cost.source == .catalogue)
    }

    @Test(arguments: CostCase.all) func `is what the reference libraries computed`(of call: CostCase) throws {
        for messages in [[call.response], call.stream] where !messages.isEmpty {
            let (usage, named) = try call.usage(of: messages)
            #expect(named.isEmpty || named == call.model)
            let (provider, model) = (Array(call.provider.utf8), Array(call.model.utf8))
            try check(book.cost(of: usage, provider: unsafe provider.span.bytes, model: unsafe model.span.bytes, at: call.time), of: call)
        }
    }

    @Test(arguments: CostCase.understood) func `is that for an answer as it goes by, too`(of call: CostCase) throws {
        try check(call.cost(of: [call.response], by: book, isEventStream: false), of: call)
        if !call.stream.isEmpty { try check(call.cost(of: call.stream, by: book, isEventStream: true), of: call) }
    }

    @Test func `has all of its reference cases`() {
        #expect(CostCase.all.count == 102)
        #expect(CostCase.understood.count >= 80)
    }

    // MARK: of native calls

    private func cost(_ provider: String, _ path: String, _ answer: String, fields: String = "", dialect: Provider.Dialect = .other) throws -> CallCost {
        let call = LLMCall()
        call.readRequest("{}", api: try #require(API(dialect: dialect, method: "POST", path: path)), path: path)
        call.beginResponse(status: 200, isEventStream: false, sentAt: 0)
        call.readFields(fields)
        call.observe(Array(answer.utf8), now: 1, relay: { _ in })
        call.endResponse(isComplete: true, now: 1, relay: { _ in })
        let name = Array(provider.utf8)
        return call.cost(by: book, provider: unsafe name.span.bytes, at: 1_795_000_000, isComplete: true)
    }

    private static let converse = #"{"usage":{"inputTokens":1000,"outputTokens":100},"stopReason":"end_turn"}"#
    private static let claude = #"{"model":"claude-sonnet-4-5-20250929","usage":{"input_tokens":1000,"output_tokens":100}}"#

    /// In cents of a thousandth dollar: 1,000 tokens read and 100 written.
    @Test(arguments: [
        // 3.30 and 16.50 dollars a million, by whatever name.
        ("us.anthropic.claude-sonnet-4-5-20250929-v1%3A0", "0.00495"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "0.00495"),
        ("arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fus.anthropic.claude-sonnet-4-5-20250929-v1%3A0", "0.00495"),
        ("arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-sonnet-4-5-20250929-v1:0", "0.00495"),
        // 0.80 and 3.20.
        ("amazon.nova-pro-v1%3A0", "0.00112"),
        // Says nothing of the model.
        ("arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Aapplication-inference-profile%2Fabc123", nil),
    ] as [(String, String?)]) func `of Bedrock is by the model in the path`(model: String, usd: String?) throws {
        #expect(try cost("aws.bedrock", "/model/\(model)/converse", Self.converse).usd == usd.map { USD($0)! })
        let counts = "x-amzn-bedrock-input-token-count: 1000\nx-amzn-bedrock-output-token-count: 100"
        #expect(try cost("aws.bedrock", "/model/\(model)/invoke", #"{"generation":"a"}"#, fields: counts).usd == usd.map { USD($0)! })
        // Claude names itself in a way Bedrock's prices do not know by place.
        if usd == "0.00495" { #expect(try cost("aws.bedrock", "/model/\(model)/invoke", Self.claude).usd == USD(usd!)) }
    }

    @Test func `of a Bedrock profile is by the model that answered, where it says`() throws {
        let path = "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Aapplication-inference-profile%2Fabc123/invoke"
        #expect(try cost("aws.bedrock", path, Self.claude).usd != nil)
        let routed = #"{"trace":{"promptRouter":{"invokedModelId":"arn:aws:bedrock:us-east-1:1:inference-profile/us.amazon.nova-pro-v1:0"}},"usage":{"inputTokens":1000,"outputTokens":100}}"#
        #expect(try cost("aws.bedrock", "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Adefault-prompt-router%2Famazon.nova%3A1/converse", routed).usd == USD("0.00112"))
    }

    @Test(arguments: [("global", "0.0045"), ("us-east5", "0.00495"), ("eu", "0.00495"), ("asia-east1", "0.00495")]) func `of Claude on Vertex goes by the place in the path`(location: String, usd: String) throws {
        let path = "/v1/projects/p/locations/\(location)/publishers/anthropic/models/claude-sonnet-4-5@20250929:rawPredict"
        #expect(try cost("gcp.vertex_ai", path, Self.claude).usd == USD(usd))
    }

    @Test(arguments: [
        ("gemini-2.5-flash", "", "", "0.00055"), ("gemini-2.5-flash", "x-gemini-service-tier: priority", "", "0.00099"),
        // A prompt grounded by Google is one event up to Gemini 2, each search from Gemini 3 on; maps are one.
        ("gemini-2.5-flash", "", #","groundingMetadata":{"webSearchQueries":["a","b"]}"#, "0.03555"),
        ("gemini-3-pro-preview", "", #","groundingMetadata":{"webSearchQueries":["a","b"]}"#, "0.0312"),
        ("gemini-2.5-flash", "", #","groundingMetadata":{"groundingChunks":[{"maps":{}},{"maps":{}}]}"#, "0.02555"),
    ]) func `of Gemini goes by the tier and the searches of the answer`(model: String, fields: String, more: String, usd: String) throws {
        let answer = #"{"candidates":[{"finishReason":"STOP"\#(more)}],"modelVersion":"\#(model)","usageMetadata":{"promptTokenCount":1000,"candidatesTokenCount":60,"thoughtsTokenCount":40,"totalTokenCount":1100}}"#
        #expect(try cost("gcp.gemini", "/v1beta/models/\(model):generateContent", answer, fields: fields).usd == USD(usd))
    }

    // MARK: which model's price

    private func cost(_ api: API, provider: String, request: String, answer: String, by book: PriceBook) -> CallCost {
        let call = LLMCall()
        call.readRequest(request, api: api)
        call.beginResponse(status: 200, isEventStream: false, sentAt: 0)
        call.observe(Array(answer.utf8), now: 1, relay: { _ in })
        call.endResponse(isComplete: true, now: 1, relay: { _ in })
        let name = Array(provider.utf8)
        return call.cost(by: book, provider: unsafe name.span.bytes, at: 1_700_000_000, isComplete: true)
    }

    @Test func `of several passes is each at the price of its model`() throws {
        let tokens = #""input_tokens":150000,"output_tokens":0"#
        let answer = #"{"model":"claude-sonnet-4-5","usage":{\#(tokens),"iterations":[{"type":"message",\#(tokens)},{"type":"advisor_message","model":"claude-haiku-4-5",\#(tokens)}]}}"#
        let cost = cost(.messages, provider: "anthropic", request: #"{"model":"claude-sonnet-4-5"}"#, answer: answer, by: book)
        // 3 and 1 dollars a million, and no pass long enough for the price of long prompts.
        #expect(cost.usd == USD("0.6"))
        #expect(cost.source == .catalogue)
    }

    @Test(arguments: [
        ("mine", "gpt-4o", "0.007", CostSource.configured), ("local", "/models/local", "0.005", .configured), ("gpt-4o", "gpt-4o", "0.0025", .catalogue),
        ("gpt-4o", "other", nil, .none), ("mine", "other", "0.007", .configured), ("gpt-4o", "mine", "0.007", .configured), ("local", "", "0.005", .configured),
    ] as [(String, String, String?, CostSource)]) func `is by the configured price of the model asked for, else by the model that answered`(asked: String, answered: String, usd: String?, source: CostSource) throws {
        let configured = ConfiguredPrices(provider: "openai", models: ["mine": ["input": "7"], "local": ["input": "5"]])
        let book = PriceBook(try PriceCatalogue.bundled.configured([configured]))
        let answer = #"{"model":"\#(answered)","choices":[],"usage":{"prompt_tokens":1000,"completion_tokens":0}}"#
        let cost = cost(.chatCompletions, provider: "openai", request: #"{"model":"\#(asked)"}"#, answer: answer, by: book)
        #expect(cost.usd == usd.map { USD($0)! })
        #expect(cost.source == source)
    }
}
