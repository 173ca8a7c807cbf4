public import Tracing

/// What one call consumed, in counts that do not overlap: their sum is the call, each has one rate in the price list.
///
/// Providers count in overlapping ways (cached inside the prompt or beside it, reasoning inside the answer or beside it); the
/// readers of this folder settle that, so that pricing, totals and `gen_ai.usage.*` all start from here. A fixed-size value.
public struct Usage: Sendable, Hashable {
    // What the model read, in tokens.

    /// Text, neither cached nor written to a cache.
    public var input: Int64 = 0
    public var audioInput: Int64 = 0
    public var imageInput: Int64 = 0
    public var videoInput: Int64 = 0
    /// Served from a cache: text, and every modality that has no counter of its own.
    public var cacheRead: Int64 = 0
    public var audioCacheRead: Int64 = 0
    public var imageCacheRead: Int64 = 0
    /// Written to a cache with the provider's shortest lifetime (5 minutes at Anthropic, 30 at OpenAI), or an unknown one.
    public var cacheWrite5m: Int64 = 0
    public var cacheWrite1h: Int64 = 0
    public var cacheWrite12h: Int64 = 0
    /// Results of built-in tools that the model read (Gemini counts them outside the prompt).
    public var toolUsePrompt: Int64 = 0
    /// Search results that the model read (Perplexity).
    public var citation: Int64 = 0

    // What it wrote, in tokens.

    /// Visible text; rejected predictions included.
    public var output: Int64 = 0
    public var reasoning: Int64 = 0
    public var audioOutput: Int64 = 0
    public var imageOutput: Int64 = 0
    public var videoOutput: Int64 = 0

    // What is billed by the piece.

    public var webSearches: Int64 = 0
    public var webFetches: Int64 = 0
    public var fileSearches: Int64 = 0
    public var mapsQueries: Int64 = 0
    public var rerankSearches: Int64 = 0
    public var pages: Int64 = 0
    public var annotatedPages: Int64 = 0
    /// Characters turned into speech.
    public var characters: Int64 = 0
    /// Length of the audio transcribed, where the provider bills by time.
    public var audioMilliseconds: Int64 = 0

    // What decides the rate.

    /// The service tier of the *answer*, as a price list.
    public var variant: PriceVariant = .standard
    public var region: ProcessingRegion = .global
    public var searchContext: SearchContextSize = .low

    /// What the answer said the call cost (OpenRouter, Perplexity, xAI).
    public var providerCost: USD?
    /// Which counters were there at all: a counter that was not is unknown, not zero.
    public var reported: Reported = []

    public struct Reported: OptionSet, Sendable, Hashable {
        public let rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        public static let input = Reported(rawValue: 1)
        public static let output = Reported(rawValue: 2)
        public static let cacheRead = Reported(rawValue: 4)
        public static let cacheWrite = Reported(rawValue: 8)
        public static let reasoning = Reported(rawValue: 16)
        /// Pages, seconds, characters, searches: a bill without tokens.
        public static let events = Reported(rawValue: 32)
    }

    public init() {}

    /// Whether the provider said anything that can be counted.
    public var isKnown: Bool { !reported.isDisjoint(with: [.input, .output, .events]) }

    /// All prompt tokens of the call, cached and cache-written ones included: what long-prompt prices go by.
    public var promptLength: Int64 {
        input + audioInput + imageInput + videoInput + cacheRead + audioCacheRead + imageCacheRead + cacheWrite5m + cacheWrite1h + cacheWrite12h
            + toolUsePrompt
    }

    /// The counts as spans, runs and metrics carry them: input with everything read, output with reasoning; -1 is unknown.
    public var tokens: TokenCounts {
        var tokens = TokenCounts()
        if reported.contains(.input) { tokens.input = promptLength + citation }
        if reported.contains(.output) { tokens.output = output + reasoning + audioOutput + imageOutput + videoOutput }
        if reported.contains(.cacheRead) { tokens.cacheRead = cacheRead + audioCacheRead + imageCacheRead }
        if reported.contains(.cacheWrite) { tokens.cacheWrite = cacheWrite5m + cacheWrite1h + cacheWrite12h }
        if reported.contains(.reasoning) { tokens.reasoning = reasoning }
        return tokens
    }

    /// Adds the counts of another pass of the same call; tier, region and money stay.
    public mutating func add(_ other: Usage) {
        input += other.input
        audioInput += other.audioInput
        imageInput += other.imageInput
        videoInput += other.videoInput
        cacheRead += other.cacheRead
        audioCacheRead += other.audioCacheRead
        imageCacheRead += other.imageCacheRead
        cacheWrite5m += other.cacheWrite5m
        cacheWrite1h += other.cacheWrite1h
        cacheWrite12h += other.cacheWrite12h
        toolUsePrompt += other.toolUsePrompt
        citation += other.citation
        output += other.output
        reasoning += other.reasoning
        audioOutput += other.audioOutput
        imageOutput += other.imageOutput
        videoOutput += other.videoOutput
        reported.formUnion(other.reported)
    }
}
