/// A forward proxy, spoken to by plain HTTP: `https` origins are reached through a tunnel (CONNECT, RFC 9110 §9.3.6), of `http` ones it
/// is asked by absolute-form targets (RFC 9112 §3.2.2). Never prints its credentials.
public struct Proxy: Sendable, Hashable {
    /// A name or an address, without brackets.
    public let host: String
    public let port: UInt16
    /// The `Proxy-Authorization` field's value; nil without credentials.
    public let authorization: String?

    /// - Parameter credentials: `user:password`.
    public init(host: String, port: UInt16, credentials: String? = nil) {
        self.host = host
        self.port = port
        authorization = credentials.map { "Basic " + Base64.encode(Array($0.utf8)) }
    }
}

extension Proxy: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: ["host": host, "port": port]) }
}
