import Tracing

/// A forward proxy.
public struct ProxyAddress: Sendable, Hashable {
    /// An IPv6 address without its brackets.
    public let host: String
    public let port: UInt16
    /// What `Proxy-Authorization` is made of: `user:password`, percent-decoded; shown as the variable's name.
    public let credentials: Secret?
}

/// Which proxy a request goes through: `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`; the lower-case spelling wins.
///
/// There is no standard; this follows curl and Go where they agree. Requests to the machine itself never go through a
/// proxy, as in Go: local models and collectors would be out of reach.
public struct ProxySettings: Sendable, Hashable {
    public var http: ProxyAddress?
    public var https: ProxyAddress?
    var exceptions: [Exception] = []

    /// An entry of `NO_PROXY`.
    enum Exception: Sendable, Hashable {
        case everything
        /// A domain and what is below it; in lower case, without a leading dot.
        case domain(String, port: UInt16?)
        case network(IPAddress, prefixLength: Int, port: UInt16?)
    }

    public init() {}

    /// - Parameters:
    ///   - host: a name, or an IP address with or without brackets.
    ///   - port: the one that is connected to, default or not.
    public func proxy(for scheme: HTTPURL.Scheme, host: String, port: UInt16) -> ProxyAddress? {
        guard let proxy = scheme == .https ? https : http else { return nil }
        var host = host.lowercased()
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        if host.hasSuffix(".") { host.removeLast() }
        let address = IPAddress(host)?.unmapped
        if host == "localhost" || host.hasSuffix(".localhost") || address?.isLoopback == true { return nil }
        let isException = exceptions.contains { exception in
            switch exception {
            case .everything: true
            case .domain(let domain, let only): (only ?? port) == port && address == nil && (host == domain || host.hasSuffix("." + domain))
            case .network(let network, let length, let only): (only ?? port) == port && address?.isIn(network, length: length) == true
            }
        }
        return isException ? nil : proxy
    }
}

extension ProxySettings {
    init(_ reading: Reading) {
        http = Self.address("http_proxy", reading)
        https = Self.address("https_proxy", reading)
        guard let list = reading.eitherCase("no_proxy")?.value else { return }
        exceptions = list.split { $0 == "," || $0 == " " || $0 == "\t" }.compactMap { Self.exception(String($0).lowercased()) }
    }

    private static func address(_ variable: String, _ reading: Reading) -> ProxyAddress? {
        guard let (name, text) = reading.eitherCase(variable) else { return nil }
        var rest = text.trimmingWhitespace()
        if !rest.has("://") { rest = "http://" + rest }
        let scheme = rest.prefix { $0 != ":" }.lowercased()
        guard scheme == "http" else {
            reading.mistake(variable: name, "a proxy that is not spoken to by plain HTTP is \(NotInThisBuild.phrase)", "expected http://host:port")
            return nil
        }
        // User information ends at the last @ of the authority, and is not part of an HTTPURL.
        let authority = rest.dropFirst(scheme.utf8.count + 3).prefix { !"/?#".contains($0) }
        let at = authority.lastIndex(of: "@")
        let hostAndPort = at.map { authority[authority.index(after: $0)...] } ?? authority
        guard let url = HTTPURL("http://" + hostAndPort) else {
            reading.mistake(variable: name, "not the URL of a proxy", "expected http://host:port")
            return nil
        }
        var credentials: Secret?
        if let at {
            guard let decoded = PercentEncoding.decode(authority[..<at]), !decoded.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) else {
                reading.mistake(variable: name, "a user name or password that is not percent-encoded", "expected http://user:password@host:port")
                return nil
            }
            credentials = Secret(reference: "env:" + name, revealed: decoded.contains(":") ? decoded : decoded + ":")
        }
        return ProxyAddress(host: url.host, port: url.port, credentials: credentials)
    }

    /// `*`, `example.com`, `.example.com`, `*.example.com`, `10.0.0.0/8`, `::1`, `[::1]:8080`, each but networks with a port if wanted.
    private static func exception(_ entry: String) -> Exception? {
        if entry == "*" { return .everything }
        if let slash = entry.lastIndex(of: "/") {
            guard let network = IPAddress(String(entry[..<slash])), let length = Int(decimalDigits: entry[entry.index(after: slash)...]),
                length <= (network.isV6 ? 128 : 32)
            else { return nil }
            return .network(network, prefixLength: length, port: nil)
        }
        if let address = IPAddress(entry)?.unmapped { return .network(address, prefixLength: address.isV6 ? 128 : 32, port: nil) }
        var host = entry[...]
        var port: UInt16?
        if let colon = entry.lastIndex(of: ":"), let number = UInt16(exactDigits: entry[entry.index(after: colon)...]) {
            host = entry[..<colon]
            port = number
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        if let address = IPAddress(String(host))?.unmapped { return .network(address, prefixLength: address.isV6 ? 128 : 32, port: port) }
        if host.hasPrefix("*.") { host = host.dropFirst() }
        while host.hasPrefix(".") { host = host.dropFirst() }
        while host.hasSuffix(".") { host = host.dropLast() }
        return HTTPURL.isHostName(host) ? .domain(String(host), port: port) : nil
    }
}

extension Reading {
    /// The lower-case spelling wins, as in curl.
    fileprivate func eitherCase(_ name: String) -> (name: String, value: String)? {
        for name in [name, name.uppercased()] {
            if let value = variable(name) { return (name, value) }
        }
        return nil
    }
}
