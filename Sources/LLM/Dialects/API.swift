/// A request that is understood: one of the calls that make a model work. All else a provider offers is a plain HTTP hop.
///
/// The first four are spoken by many providers; the others (`isNative`) are the own tongues of Gemini, Bedrock and Cohere, which say
/// in the path what the others say in the body.
public enum API: UInt8, Sendable, CaseIterable {
    /// `POST …/chat/completions` (OpenAI Chat Completions).
    case chatCompletions
    /// `POST …/responses` (OpenAI Responses).
    case responses
    /// `POST …/embeddings` (OpenAI Embeddings).
    case embeddings
    /// `POST …/messages` (Anthropic Messages).
    case messages
    /// `POST …/models/{model}:generateContent` and `:streamGenerateContent` (Gemini, on AI Studio and Vertex).
    case generateContent
    /// `POST …/models/{model}:embedContent` and `:batchEmbedContents` (Gemini).
    case embedContent
    /// `POST /model/{id}/converse` and `/converse-stream` (Bedrock).
    case converse
    /// `POST /model/{id}/invoke` and `/invoke-with-response-stream` (Bedrock): the body is the model's own.
    case invokeModel
    /// `POST /v2/chat` (Cohere).
    case cohereChat
    /// `POST /v2/embed` (Cohere).
    case cohereEmbed

    /// Tells the API from method and path; nil for everything else, so also for what stands below such a path
    /// (`/v1/responses/{id}`, `/v1/messages/batches`, `/v1/messages/count_tokens`).
    ///
    /// What precedes the last segments does not matter: providers have prefixes of their own. Many serve the other family's call
    /// as well (`/anthropic/v1/messages` of DeepSeek, `/v1/chat/completions` of Anthropic), so the dialect only decides what
    /// would otherwise be two things: `…/threads/{id}/messages` of OpenAI is no Messages call.
    ///
    /// - Parameter path: as in the request line; a query is not looked at.
    public init?(dialect: Provider.Dialect, method: RawSpan, path: RawSpan) {
        guard method.equals("POST") else { return nil }
        let path = path.extracting(first: path.firstIndex(of: UInt8(ascii: "?")) ?? path.byteCount)
        if path.ends(with: "/chat/completions") {
            self = .chatCompletions
        } else if path.ends(with: "/responses") {
            self = .responses
        } else if path.ends(with: "/embeddings") {
            self = .embeddings
        } else if path.ends(with: "/v1/messages") || (dialect == .anthropic && path.ends(with: "/messages")) {
            self = .messages
        } else if let native = Self.native(dialect, path) {
            self = native
        } else {
            return nil
        }
    }

    /// OpenAI's own.
    var isOpenAI: Bool { rawValue < Self.messages.rawValue }

    /// One of the APIs that a single provider speaks. What they have in common is that they are not the others.
    var isNative: Bool { rawValue > Self.messages.rawValue }

    /// `gen_ai.operation.name`.
    public var operationName: StaticString {
        switch self {
        case .chatCompletions, .responses, .messages, .converse, .invokeModel, .cohereChat: "chat"
        case .embeddings, .embedContent, .cohereEmbed: "embeddings"
        case .generateContent: "generate_content"
        }
    }

    /// The deployment in a dated Azure OpenAI path, `…/openai/deployments/{deployment}/…`: it is the model there, and the body's
    /// `model` is ignored. Nil in every other path.
    @_lifetime(copy path)
    static func deployment(in path: RawSpan) -> RawSpan? {
        let marker: StaticString = "/openai/deployments/"
        var start = 0
        while start + marker.utf8CodeUnitCount < path.byteCount {
            if path.byte(start) == UInt8(ascii: "/"), path.extracting(from: start).begins(with: marker) {
                let rest = path.extracting(from: start + marker.utf8CodeUnitCount)
                guard let end = rest.firstIndex(of: UInt8(ascii: "/")), end > 0 else { return nil }
                return rest.extracting(first: end)
            }
            start += 1
        }
        return nil
    }
}
