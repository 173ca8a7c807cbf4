internal import HTTP

/// What reading the answers of native APIs (`API.isNative`) takes beyond `ResponseFacts`: made with the first such call, so that nobody
/// else has to hold it, or to reset it.
final class NativeAnswer {
    /// The largest message of an Amazon event stream that is read. What counts is in small ones; the traces of a guardrail may be large.
    private static let messageLimit = 256 << 10

    var gemini = GeminiUsage()
    var bedrock = BedrockUsage()
    var cohere = CohereUsage()
    /// Of a Bedrock stream.
    var messages = AmazonEventStreamReader(limit: NativeAnswer.messageLimit)
    /// Of a Gemini stream that is one JSON array.
    var elements = JSONElements()
    /// What the last event of an InvokeModel stream held.
    var unwrapped: [UInt8] = []

    /// Ready for the next answer.
    func reset() {
        gemini = GeminiUsage()
        bedrock = BedrockUsage()
        cohere = CohereUsage()
        messages.reset()
        elements = JSONElements()
        if unwrapped.capacity > 16 << 10 { unwrapped = [] }
    }
}
