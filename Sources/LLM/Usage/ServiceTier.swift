public import JSON

/// Which of a model's price lists a call goes by: the names of `variants` in the catalogue.
public enum PriceVariant: UInt8, Sendable, Hashable, CaseIterable {
    case standard, batch, flex, priority, fast, ultrafast, balanced, decisions
    /// A tier that no list is known for: the standard list, and the cost is an estimate.
    case unlisted

    public var name: StaticString {
        switch self {
        case .standard: "standard"
        case .batch: "batch"
        case .flex: "flex"
        case .priority: "priority"
        case .fast: "fast"
        case .ultrafast: "ultrafast"
        case .balanced: "balanced"
        case .decisions: "decisions"
        case .unlisted: "unlisted"
        }
    }

    /// `service_tier` of an OpenAI-shaped answer, `serviceTier.type` of Bedrock's, Gemini's `x-gemini-service-tier`.
    public init(serviceTier word: borrowing JSONString) {
        // Nearly always.
        if word.is("default") { self = .standard } else { self.init(serviceTier: word.raw) }
    }

    /// The same as a field's value.
    public init(serviceTier word: RawSpan) {
        if word.equals("default") || word.equals("standard") || word.equals("auto") || word.byteCount == 0 {
            self = .standard
        } else if word.equals("flex") || word.equals("FLEX") {
            self = .flex
        } else if word.equals("priority") || word.equals("PRIORITY") {
            self = .priority
        } else if word.equals("batch") || word.equals("BATCH") {
            self = .batch
        } else if word.equals("fast") {
            self = .fast
        } else if word.equals("ultrafast") {
            self = .ultrafast
        } else if word.equals("balanced") {
            self = .balanced
        } else if word.equals("scale") || word.equals("reserved") || word.equals("on_demand") || word.equals("performance") || word.equals("STANDARD") || word.equals("SERVICE_TIER_UNSPECIFIED") {
            self = .standard  // commitments and other words for the same rates
        } else {
            self = .unlisted
        }
    }

    /// `usageMetadata.trafficType` of Vertex.
    public init(trafficType word: borrowing JSONString) {
        if word.is("ON_DEMAND_PRIORITY") {
            self = .priority
        } else if word.is("ON_DEMAND_FLEX") {
            self = .flex
        } else {
            self = .standard
        }
    }
}

/// Where a call was processed, as far as prices know places: the keys of `regional` in the catalogue.
public enum ProcessingRegion: UInt8, Sendable, Hashable {
    case global, us, eu
    /// Pinned to some other place.
    case other
}

/// `search_context_size` of Perplexity.
public enum SearchContextSize: UInt8, Sendable, Hashable {
    case low, medium, high
}
