public import JSON

/// `usageMetadata` of Gemini, on AI Studio and Vertex.
///
/// The prompt holds cached tokens; thoughts and tool-use prompts stand outside both other counts. Every chunk of a stream
/// repeats running totals, so the last word on each counter is kept. Counters that are zero are often left out.
public struct GeminiUsage: Sendable, Hashable {
    // As reported; -1 was not there.
    var prompt: Int64 = -1
    var cached: Int64 = -1
    var candidates: Int64 = -1
    var thoughts: Int64 = -1
    var toolUsePrompt: Int64 = -1
    var total: Int64 = -1
    var inPrompt = Modalities()
    var inCache = Modalities()
    var inCandidates = Modalities()

    /// `trafficType` (Vertex) or `serviceTier`; AI Studio says it in the header `x-gemini-service-tier` as well.
    public var variant: PriceVariant = .standard
    /// Pinned to a location other than `global`: known from the request's path (Vertex).
    public var region: ProcessingRegion = .global
    /// Counted in `groundingMetadata`, which stands outside `usageMetadata`.
    public var webSearches: Int64 = 0
    public var mapsQueries: Int64 = 0

    /// A `*TokensDetails` list; text and documents are what is left.
    struct Modalities: Sendable, Hashable {
        var audio: Int64 = 0
        var image: Int64 = 0
        var video: Int64 = 0
    }

    public init() {}

    /// Reads the pending value if it is an object.
    @_lifetime(reader: copy reader)
    public mutating func read(_ reader: inout JSONReader) throws(JSONError) {
        guard try reader.enterObject() else { return }
        while let key = try reader.nextMember() {
            if key.is("promptTokenCount") {
                try reader.counter(&prompt)
            } else if key.is("cachedContentTokenCount") {
                try reader.counter(&cached)
            } else if key.is("candidatesTokenCount") || key.is("responseTokenCount") {  // the second: Live API
                try reader.counter(&candidates)
            } else if key.is("thoughtsTokenCount") {
                try reader.counter(&thoughts)
            } else if key.is("toolUsePromptTokenCount") {
                try reader.counter(&toolUsePrompt)
            } else if key.is("totalTokenCount") {
                try reader.counter(&total)
            } else if key.is("promptTokensDetails") {
                try Self.read(&inPrompt, &reader)
            } else if key.is("cacheTokensDetails") {
                try Self.read(&inCache, &reader)
            } else if key.is("candidatesTokensDetails") || key.is("responseTokensDetails") {
                try Self.read(&inCandidates, &reader)
            } else if key.is("trafficType") {
                if let word = try reader.string() { variant = PriceVariant(trafficType: word) }
            } else if key.is("serviceTier") {
                if let word = try reader.string() { variant = PriceVariant(serviceTier: word) }
            }
        }
    }

    /// `[{"modality":"AUDIO","tokenCount":12}, …]`; replaces what was there.
    @_lifetime(reader: copy reader)
    private static func read(_ modalities: inout Modalities, _ reader: inout JSONReader) throws(JSONError) {
        guard try reader.enterArray() else { return }
        modalities = Modalities()
        while try reader.nextElement() {
            guard try reader.enterObject() else { continue }
            var count: Int64 = 0
            var (isAudio, isImage, isVideo) = (false, false, false)
            while let key = try reader.nextMember() {
                if key.is("modality"), let word = try reader.string() {
                    (isAudio, isImage, isVideo) = (word.is("AUDIO"), word.is("IMAGE"), word.is("VIDEO"))
                } else if key.is("tokenCount") {
                    try reader.counter(&count)
                }
            }
            if isAudio { modalities.audio += count }
            if isImage { modalities.image += count }
            if isVideo { modalities.video += count }
        }
    }

    /// The counts as they are now, settled.
    public var usage: Usage {
        var usage = Usage()
        usage.variant = variant
        usage.region = region
        usage.webSearches = webSearches
        usage.mapsQueries = mapsQueries
        if prompt >= 0 {
            usage.reported.insert(.input)
            if cached >= 0 { usage.reported.insert(.cacheRead) }
            var rest = prompt
            var cached = rest.carve(cached)
            usage.audioCacheRead = cached.carve(inCache.audio)
            usage.imageCacheRead = cached.carve(inCache.image)
            usage.cacheRead = cached
            usage.audioInput = rest.carve(inPrompt.audio - usage.audioCacheRead)
            usage.imageInput = rest.carve(inPrompt.image - usage.imageCacheRead)
            usage.videoInput = rest.carve(inPrompt.video - inCache.video)
            usage.input = rest
            usage.toolUsePrompt = max(toolUsePrompt, 0)
        }
        if candidates >= 0 || thoughts >= 0 || total >= 0 && prompt >= 0 {
            usage.reported.insert(.output)
            if thoughts >= 0 { usage.reported.insert(.reasoning) }
            var rest = max(candidates, 0)
            // Where the total is reached without the thoughts, the candidates hold them already.
            if thoughts > 0, total >= 0, max(prompt, 0) + rest + max(toolUsePrompt, 0) == total {
                usage.reasoning = rest.carve(thoughts)
            } else {
                usage.reasoning = max(thoughts, 0)
            }
            usage.audioOutput = rest.carve(inCandidates.audio)
            usage.imageOutput = rest.carve(inCandidates.image)
            usage.videoOutput = rest.carve(inCandidates.video)
            usage.output = rest
        }
        return usage
    }
}
