public import JSON

/// The usage object of Anthropic Messages, also on Vertex (`rawPredict`) and Bedrock (`InvokeModel`).
///
/// `input_tokens` leaves out both cache counts. In a stream, start with `message_start` and let each `message_delta` overwrite
/// the counters it has: they are running totals, never to be added. `read` does just that.
public struct AnthropicUsage: Sendable, Hashable {
    // As reported; -1 was not there.
    var input: Int64 = -1
    var output: Int64 = -1
    var cacheCreation: Int64 = -1
    var cacheRead: Int64 = -1
    var write5m: Int64 = -1
    var write1h: Int64 = -1
    var thinking: Int64 = -1
    var webSearches: Int64 = 0
    var webFetches: Int64 = 0
    var isBatch = false
    var isFast = false
    var region = ProcessingRegion.global

    /// The passes of a call that took several (beta compaction, advisor, fallback); empty as a rule. The call is their sum.
    public private(set) var iterations: [Iteration] = []

    /// One pass: with counters of its own, and sometimes a model of its own.
    public struct Iteration: Sendable, Hashable {
        public var model: String?
        public var usage: Usage
    }

    public init() {}

    /// Reads the pending value if it is an object.
    @_lifetime(reader: copy reader)
    public mutating func read(_ reader: inout JSONReader) throws(JSONError) {
        guard try reader.enterObject() else { return }
        while let key = try reader.nextMember() {
            if key.is("iterations") {
                try readIterations(&reader)
            } else {
                try readMember(key, &reader)
            }
        }
    }

    @_lifetime(reader: copy reader)
    private mutating func readMember(_ key: borrowing JSONString, _ reader: inout JSONReader) throws(JSONError) {
        if key.is("input_tokens") {
            try reader.counter(&input)
        } else if key.is("output_tokens") {
            try reader.counter(&output)
        } else if key.is("cache_creation_input_tokens") {
            try reader.counter(&cacheCreation)
        } else if key.is("cache_read_input_tokens") {
            try reader.counter(&cacheRead)
        } else if key.is("cache_creation") {
            guard try reader.enterObject() else { return }
            while let key = try reader.nextMember() {
                if key.is("ephemeral_5m_input_tokens") {
                    try reader.counter(&write5m)
                } else if key.is("ephemeral_1h_input_tokens") {
                    try reader.counter(&write1h)
                }
            }
        } else if key.is("output_tokens_details") {
            guard try reader.enterObject() else { return }
            while let key = try reader.nextMember() {
                if key.is("thinking_tokens") { try reader.counter(&thinking) }
            }
        } else if key.is("server_tool_use") {
            guard try reader.enterObject() else { return }
            while let key = try reader.nextMember() {
                if key.is("web_search_requests") {
                    try reader.counter(&webSearches)
                } else if key.is("web_fetch_requests") {
                    try reader.counter(&webFetches)
                }
            }
        } else if key.is("service_tier") {
            // `priority` is a commitment, not a rate.
            if let tier = try reader.string() { isBatch = tier.is("batch") }
        } else if key.is("speed") {
            if let speed = try reader.string() { isFast = speed.is("fast") }
        } else if key.is("inference_geo") {
            // Where it says nothing of use, what the path said stays (Vertex).
            if let place = try reader.string() { region = place.is("us") ? .us : place.is("eu") ? .eu : place.is("global") ? .global : region }
        }
    }

    @_lifetime(reader: copy reader)
    private mutating func readIterations(_ reader: inout JSONReader) throws(JSONError) {
        guard try reader.enterArray() else { return }
        iterations.removeAll()
        while try reader.nextElement() {
            guard try reader.enterObject() else { continue }
            var pass = AnthropicUsage()
            var model: String?
            while let key = try reader.nextMember() {
                if key.is("model") {
                    if let name = try reader.string() { model = String(name) }
                } else {
                    try pass.readMember(key, &reader)
                }
            }
            // A call has a few passes; the bound is against an answer that is nothing but passes.
            if pass.counts.isKnown, iterations.count < 1000 { iterations.append(Iteration(model: model, usage: pass.counts)) }
        }
    }

    /// The counts as they are now: of the passes together, where there are any.
    public var usage: Usage {
        guard !iterations.isEmpty else { return counts }
        var sum = Usage()
        for iteration in iterations { sum.add(iteration.usage) }
        let whole = counts
        (sum.variant, sum.region) = (whole.variant, whole.region)
        (sum.webSearches, sum.webFetches) = (whole.webSearches, whole.webFetches)
        return sum
    }

    private var counts: Usage {
        var usage = Usage()
        usage.variant = isBatch ? .batch : isFast ? .fast : .standard
        usage.region = region
        usage.webSearches = webSearches
        usage.webFetches = webFetches
        if input >= 0 {
            usage.reported.insert(.input)
            usage.input = input
        }
        if cacheRead >= 0 {
            usage.reported.insert(.cacheRead)
            usage.cacheRead = cacheRead
        }
        if cacheCreation >= 0 || write5m >= 0 || write1h >= 0 {
            usage.reported.insert(.cacheWrite)
            // What the split by lifetime does not name was written for five minutes.
            var rest = cacheCreation >= 0 ? cacheCreation : max(write5m, 0) + max(write1h, 0)
            usage.cacheWrite1h = rest.carve(write1h)
            usage.cacheWrite5m = rest
        }
        if output >= 0 {
            usage.reported.insert(.output)
            if thinking >= 0 { usage.reported.insert(.reasoning) }
            var rest = output
            usage.reasoning = rest.carve(thinking)
            usage.output = rest
        }
        return usage
    }
}
