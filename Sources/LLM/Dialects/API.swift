/// A request that is understood: one of the four calls that make a model work. All else a provider offers is a plain HTTP hop.
public enum API: UInt8, Sendable, CaseIterable {
    /// `POST …/chat/completions` (OpenAI Chat Completions).
    case chatCompletions
    /// `POST …/responses` (OpenAI Responses).
    case responses
    /// `POST …/embeddings` (OpenAI Embeddings).
    case embeddings
    /// `POST …/messages` (Anthropic Messages).
    case messages

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
        } else {
            return nil
        }
    }

    /// `gen_ai.operation.name`.
    public var operationName: StaticString { self == .embeddings ? "embeddings" : "chat" }

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
