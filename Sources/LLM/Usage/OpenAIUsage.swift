public import JSON
import Tracing

/// The usage object of OpenAI and of everything that copies it: Chat Completions, Responses, Realtime, Embeddings, Images,
/// transcription; Azure, Mistral, Groq, DeepSeek, Moonshot, OpenRouter, xAI, Perplexity and the rest.
///
/// `read` overwrites what it finds, so a stream that repeats its totals ends with the last ones; `usage` settles overlaps.
public struct OpenAIUsage: Sendable, Hashable {
    /// Where this copy of the shape parts from OpenAI's meaning.
    public enum Convention: UInt8, Sendable, Hashable { case openai, xai, perplexity }

    public var convention: Convention

    // As reported; -1 was not there. Names of Chat Completions; Responses says input and output.
    var prompt: Int64 = -1
    var completion: Int64 = -1
    var total: Int64 = -1
    var cached: Int64 = -1
    /// The same, said elsewhere; never to be added.
    var cacheHits: Int64 = -1
    var cachedAudio: Int64 = 0
    var cachedImage: Int64 = 0
    var cacheWrite: Int64 = -1
    var cacheWrite12h: Int64 = 0
    var promptAudio: Int64 = 0
    var promptImage: Int64 = 0
    var reasoning: Int64 = -1
    var completionAudio: Int64 = 0
    var completionImage: Int64 = 0
    var citation: Int64 = 0
    var searches: Int64 = -1
    var pages: Int64 = -1
    var annotatedPages: Int64 = -1
    var milliseconds: Int64 = -1
    var searchContext = SearchContextSize.low
    /// The answer says `prompt_tokens`, as Chat Completions do, and not `input_tokens`.
    var isChat = false
    var cost: USD?

    /// `service_tier` of the answer, which stands outside the usage object.
    public var variant: PriceVariant = .standard
    /// `tool_usage` of a Responses answer, or web search calls counted in its output.
    public var webSearches: Int64 = 0
    public var fileSearches: Int64 = 0

    public init(_ convention: Convention = .openai) { self.convention = convention }

    /// Reads the pending value if it is an object; `null`, as in all but the last chunk of a stream, says nothing.
    @_lifetime(reader: copy reader)
    public mutating func read(_ reader: inout JSONReader) throws(JSONError) {
        guard try reader.enterObject() else { return }
        while let key = try reader.nextMember() {
            if key.is("prompt_tokens") {
                try reader.counter(&prompt)
                isChat = true
            } else if key.is("completion_tokens") {
                try reader.counter(&completion)
            } else if key.is("total_tokens") {
                try reader.counter(&total)
            } else if key.is("prompt_tokens_details") || key.is("input_tokens_details") || key.is("input_token_details") {
                try readPromptDetails(&reader)
            } else if key.is("completion_tokens_details") || key.is("output_tokens_details") || key.is("output_token_details") {
                try readCompletionDetails(&reader)
            } else if key.is("input_tokens") {
                try reader.counter(&prompt)
            } else if key.is("output_tokens") {
                try reader.counter(&completion)
            } else {
                try readOther(key, &reader)
            }
        }
    }

    /// What only some of the copies have.
    @_lifetime(reader: copy reader)
    private mutating func readOther(_ key: borrowing JSONString, _ reader: inout JSONReader) throws(JSONError) {
        if key.is("prompt_cache_hit_tokens") || key.is("cached_tokens") {  // DeepSeek; Moonshot
            try reader.counter(&cacheHits)
        } else if key.is("reasoning_tokens") {
            try reader.counter(&reasoning)
        } else if key.is("citation_tokens") {
            try reader.counter(&citation)
        } else if key.is("num_search_queries") {
            try reader.counter(&searches)
        } else if key.is("search_context_size") {
            if let size = try reader.string() {
                searchContext = size.is("high") ? .high : size.is("medium") ? .medium : .low
            }
        } else if key.is("cost") {
            try readCost(&reader)
        } else if key.is("cost_in_usd_ticks") {  // 1e10 to the dollar (xAI, Cost Tracking)
            if let ticks = try reader.int64(), ticks >= 0 { cost = USD(units: Int128(ticks) * 10_000_000_000) }
        } else if key.is("seconds") || key.is("prompt_audio_seconds") {  // OpenAI and Mistral transcription
            if let seconds = try reader.double(), seconds >= 0, seconds < 1e9 { milliseconds = Int64((seconds * 1000).rounded()) }
        } else if key.is("pages_processed") {  // Mistral OCR
            try reader.counter(&pages)
        } else if key.is("pages_processed_annotation") {
            try reader.counter(&annotatedPages)
        }
    }

    @_lifetime(reader: copy reader)
    private mutating func readPromptDetails(_ reader: inout JSONReader) throws(JSONError) {
        guard try reader.enterObject() else { return }
        while let key = try reader.nextMember() {
            if key.is("cached_tokens") {
                try reader.counter(&cached)
            } else if key.is("cache_write_tokens") || key.is("cache_creation_input_tokens") {  // the second: DashScope
                try reader.counter(&cacheWrite)
            } else if key.is("audio_tokens") {
                try reader.counter(&promptAudio)
            } else if key.is("image_tokens") {
                try reader.counter(&promptImage)
            } else if key.is("cached_tokens_details") {
                guard try reader.enterObject() else { continue }
                while let key = try reader.nextMember() {
                    if key.is("audio_tokens") {
                        try reader.counter(&cachedAudio)
                    } else if key.is("image_tokens") {
                        try reader.counter(&cachedImage)
                    }
                }
            } else if key.is("cache_write_tokens_details") {
                guard try reader.enterObject() else { continue }
                while let key = try reader.nextMember() {
                    if key.is("ttl_12h_tokens") { try reader.counter(&cacheWrite12h) }
                }
            }
        }
    }

    @_lifetime(reader: copy reader)
    private mutating func readCompletionDetails(_ reader: inout JSONReader) throws(JSONError) {
        guard try reader.enterObject() else { return }
        while let key = try reader.nextMember() {
            if key.is("reasoning_tokens") {
                try reader.counter(&reasoning)
            } else if key.is("audio_tokens") {
                try reader.counter(&completionAudio)
            } else if key.is("image_tokens") {
                try reader.counter(&completionImage)
            }
        }
    }

    /// `tool_usage` of a Responses answer, beside its usage.
    @_lifetime(reader: copy reader)
    public mutating func readToolUsage(_ reader: inout JSONReader) throws(JSONError) {
        guard try reader.enterObject() else { return }
        while let key = try reader.nextMember() {
            let isWeb = key.is("web_search")
            guard isWeb || key.is("file_search"), try reader.enterObject() else { continue }
            while let key = try reader.nextMember() {
                guard key.is("num_requests") else { continue }
                if isWeb { try reader.counter(&webSearches) } else { try reader.counter(&fileSearches) }
            }
        }
    }

    /// OpenRouter: dollars. Perplexity: an object that holds them.
    @_lifetime(reader: copy reader)
    private mutating func readCost(_ reader: inout JSONReader) throws(JSONError) {
        if try reader.enterObject() {
            while let key = try reader.nextMember() {
                if key.is("total_cost"), let number = try reader.number() { cost = USD(number) ?? cost }
            }
        } else if let number = try reader.number() {
            cost = USD(number) ?? cost
        }
    }

    /// The counts as they are now, settled.
    public var usage: Usage {
        var usage = Usage()
        settle(into: &usage)
        return usage
    }

    /// Sets the same in a fresh value, which is large enough to be worth filling in place.
    func settle(into usage: inout Usage) {
        usage.variant = variant
        usage.searchContext = searchContext
        usage.webSearches = max(webSearches, searches)
        usage.fileSearches = fileSearches
        usage.providerCost = cost
        usage.pages = max(pages, 0)
        usage.annotatedPages = max(annotatedPages, 0)
        usage.audioMilliseconds = max(milliseconds, 0)
        if pages >= 0 || annotatedPages >= 0 || milliseconds >= 0 { usage.reported.insert(.events) }
        settlePrompt(&usage)
        settleCompletion(&usage)
    }

    /// The prompt holds cached, cache-written, audio and image tokens; cached audio is in both of its counters.
    private func settlePrompt(_ usage: inout Usage) {
        // Voyage and Jina say the total only.
        var rest = prompt >= 0 ? prompt : total >= 0 ? max(total - max(completion, 0), 0) : -1
        guard rest >= 0 else { return }
        usage.reported.insert(.input)
        let hits = cached >= 0 ? cached : cacheHits
        if hits >= 0 { usage.reported.insert(.cacheRead) }
        if cacheWrite >= 0 { usage.reported.insert(.cacheWrite) }
        var cached = rest.carve(hits)
        var written = rest.carve(cacheWrite)
        usage.audioCacheRead = cached.carve(cachedAudio)
        usage.imageCacheRead = cached.carve(cachedImage)
        usage.cacheRead = cached
        usage.cacheWrite12h = written.carve(cacheWrite12h)
        usage.cacheWrite5m = written
        usage.audioInput = rest.carve(promptAudio - usage.audioCacheRead)
        usage.imageInput = rest.carve(promptImage - usage.imageCacheRead)
        usage.input = rest
        usage.citation = citation
    }

    /// The completion holds reasoning, audio and image tokens, except where `isReasoningOutside`.
    private func settleCompletion(_ usage: inout Usage) {
        guard completion >= 0 else { return }
        usage.reported.insert(.output)
        if reasoning >= 0 { usage.reported.insert(.reasoning) }
        var rest = completion
        if isReasoningOutside {
            usage.reasoning = reasoning
        } else {
            usage.reasoning = rest.carve(reasoning)
        }
        usage.audioOutput = rest.carve(completionAudio)
        usage.imageOutput = rest.carve(completionImage)
        usage.output = rest
    }

    private var isReasoningOutside: Bool {
        guard reasoning > 0 else { return false }
        switch convention {
        case .perplexity: return true
        case .openai, .xai:
            if total >= 0 { return total == max(prompt, 0) + completion + reasoning }
            return convention == .xai && isChat
        }
    }
}
