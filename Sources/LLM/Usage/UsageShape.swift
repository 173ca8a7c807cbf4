/// How a provider's answers count, as the catalogue names it (`usage` of a provider).
public enum UsageShape: UInt8, Sendable, Hashable, CaseIterable {
    case openai, xai, perplexity, anthropic, gemini, bedrock, cohere

    /// How the provider's OpenAI-shaped answers count.
    public var convention: OpenAIUsage.Convention {
        switch self {
        case .xai: .xai
        case .perplexity: .perplexity
        case .openai, .anthropic, .gemini, .bedrock, .cohere: .openai
        }
    }
}
