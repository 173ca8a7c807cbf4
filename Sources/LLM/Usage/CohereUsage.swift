public import JSON

/// `usage` of Cohere chat, and `meta` of its embed and rerank: `billed_units` is the bill, `tokens` also counts a hidden template
/// and is only taken where there is no bill.
public struct CohereUsage: Sendable, Hashable {
    // As reported; -1 was not there.
    var input: Int64 = -1
    var output: Int64 = -1
    var searches: Int64 = -1
    var images: Int64 = -1
    var unbilledInput: Int64 = -1
    var unbilledOutput: Int64 = -1
    var cached: Int64 = -1

    public init() {}

    /// Reads the pending value if it is an object.
    @_lifetime(reader: copy reader)
    public mutating func read(_ reader: inout JSONReader) throws(JSONError) {
        guard try reader.enterObject() else { return }
        while let key = try reader.nextMember() {
            if key.is("billed_units"), try reader.enterObject() {
                while let key = try reader.nextMember() {
                    if key.is("input_tokens") {
                        try reader.counter(&input)
                    } else if key.is("output_tokens") {
                        try reader.counter(&output)
                    } else if key.is("search_units") {
                        try reader.counter(&searches)
                    } else if key.is("image_tokens") {
                        try reader.counter(&images)
                    }
                }
            } else if key.is("tokens"), try reader.enterObject() {
                while let key = try reader.nextMember() {
                    if key.is("input_tokens") {
                        try reader.counter(&unbilledInput)
                    } else if key.is("output_tokens") {
                        try reader.counter(&unbilledOutput)
                    }
                }
            } else if key.is("cached_tokens") {
                try reader.counter(&cached)
            }
        }
    }

    public var usage: Usage {
        var usage = Usage()
        let read = input >= 0 ? input : searches >= 0 || images >= 0 ? -1 : unbilledInput
        let written = output >= 0 ? output : unbilledOutput
        if read >= 0 {
            usage.reported.insert(.input)
            if cached >= 0 { usage.reported.insert(.cacheRead) }
            var rest = read
            usage.cacheRead = rest.carve(cached)
            usage.input = rest
        }
        if images >= 0 {
            usage.reported.insert(.input)
            usage.imageInput = images
        }
        if written >= 0 {
            usage.reported.insert(.output)
            usage.output = written
        }
        if searches >= 0 {
            usage.reported.insert(.events)
            usage.rerankSearches = searches
        }
        return usage
    }
}
