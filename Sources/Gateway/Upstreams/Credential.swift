import HTTP
import LLM

/// A configured credential as it goes upstream for a caller who sends none.
final class Credential {
    private let line: Text
    /// For the OpenAI-compatible paths of a provider whose own want another field.
    private let bearer: Text
    private let field: Provider.CredentialField

    init(_ key: String, in field: Provider.CredentialField) {
        self.field = field
        bearer = Text("authorization: Bearer \(key)\r\n")
        line =
            switch field {
            case .bearer: bearer
            case .apiKey: Text("x-api-key: \(key)\r\n")
            case .googAPIKey: Text("x-goog-api-key: \(key)\r\n")
            // Entra ID's tokens are JSON Web Tokens, which begin with `{"` in base64; keys are hexadecimal or base64 of chance.
            case .azureAPIKey: key.hasPrefix("eyJ") ? bearer : Text("api-key: \(key)\r\n")
            }
    }

    /// The field line for a request, its CRLF included; nil where the target carries a key of the caller's own.
    func line(for target: RawSpan) -> Text? {
        guard field == .googAPIKey else { return line }
        let query = target.firstIndex(of: UInt8(ascii: "?")) ?? target.byteCount
        var start = query + 1
        while start < target.byteCount {
            let end = target.firstIndex(of: UInt8(ascii: "&"), from: start) ?? target.byteCount
            if target.extracting(start..<end).starts(with: "key=") { return nil }
            start = end + 1
        }
        let path = target.extracting(0..<query)
        var slash = path.firstIndex(of: UInt8(ascii: "/"))
        while let at = slash {
            if path.extracting(at..<path.byteCount).starts(with: "/openai/") { return bearer }
            slash = path.firstIndex(of: UInt8(ascii: "/"), from: at + 1)
        }
        return line
    }
}
