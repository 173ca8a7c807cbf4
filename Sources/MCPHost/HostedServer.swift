public import HTTP
public import TLS

/// An MCP server that is not reached by Streamable HTTP.
public struct HostedServer: Sendable, Hashable {
    /// As in its path, `/mcp/{name}`.
    public var name: String
    public var way: Way

    /// How it is reached.
    public enum Way: Sendable, Hashable {
        /// This process starts it and speaks to it by its standard input and output (`mcp.*.command`): the program and its arguments, and as
        /// `NAME=value` all of its environment.
        case program([String], environment: [String])
        /// By the two endpoints of MCP 2024-11-05, HTTP with SSE (`mcp.*.transport: sse`).
        case eventStream(RemoteEndpoint)
    }

    public init(name: String, command: [String], environment: [String] = []) { self.init(name: name, .program(command, environment: environment)) }

    public init(name: String, _ way: Way) { (self.name, self.way) = (name, way) }
}

/// Where a server's event stream is to be had, and how.
public struct RemoteEndpoint: Sendable, Hashable {
    public var origin: Origin
    /// Path and query.
    public var target: String
    /// Whom it is believed by, where it is `https`.
    public var tls: TLSContext?
    public var proxy: Proxy?

    public init(_ origin: Origin, target: String, tls: TLSContext? = nil, proxy: Proxy? = nil) {
        (self.origin, self.target, self.tls, self.proxy) = (origin, target, tls, proxy)
    }

    public static func == (one: RemoteEndpoint, other: RemoteEndpoint) -> Bool {
        one.origin == other.origin && one.target == other.target && one.proxy == other.proxy && one.tls === other.tls
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(origin)
        hasher.combine(target)
    }
}

/// What hosted servers and their clients may use up.
public struct HostLimits: Sendable, Hashable {
    /// Bytes of one message, either way (`gateway.max_body`).
    public var message = 32 << 20
    /// Bytes that may wait for a client before its server is no longer listened to.
    public var waiting = 1 << 20
    /// Messages that are kept for a client that listens to none.
    public var kept = 256
    /// Sessions of one server, each of which is a process.
    public var sessions = 256
    /// A session that nobody has used for so long is ended; so is a process that serves requests without one.
    public var idle: Duration = .seconds(1800)
    /// What a process is given to end once its input is closed, and again once it has been asked to.
    public var grace: Duration = .seconds(2)
    /// What a server's event stream may take to say where messages go, and a message to be taken.
    public var delivery: Duration = .seconds(10)
    /// What a server may take to say that it knows `server/discover`, or that it does not.
    public var discovery: Duration = .seconds(10)

    public init() {}
}
