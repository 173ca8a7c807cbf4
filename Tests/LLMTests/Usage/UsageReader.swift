import JSON
import LLM

/// Reads the usage of one answer, whatever its shape; for those who learn the shape at run time. Where it is known, use the
/// shape's own type.
struct UsageReader: Sendable {
    let shape: UsageShape
    private var openai = OpenAIUsage()
    private var anthropic = AnthropicUsage()
    private var gemini = GeminiUsage()
    private var bedrock = BedrockUsage()
    private var cohere = CohereUsage()

    init(_ shape: UsageShape) {
        self.shape = shape
        openai.convention = shape.convention
    }

    /// Reads the pending value, a usage object; anything else says nothing. For each event of a stream that has one.
    @_lifetime(reader: copy reader)
    mutating func read(_ reader: inout JSONReader) throws(JSONError) {
        switch shape {
        case .openai, .xai, .perplexity: try openai.read(&reader)
        case .anthropic: try anthropic.read(&reader)
        case .gemini: try gemini.read(&reader)
        case .bedrock: try bedrock.read(&reader)
        case .cohere: try cohere.read(&reader)
        }
    }

    /// The counts as they are now, settled.
    var usage: Usage {
        switch shape {
        case .openai, .xai, .perplexity: openai.usage
        case .anthropic: anthropic.usage
        case .gemini: gemini.usage
        case .bedrock: bedrock.usage
        case .cohere: cohere.usage
        }
    }

    /// The passes of an Anthropic call that took several; empty as a rule.
    var iterations: [AnthropicUsage.Iteration] { anthropic.iterations }
}
