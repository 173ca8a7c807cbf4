import Tracing

/// An absolute `http` or `https` URL, in the parts a client needs (RFC 9110 §4.2). No user information, no fragment.
///
/// A query may hold a key, so whatever prints the URL leaves it out: descriptions, dumps, answers, logs.
public struct HTTPURL: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public enum Scheme: String, Sendable { case http, https }

    public var scheme: Scheme
    /// In lower case; an IPv6 address without its brackets.
    public var host: String
    /// As written, else 80 or 443.
    public var port: UInt16
    /// Empty, or begins with `/`; percent-encoding as written.
    public var path: String
    /// Without the question mark; nil when there was none.
    public var query: String?

    /// Nil when the text is no such URL.
    public init?(_ text: String) {
        do throws(Wrong) { try self.init(checking: text) } catch { return nil }
    }

    /// Throws what is wrong in words that do not show the URL: it may hold a password.
    init(checking text: String) throws(Wrong) {
        guard let separator = text.firstIndex(of: ":"), let scheme = Scheme(rawValue: text[..<separator].lowercased()),
            text[separator...].hasPrefix("://")
        else { throw Wrong(problem: "a URL that does not begin with http:// or https://") }
        let (authority, rest) = Self.split(text[text.index(separator, offsetBy: 3)...]) { "/?#".contains($0) }
        guard !authority.contains("@") else {
            throw Wrong(problem: "a URL with a user name or password", expected: "put credentials in their own key, as references")
        }
        guard !rest.contains("#") else { throw Wrong(problem: "a URL with a fragment (#…)") }
        self.scheme = scheme
        (host, port) = try Self.hostAndPort(authority, scheme)
        let (path, query) = Self.split(rest) { $0 == "?" }
        guard Self.isWellFormed(path), Self.isWellFormed(query.dropFirst()) else {
            throw Wrong(problem: "a URL with a character that must be percent-encoded")
        }
        self.path = String(path)
        self.query = query.isEmpty ? nil : String(query.dropFirst())
    }

    /// For a section's blank start; never seen when the key is required.
    static let unset = HTTPURL(scheme: .http, host: "", port: 80, path: "")

    private init(scheme: Scheme, host: String, port: UInt16, path: String) {
        (self.scheme, self.host, self.port, self.path) = (scheme, host, port, path)
    }

    private static func split(_ text: Substring, at stop: (Character) -> Bool) -> (Substring, Substring) {
        let end = text.firstIndex(where: stop) ?? text.endIndex
        return (text[..<end], text[end...])
    }

    private static func hostAndPort(_ authority: Substring, _ scheme: Scheme) throws(Wrong) -> (String, UInt16) {
        var host = authority
        var port: UInt16 = scheme == .http ? 80 : 443
        let hostEnd = authority.lastIndex(of: "]") ?? authority.startIndex
        if let colon = authority[hostEnd...].lastIndex(of: ":") {
            guard let number = UInt16(exactDigits: authority[authority.index(after: colon)...]), number > 0 else {
                throw Wrong(problem: "a URL whose port is not a number from 1 to 65535")
            }
            host = authority[..<colon]
            port = number
        }
        if host.first == "[" {
            guard host.last == "]", let address = IPAddress(String(host.dropFirst().dropLast())), address.isV6 else {
                throw Wrong(problem: "a URL with a malformed IPv6 address")
            }
            return (address.description, port)
        }
        guard isHostName(host) else { throw Wrong(problem: host.isEmpty ? "a URL without a host" : "a URL with a malformed host") }
        return (host.lowercased(), port)
    }

    /// Letters, digits, `-`, `_` and dots that are not doubled; covers IPv4.
    static func isHostName(_ text: some StringProtocol) -> Bool {
        guard (1...253).contains(text.utf8.count) else { return false }
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        let proper = labels.last == "" ? labels.dropLast() : labels[...]
        return !proper.isEmpty && proper.allSatisfy { label in
            (1...63).contains(label.utf8.count) && label.utf8.allSatisfy { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") || isAlphanumeric($0) }
        }
    }

    static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: false
        }
    }

    /// RFC 3986 §3.3: visible ASCII less what has no place in a path or query, and whole percent triplets.
    private static func isWellFormed(_ text: Substring) -> Bool {
        text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"\"<>\\^`{|}".utf8.contains($0) } && PercentEncoding.decode(text) != nil
    }

    /// `host` or `host:port` where the port is not the scheme's own, as the `Host` field wants it.
    public var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (scheme == .http ? 80 : 443) ? name : "\(name):\(port)"
    }

    /// What a request line asks for: never empty.
    public var target: String { (path.isEmpty ? "/" : path) + (query.map { "?" + $0 } ?? "") }

    /// Scheme, authority and path.
    var withoutQuery: String { "\(scheme)://\(authority)\(path)" }

    public var description: String { withoutQuery + (query == nil ? "" : "?…") }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: ["url": description]) }
}

extension Form where Value == HTTPURL {
    /// A URL that a path is appended to: no query, no slash at its end.
    static var baseURL: Form {
        .scalar(
            "a URL", expected: "a URL such as https://api.example.com",
            parse: { (text) throws(Wrong) in
                var url = try HTTPURL(checking: text)
                guard url.query == nil else { throw Wrong(problem: "a URL with a query (?…)") }
                while url.path.last == "/" { url.path.removeLast() }
                return url
            }, write: { .text($0.description) })
    }
}
