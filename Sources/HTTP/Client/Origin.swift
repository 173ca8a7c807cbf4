/// Where requests go: scheme, host, port (RFC 9110 §4.3.1).
public struct Origin: Hashable, Sendable {
    public let isTLS: Bool
    /// As configured, without brackets.
    public let host: String
    public let port: UInt16

    public init(isTLS: Bool, host: String, port: UInt16) {
        self.isTLS = isTLS
        self.host = host
        self.port = port
    }

    /// What the Host field says: the port only where it is not the scheme's own.
    public var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (isTLS ? 443 : 80) ? name : "\(name):\(port)"
    }

    public var scheme: String { isTLS ? "https" : "http" }
}
