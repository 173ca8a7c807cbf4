/// An MCP server that this process starts and speaks to by its standard input and output (`mcp.*.command`).
public struct HostedServer: Sendable, Hashable {
    /// As in its path, `/mcp/{name}`.
    public var name: String
    /// The program and its arguments.
    public var command: [String]
    /// `NAME=value`: all of its environment.
    public var environment: [String]

    public init(name: String, command: [String], environment: [String] = []) {
        self.name = name
        self.command = command
        self.environment = environment
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
    /// What a server may take to say that it knows `server/discover`, or that it does not.
    public var discovery: Duration = .seconds(10)

    public init() {}
}
