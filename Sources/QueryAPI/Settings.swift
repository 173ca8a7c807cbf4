public import EventLoop
public import OTLP

/// What the api listener needs to know: checked values, made from the configuration by whoever starts it.
public struct QueryAPISettings: Sendable {
    /// What `Authorization: Bearer` must carry (`api.token`); nil: nobody is asked.
    public var token: String?
    /// Only these names are ours (`api.hosts`); empty: any, or on a loopback address the loopback names.
    public var hosts: [String] = []
    /// Whether the listener is on a loopback address.
    public var isLoopback = true
    /// What stands above the spans of `/api/runs/{run}/otlp`: the same as in what is exported.
    public var source: SpanSource
    /// For `15m` and the like.
    public var clock = Clock.system

    public init(source: SpanSource) { self.source = source }
}

/// The rest of the program as the api shows it. The closures are called on threads of the api's and must not wait for anybody.
public struct Surroundings: Sendable {
    /// For load balancers: `ready` alone takes traffic.
    public enum Readiness: String, Sendable { case starting, ready, draining }

    public var version: String
    /// When the process started, in Unix nanoseconds.
    public var startedAt: UInt64
    public var readiness: @Sendable () -> Readiness = { .ready }
    /// The configuration in force as JSON, secrets as their references.
    public var configuration: @Sendable () -> String = { "{}" }
    public var gateway: @Sendable () -> GatewayState = { GatewayState() }
    public var exporters: @Sendable () -> [ExporterState] = { [] }
    /// The gateway's loops; the api's own is added.
    public var loops: [EventLoop] = []

    public init(version: String, startedAt: UInt64) {
        self.version = version
        self.startedAt = startedAt
    }
}

/// The gateway listener's counters.
public struct GatewayState: Sendable {
    public struct Upstream: Sendable {
        /// The provider's name in paths.
        public var provider: String
        public var idleConnections: Int
        public var connects: UInt64
        public var connectFailures: UInt64

        public init(provider: String, idleConnections: Int, connects: UInt64, connectFailures: UInt64) {
            self.provider = provider
            self.idleConnections = idleConnections
            self.connects = connects
            self.connectFailures = connectFailures
        }
    }

    public var malformedHeads: UInt64 = 0
    public var unknownPaths: UInt64 = 0
    public var failedHandshakes: UInt64 = 0
    public var activeExchanges = 0
    public var upstreams: [Upstream] = []

    public init() {}
}

/// How one destination's export does. Times in Unix nanoseconds.
public struct ExporterState: Sendable {
    /// Its URL, without the query.
    public var destination: String
    public var exported: UInt64 = 0
    public var rejected: UInt64 = 0
    public var dropped: UInt64 = 0
    public var failures: UInt64 = 0
    public var bytes: UInt64 = 0
    public var isFailing = false
    /// How long it waits before it tries again, while it does, in nanoseconds.
    public var backoff: UInt64?
    /// Stays after it has passed. Holds no credentials.
    public var lastError: String?
    public var lastErrorAt: UInt64?
    public var lastSuccessAt: UInt64?
    /// Stored spans that it does not have yet, and when the oldest of them ended.
    public var pending: Int64 = 0
    public var oldestPending: UInt64?
    /// Spans that the store's limits deleted before it had them.
    public var retired: UInt64 = 0

    public init(destination: String) { self.destination = destination }
}
