/// Field lines of a message as text, in their order, for use off the request path. Names may come more than once; letter case does
/// not matter.
public struct HTTPFields: Sendable, Hashable, ExpressibleByDictionaryLiteral {
    public struct Line: Sendable, Hashable {
        public let name, value: String
    }

    public private(set) var lines: [Line] = []

    public init() {}

    public init(dictionaryLiteral elements: (String, String)...) {
        for (name, value) in elements { append(name, value) }
    }

    public mutating func append(_ name: String, _ value: String) { lines.append(Line(name: name, value: value)) }

    /// The first line's value.
    public subscript(name: String) -> String? {
        let wanted = name.lowercased()
        return lines.first { $0.name.lowercased() == wanted }?.value
    }
}

/// A whole request, for `HTTPClient`.
public struct HTTPClientRequest: Sendable {
    public var method: Method
    public var origin: Origin
    /// Path and query, as they are sent (origin-form, RFC 9112 §3.2.1).
    public var target: String
    /// Besides Host, Content-Length, Connection and Accept-Encoding, which the client sets.
    public var headers: HTTPFields
    public var body: [UInt8]
    /// For everything from the connection to the answer's last byte; nil for no limit. The look-up of a name is bounded by the
    /// system's resolver instead.
    public var timeout: Duration? = .seconds(10)
    /// An answer whose body, decoded, is longer is refused.
    public var bodyLimit = 4 << 20

    public init(_ method: Method, _ origin: Origin, target: String, headers: HTTPFields = [:], body: [UInt8] = []) {
        self.method = method
        self.origin = origin
        self.target = target
        self.headers = headers
        self.body = body
    }

    /// - Parameter url: absolute, `http` or `https`; a fragment is left out. Throws `malformedURL`, also for one with a user name:
    ///   credentials have no place in it (RFC 9110 §4.2.4).
    public init(_ method: Method, url: String, headers: HTTPFields = [:], body: [UInt8] = []) throws(HTTPClientError) {
        guard let (origin, target) = Origin.split(url) else { throw .malformedURL }
        self.init(method, origin, target: target, headers: headers, body: body)
    }

    /// The head as it is sent; throws `malformedRequest` for what would not be one head.
    /// - Parameter proxy: asked for `http` origins by absolute-form targets (RFC 9112 §3.2.2); `https` ones lie behind a tunnel.
    func writeHead(to output: OutputBuffer, through proxy: Proxy?) throws(HTTPClientError) {
        guard method != .other, method != .connect, target.utf8.first == UInt8(ascii: "/"), target.utf8.allSatisfy(Characters.isTarget),
            !origin.host.isEmpty, origin.authority.utf8.allSatisfy(Characters.isHost)
        else { throw .malformedRequest }
        output.append(method.name)
        output.append(" ")
        let isAsked = proxy != nil && !origin.isTLS
        if isAsked { output.append("http://\(origin.authority)") }
        output.append(target)
        output.append(" HTTP/1.1\r\nhost: ")
        output.append(origin.authority)
        output.append("\r\naccept-encoding: gzip\r\n")
        if isAsked, let authorization = proxy?.authorization { output.append("proxy-authorization: \(authorization)\r\n") }
        // "A user agent SHOULD send Content-Length … when the method defines a meaning for enclosed content" (RFC 9110 §8.6).
        if !body.isEmpty || method == .post || method == .put || method == .patch {
            output.append("content-length: ")
            output.append(decimal: body.count)
            output.append("\r\n")
        }
        for line in headers.lines {
            guard !line.name.isEmpty, line.name.utf8.allSatisfy(Characters.isToken), line.value.utf8.allSatisfy(Characters.isValue) else {
                throw .malformedRequest
            }
            output.append(line.name)
            output.append(": ")
            output.append(line.value)
            output.append("\r\n")
        }
        output.append("\r\n")
    }
}

/// A whole answer.
public struct HTTPClientResponse: Sendable {
    public var status: Int
    /// As they came: where the body was gzip, `content-encoding` still says so.
    public var headers: HTTPFields
    /// Decoded where it was gzip or deflate.
    public var body: [UInt8]

    init(_ head: MessageHead) {
        status = head.status
        headers = [:]
        for index in 0..<head.fieldCount { headers.append(head.name(index).string, head.value(index).string) }
        body = []
    }
}

extension Origin {
    /// An absolute `http` or `https` URL (RFC 9110 §4.2) as origin and request target; nil for anything else.
    static func split(_ url: String) -> (Origin, target: String)? {
        let scheme = url.prefix { $0 != ":" }.lowercased()
        guard scheme == "http" || scheme == "https", url.dropFirst(scheme.utf8.count).hasPrefix("://") else { return nil }
        let rest = url.dropFirst(scheme.utf8.count + 3).prefix { $0 != "#" }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        var target = String(rest.dropFirst(authority.count))
        if target.first != "/" { target = "/" + target }
        guard target.utf8.allSatisfy(Characters.isTarget) else { return nil }

        var host = authority
        var port: UInt16 = scheme == "https" ? 443 : 80
        let hostEnd = authority.lastIndex(of: "]") ?? authority.startIndex
        if let colon = authority[hostEnd...].lastIndex(of: ":") {
            let digits = authority[authority.index(after: colon)...]
            guard let number = UInt16(digits), number > 0, digits.first != "+" else { return nil }
            port = number
            host = authority[..<colon]
        }
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty, host.utf8.allSatisfy(Characters.isHost), !host.contains("["), !host.contains("]") else { return nil }
        return (Origin(isTLS: scheme == "https", host: host.lowercased(), port: port), target)
    }
}
