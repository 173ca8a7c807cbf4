public import Tracing

extension Configuration {
    /// What a model's tokens cost.
    public struct ModelPrice: Sendable, Hashable {
        public var model = ""
        /// US dollars per million tokens, exact; `input` is always there.
        public var rates: [Rate: USD] = [:]

        public init() {}

        public subscript(rate: Rate) -> USD? {
            get { rates[rate] }
            set { rates[rate] = newValue }
        }
    }

    /// A kind of token with a price of its own; the raw value is the key, here and in the price catalogue.
    public enum Rate: String, Sendable, CaseIterable {
        case input, output
        case cacheRead = "cache_read"
        case cacheWrite5m = "cache_write_5m"
        case cacheWrite1h = "cache_write_1h"
        case cacheWrite12h = "cache_write_12h"
        case reasoning, citation
        case audioIn = "audio_in"
        case audioOut = "audio_out"
        case audioCacheRead = "audio_cache_read"
        case imageIn = "image_in"
        case imageOut = "image_out"
        case imageCacheRead = "image_cache_read"
        case videoIn = "video_in"
        case videoOut = "video_out"
    }
}

extension Configuration.ModelPrice {
    static let form = Form<Self>.section(
        "a mapping with input and output",
        Configuration.Rate.allCases.map { rate in
            Field(rate.rawValue, \.[rate], Form.usd.optional, required: rate == .input, example: rate.example, rate.meaning)
        }, defaults: Self())
}

extension Configuration.Rate {
    fileprivate var meaning: String {
        switch self {
        case .input: "Prompt tokens."
        case .output: "Completion tokens; left out for embeddings."
        case .cacheRead: "Prompt tokens served from a cache. Default: input."
        case .cacheWrite5m: "Prompt tokens written to a cache with the shortest lifetime. Default: input."
        case .cacheWrite1h: "The same with a lifetime of an hour. Default: cache_write_5m."
        case .cacheWrite12h: "The same with a lifetime of twelve hours. Default: cache_write_5m."
        case .reasoning: "Reasoning tokens. Default: output."
        case .citation: "Citation tokens. Default: output."
        case .audioIn: "Audio tokens of the prompt. Default: input."
        case .audioOut: "Audio tokens of the completion. Default: output."
        case .audioCacheRead: "Audio tokens served from a cache. Default: cache_read."
        case .imageIn: "Image tokens of the prompt. Default: input."
        case .imageOut: "Image tokens of the completion. Default: output."
        case .imageCacheRead: "Image tokens served from a cache. Default: cache_read."
        case .videoIn: "Video tokens of the prompt. Default: input."
        case .videoOut: "Video tokens of the completion. Default: output."
        }
    }

    fileprivate var example: String {
        switch self {
        case .output, .reasoning, .citation: "\"0.20\""
        case .audioOut, .imageOut, .videoOut: "\"0.40\""
        case .cacheRead, .audioCacheRead, .imageCacheRead: "\"0.01\""
        default: "\"0.10\""
        }
    }
}

extension Form where Value == USD {
    /// An amount per million tokens: exact per token, so at most 14 decimals.
    static var usd: Form {
        .scalar(
            "a price", expected: "US dollars per million tokens, such as \"0.15\"",
            parse: { (text) throws(Wrong) in
                guard let amount = USD(text), text.first != "-", text.first != "." else { throw Wrong() }
                guard amount.units % 1_000_000 == 0 else { throw Wrong(problem: "\(quoted(text)) has more than 14 decimals") }
                guard amount <= USD("1000000")! else { throw Wrong(problem: "\(quoted(text)) is more than a dollar a token") }
                return amount
            }, write: { .text($0.description) })
    }
}
