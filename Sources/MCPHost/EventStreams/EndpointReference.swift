import HTTP

/// The URI that a server's event stream names for messages (MCP 2024-11-05, HTTP with SSE; RFC 3986 §4.2).
struct EndpointReference {
    private let text: String

    init(_ text: String) { self.text = text }

    /// Path and query of what is meant, as seen from where it was said; nil where that is on another origin, or no URI.
    func target(from origin: Origin, _ base: String) -> String? {
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        let path = base.prefix { $0 != "?" }
        var url = "\(origin.scheme)://\(origin.authority)"
        if text.hasPrefix("//") {
            url = "\(origin.scheme):\(text)"
        } else if text.hasPrefix("/") {
            url += text
        } else if text.hasPrefix("?") {
            url += path + text
        } else if let colon = text.firstIndex(of: ":"), !text[..<colon].contains(where: { "/?#".contains($0) }) {
            url = text
        } else {
            url += path[...(path.lastIndex(of: "/") ?? path.startIndex)] + text
        }
        guard let request = try? HTTPClientRequest(.post, url: url), request.origin == origin else { return nil }
        return request.target
    }
}
