/// Forms for words: choices, switches, names.
extension Form where Value: CaseIterable & RawRepresentable<String> {
    /// One of an enumeration's raw values.
    static func choice(_ noun: String) -> Form {
        let words = Value.allCases.map(\.rawValue)
        return .scalar(
            noun, expected: Spelling.oneOf(words),
            parse: { (text) throws(Wrong) in
                guard let value = Value(rawValue: text) else {
                    throw Wrong(expected: Spelling.nearest(to: text, among: words).map { "did you mean \($0)?" })
                }
                return value
            }, write: { .text($0.rawValue) })
    }
}

extension Form where Value == Bool {
    static var flag: Form {
        Form(
            "true or false",
            read: { node, place, reading in
                guard let text = reading.scalar(node, place, "expected true or false") else { return nil }
                if case .scalar(_, plain: true) = node.content, let value = ["true": true, "false": false][text] { return value }
                reading.mistake(node.mark, place, "\(quoted(text)) is neither true nor false", "expected true or false, without quotes")
                return nil
            }, write: { .bool($0) })
    }
}

extension Form where Value == String {
    static func text(_ noun: String, expected: String, check: @escaping @Sendable (String) -> Bool) -> Form {
        .scalar(
            noun, expected: expected,
            parse: { (text) throws(Wrong) in
                guard check(text) else { throw Wrong() }
                return text
            }, write: { .text($0) })
    }

    /// A name as `Host` and `Origin` carry it, without a port; in lower case.
    static var hostName: Form {
        .scalar(
            "a host name", expected: "a name without a port, such as hopspan.example.com",
            parse: { (text) throws(Wrong) in
                let bare = text.hasPrefix("[") && text.hasSuffix("]") ? String(text.dropFirst().dropLast()) : text
                if let address = IPAddress(bare) { return address.description }
                guard HTTPURL.isHostName(text) else { throw Wrong() }
                return text.lowercased()
            }, write: { .text($0) })
    }

    /// A request header that may name something, in lower case. Those that carry credentials may not: names end up in spans.
    static var identifyingHeader: Form {
        .scalar(
            "a header name", expected: "a header name such as x-session-id",
            parse: { (text) throws(Wrong) in
                guard FieldName.isToken(text) else { throw Wrong() }
                guard !FieldName.isSensitive(text) else {
                    throw Wrong(problem: "\(quoted(text)) carries a credential, and what this header holds is recorded", expected: "another header")
                }
                return text.lowercased()
            }, write: { .text($0) })
    }
}

/// Header field names (RFC 9110 §5.1).
enum FieldName {
    /// RFC 9110 §5.6.2.
    static func isToken(_ text: some StringProtocol) -> Bool {
        !text.isEmpty && text.utf8.count <= 128 && text.utf8.allSatisfy { HTTPURL.isAlphanumeric($0) || "!#$%&'*+-.^_`|~".utf8.contains($0) }
    }

    /// Names under which credentials travel, as far as a name can tell.
    static func isSensitive(_ name: String) -> Bool {
        let name = name.lowercased()
        return ["auth", "cookie", "token", "secret", "password", "credential", "apikey", "dsn", "honeycomb"].contains { name.has($0) }
            || name.split(separator: "-").contains("key")
    }

    /// Fields that whoever sends a request writes itself.
    static let ofTheSender: Set<String> = [
        "host", "connection", "content-type", "content-length", "content-encoding", "transfer-encoding", "te", "trailer", "upgrade",
        "expect", "keep-alive", "proxy-connection", "accept-encoding",
    ]
}
