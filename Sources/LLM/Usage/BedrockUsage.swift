public import JSON

/// `usage` of Bedrock Converse, and `amazon-bedrock-invocationMetrics` of InvokeModel streams.
///
/// `inputTokens` leaves out what was read from and written to a cache.
public struct BedrockUsage: Sendable, Hashable {
    // As reported, -1 was not there; public because InvokeModel says them in headers (`X-Amzn-Bedrock-Input-Token-Count`, …).
    public var input: Int64 = -1
    public var output: Int64 = -1
    public var cacheRead: Int64 = -1
    public var cacheWrite: Int64 = -1
    var write1h: Int64 = 0
    var write12h: Int64 = 0

    /// `serviceTier.type` of the answer.
    public var variant: PriceVariant = .standard
    public var region: ProcessingRegion = .global

    public init() {}

    /// Reads the pending value if it is an object.
    @_lifetime(reader: copy reader)
    public mutating func read(_ reader: inout JSONReader) throws(JSONError) {
        guard try reader.enterObject() else { return }
        while let key = try reader.nextMember() {
            if key.is("inputTokens") || key.is("inputTokenCount") {
                try reader.counter(&input)
            } else if key.is("outputTokens") || key.is("outputTokenCount") {
                try reader.counter(&output)
            } else if key.is("cacheReadInputTokens") || key.is("cacheReadInputTokenCount") {
                try reader.counter(&cacheRead)
            } else if key.is("cacheWriteInputTokens") || key.is("cacheWriteInputTokenCount") {
                try reader.counter(&cacheWrite)
            } else if key.is("cacheDetails") {
                try readCacheDetails(&reader)
            }
        }
    }

    /// `[{"ttl":"1h","inputTokens":477}, …]`: the writes by lifetime.
    @_lifetime(reader: copy reader)
    private mutating func readCacheDetails(_ reader: inout JSONReader) throws(JSONError) {
        guard try reader.enterArray() else { return }
        (write1h, write12h) = (0, 0)
        var sum: Int64 = 0
        while try reader.nextElement() {
            guard try reader.enterObject() else { continue }
            var count: Int64 = 0
            var hours = 0
            while let key = try reader.nextMember() {
                if key.is("ttl"), let ttl = try reader.string() {
                    hours = ttl.is("1h") ? 1 : ttl.is("12h") ? 12 : 0
                } else if key.is("inputTokens") {
                    try reader.counter(&count)
                }
            }
            sum += count
            if hours == 1 { write1h += count }
            if hours == 12 { write12h += count }
        }
        if cacheWrite < 0 { cacheWrite = sum }
    }

    public var usage: Usage {
        var usage = Usage()
        usage.variant = variant
        usage.region = region
        if input >= 0 {
            usage.reported.insert(.input)
            usage.input = input
        }
        if output >= 0 {
            usage.reported.insert(.output)
            usage.output = output
        }
        if cacheRead >= 0 {
            usage.reported.insert(.cacheRead)
            usage.cacheRead = cacheRead
        }
        if cacheWrite >= 0 {
            usage.reported.insert(.cacheWrite)
            var rest = cacheWrite
            usage.cacheWrite1h = rest.carve(write1h)
            usage.cacheWrite12h = rest.carve(write12h)
            usage.cacheWrite5m = rest
        }
        return usage
    }
}
