/// What the documentation names and this build does not act on yet: refused with a message, never ignored.
///
/// **This is the whole list.** When a feature comes, its line goes; a key that has no property yet gets its `Field` then.
/// Paths leave out indices and have `*` for a name.
enum NotInThisBuild {
    /// Keys that are refused whatever they hold.
    static let keys: [String] = [
        "api.tls",
        "telemetry.run_wait",
        "telemetry.link_content",
        "routes",
        "workspaces",
        "guardrails",
    ]

    /// Single values of keys that work otherwise.
    static let values: [String: [String]] = [
        "gateway.require_key": ["true"],
        "telemetry.otlp.protocol": ["http/json", "grpc"],
        "providers.*.dialect": ["gemini", "bedrock", "cohere"],
    ]

    /// Places a secret may come from.
    static let secretSchemes = ["vault", "aws-sm", "azure-kv"]

    static let phrase = "not in this build yet"

    /// What to say of an entry; nil when this build acts on it.
    static func refusal(of entry: Node.Entry, at place: Place) -> (mark: Mark, problem: String, advice: String)? {
        if keys.contains(place.pattern) { return (entry.mark, phrase, "remove it") }
        if case .scalar(let text, _) = entry.value.content, values[place.pattern, default: []].contains(text.lowercased()) {
            return (entry.value.mark, "\(text.lowercased()) is \(phrase)", "change or remove it")
        }
        return nil
    }

    /// The names of refused keys that stand directly in a section.
    static func names(in section: Place) -> [String] {
        keys.compactMap { key in
            let names = key.split(separator: ".")
            return names.dropLast().joined(separator: ".") == section.pattern ? names.last.map(String.init) : nil
        }
    }
}
