public import Configuration
public import Content
public import EventLoop
public import HTTP
public import LLM
public import Policy
public import TLS
public import Tracing

/// What the gateway needs to know: checked values, made from the configuration by whoever starts it.
public struct GatewaySettings: Sendable {
    /// Body of an understood request at most, in bytes (`gateway.max_body`); 413 beyond.
    public var maxBody = 32 << 20
    /// How long a running exchange may take to end once the gateway is told to (`gateway.drain`).
    public var drainNanoseconds: UInt64 = 30_000_000_000
    /// From the first byte of a request to the end of its head.
    public var headTimeoutNanoseconds: UInt64 = 10_000_000_000
    /// What of prompts and replies is recorded (`telemetry.content`).
    public var content = ContentRecording.none
    /// How long a connection may be open with nothing asked.
    public var keepAliveNanoseconds: UInt64 = 60_000_000_000
    /// How long a connection to an upstream is kept that nobody uses; it is looked at ten times as often.
    public var upstreamIdleNanoseconds = UpstreamPool.usualIdleNanoseconds
    /// Between two reads of a request's body, and between two writes that a caller takes.
    public var callerIdleNanoseconds: UInt64 = 60_000_000_000
    /// Lower-case names of the fields by which a caller names its run (`telemetry.run_headers`).
    public var runHeaders: [String] = ["x-hopspan-run"]
    /// Lower-case names of the fields that carry a session (`telemetry.session_headers`).
    public var sessionHeaders: [String] = ["x-session-id"]
    /// Whether baggage goes to LLM providers (`telemetry.forward_baggage`).
    public var forwardsBaggage = false
    public var sampler = Sampler()
    /// Only these names are ours; nil: any, or on a loopback listener the loopback names.
    public var hosts: [String]?
    /// Whether the listener is on a loopback address.
    public var isLoopback = true
    /// TLS on the listener (`gateway.tls`): a server's context; nil: plain HTTP.
    public var tls: TLSContext?
    /// Whom `https` providers without trust of their own are believed by: a client's context. Without it they cannot be reached.
    public var upstreamTLS: TLSContext?
    /// `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`.
    public var proxies = ProxySettings()
    public var providers: [ProviderSettings] = []
    /// In the order of the configuration.
    public var mcpServers: [MCPServerSettings] = []
    /// In the order of the configuration.
    public var agents: [AgentSettings] = []
    /// The salt of run keys; a store's own, so that keys of two stores have nothing to do with each other.
    public var runKeySalt: (UInt64, UInt64) = (0, 0)

    public init() {}
}

/// One provider as it is reached.
public struct ProviderSettings: Sendable {
    /// The name in the path.
    public var name: String
    /// `gen_ai.provider.name`.
    public var providerName: String
    /// Of its requests that are understood; `other` where all paths are plain HTTP.
    public var dialect: Provider.Dialect
    public var origin: Origin
    /// What stands before the caller's path, without a trailing slash; empty normally.
    public var pathPrefix = ""
    /// The provider of that name where it is a known one: how it maps OpenAI's `/v1/…`.
    public var known: Provider?
    /// The key used where the caller sends none of its own.
    public var credential: String?
    public var timeouts = UpstreamTimeouts()
    /// Trust of its own (`providers.*.ca`): a client's context, shared with others that trust the same.
    public var tls: TLSContext?
    /// A streamed Chat Completions request may be made to ask for its usage.
    public var asksForStreamUsage = false
    /// How it counts tokens.
    public var usageShape = UsageShape.openai
    /// What must be configured before it can be used; nil when nothing.
    public var missingConfiguration: String?

    public init(name: String, providerName: String, dialect: Provider.Dialect, origin: Origin) {
        self.name = name
        self.providerName = providerName
        self.dialect = dialect
        self.origin = origin
    }
}

/// One MCP server as it is reached (`mcp.*`).
public struct MCPServerSettings: Sendable {
    /// The name in the path, `/mcp/{name}`.
    public var name: String
    public var origin: Origin
    /// Path and query of its endpoint.
    public var target: String
    /// Sent as a bearer token.
    public var credential: String?
    /// Fields of the operator's, sent with every request; they win over the caller's.
    public var headers: [(name: String, value: String)] = []
    /// The caller's `Authorization` goes to the server, where no credential is configured (`pass_authorization`).
    public var passesAuthorization = false
    public var timeouts = UpstreamTimeouts()
    /// The tools that callers may use (`tools`).
    public var tools = NameFilter()
    /// What a `tools/call` costs; nil: nothing is known (`price_per_call`).
    public var pricePerCall: USD?
    /// Trust of its own.
    public var tls: TLSContext?
    /// It is not spoken to by Streamable HTTP: who speaks to it for us is within this process, and this makes a connection to it.
    public var local: (@Sendable () throws(SystemError) -> Int32)?
    /// It is a process of ours, spoken to over pipes (`command`).
    public var isProcess = false
    /// Nobody has said how it is spoken to (`transport: auto`): where the first message shows that it is not by Streamable HTTP, it is
    /// `local` from then on.
    public var detection: TransportDetection?

    public init(name: String, origin: Origin, target: String) {
        self.name = name
        self.origin = origin
        self.target = target
    }
}

/// One A2A agent as it is reached (`a2a.*`).
public struct AgentSettings: Sendable {
    /// The name in the path, `/a2a/{name}`.
    public var name: String
    public var origin: Origin
    /// Of its URL, without a slash at its end; empty normally. What follows the name in the caller's path is put behind it.
    public var pathPrefix: String
    /// Sent as a bearer token.
    public var credential: String?
    /// Fields of the operator's, sent with every request; they win over the caller's.
    public var headers: [(name: String, value: String)] = []
    /// The caller's `Authorization` goes to the agent, where no credential is configured (`pass_authorization`).
    public var passesAuthorization = false
    public var timeouts = UpstreamTimeouts()
    /// The skills that callers may use (`skills`).
    public var skills = NameFilter()
    /// What a send costs; nil: nothing is known (`price_per_call`).
    public var pricePerCall: USD?
    /// Trust of its own.
    public var tls: TLSContext?

    public init(name: String, origin: Origin, pathPrefix: String) {
        self.name = name
        self.origin = origin
        self.pathPrefix = pathPrefix
    }
}

/// `providers.*.timeout`; nanoseconds, `.max` for none.
public struct UpstreamTimeouts: Sendable {
    public var connect: UInt64 = 5_000_000_000
    /// From the request sent to the first byte of the answer.
    public var firstByte: UInt64 = 600_000_000_000
    /// Between two reads of the answer.
    public var idle: UInt64 = 300_000_000_000
    public var total: UInt64 = .max

    public init() {}
}
