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
}

@Suite struct `A call's cost` {
    let book = PriceBook(.bundled)

    @Test(arguments: CostCase.all) func `is what the reference libraries computed`(of call: CostCase) throws {
        for messages in [[call.response], call.stream] where !messages.isEmpty {
            let (usage, named) = try call.usage(of: messages)
            #expect(named.isEmpty || named == call.model)
            let (provider, model) = (Array(call.provider.utf8), Array(call.model.utf8))
            let cost = book.cost(of: usage, provider: unsafe provider.span.bytes, model: unsafe model.span.bytes, at: call.time)
            let usd = try #require(cost.usd)
            let difference = usd < USD(call.expected)! ? USD(call.expected)! - usd : usd - USD(call.expected)!
            #expect(difference <= CostCase.tolerance, "\(usd) is not \(call.expected)")
            #expect(cost.source == .catalogue)
        }
    }

    @Test func `has all of its reference cases`() {
        #expect(CostCase.all.count == 102)
    }
}
