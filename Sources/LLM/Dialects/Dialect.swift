/// The family of APIs that a provider speaks.
public enum Dialect: UInt8, Sendable, CaseIterable {
    /// OpenAI's paths and bodies; also of Azure and of the many compatible providers.
    case openai
    /// Anthropic's Messages.
    case anthropic
}
