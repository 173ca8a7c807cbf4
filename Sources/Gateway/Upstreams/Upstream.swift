import EventLoop
import HTTP
import LLM
import Policy
import TLS
import Tracing

/// One upstream as one loop sees it, an LLM provider, an MCP server or an A2A agent: what to know of it, and this loop's connections to it.
final class Upstream {
    enum Kind { case provider, mcpServer, agent }

    /// What it is, and how it is reached.
    enum Role {
        case provider(ProviderSettings)
        case mcpServer(MCPServerSettings)
        case agent(AgentSettings)
    }

    let kind: Kind
    /// It is a process of ours: nothing of HTTP is between it and us that a span could tell of.
    let isProcess: Bool
    /// Where it is still to be found out how it is spoken to, and what it is taken for here.
    let detection: TransportDetection?
    let isLegacy: Bool
    /// How its configuration is found, for messages.
    let place: ConfigurationPlace
    let timeouts: UpstreamTimeouts
    let pool: UpstreamPool
    /// What stands in the path before what is its own: the provider's name, `mcp/weather`, `a2a/researcher`.
    let name: Text
    /// What is known of an agent besides; nil of any other upstream.
    let agent: AgentFacts?
    let port: Int
    /// Between a request's target and its first field: version and Host.
    let versionAndHost: Text
    /// What stands before the target in `url.full`: scheme and authority.
    let urlStart: Text
    let providerName: Text
    let host: Text
    /// What a span says of the upstream, and of a POST to it: attributes as a draft has them, which nearly all spans begin with.
    let postFacts: Text
    let pathPrefix: Text
    /// Asked of a proxy, a target is a whole URL: this and the path (RFC 9112 §3.2.2). Nil where the connection leads to the origin.
    let absolutePrefix: Text?
    /// The field line with the proxy's credentials, where requests are the proxy's to read.
    let proxyAuthorization: Text?
    let credential: Credential?
    /// Fields it gets with every request, as lines, and the caller's that they take the place of.
    let headers: Text?
    let replacedHeaders: [ConfiguredField]
    /// The caller's credentials are meant for the upstream, and not for the gateway alone.
    let passesCredentials: Bool
    /// The tools that may be used; nil where all may.
    let tools: NameFilter?
    /// What a tool call or a send costs.
    let pricePerCall: USD?
    /// The operator has said how far callers may go: a path must not lead out of the base URL, nor anywhere else with the operator's
    /// credential.
    let confinesPaths: Bool
    let forwardsBaggage: Bool
    /// The fields that name a run, and those that carry a session.
    let runHeaders: [ConfiguredField]
    let sessionHeaders: [ConfiguredField]
    let usageShape: UsageShape
    /// Of its requests that are understood; `other` of what is no provider.
    let dialect: Provider.Dialect
    /// The provider of that name where it is a known one: how it maps OpenAI's `/v1/…`.
    let known: Provider?
    /// A streamed Chat Completions request may be made to ask for its usage.
    let asksForStreamUsage: Bool
    /// What must be configured before it can be used; nil when nothing.
    let missingConfiguration: String?

    init(_ role: Role, _ gateway: GatewaySettings, loop: EventLoop, resolver: Resolver, counters: UpstreamPool.Counters) {
        runHeaders = gateway.runHeaders.map(ConfiguredField.init)
        sessionHeaders = gateway.sessionHeaders.map(ConfiguredField.init)
        let origin: Origin
        let tls: TLSContext?
        switch role {
        case .provider(let settings):
            kind = .provider
            (isProcess, detection, isLegacy) = (false, nil, false)
            known = settings.known
            (replacedHeaders, passesCredentials, tools, pricePerCall, agent) = ([], true, nil, nil, nil)
            (origin, tls, timeouts) = (settings.origin, settings.tls, settings.timeouts)
            place = ConfigurationPlace(ofUpstream: settings.name)
            name = Text(settings.name)
            providerName = Text(settings.providerName)
            pathPrefix = Text(settings.pathPrefix)
            usageShape = settings.usageShape
            (dialect, asksForStreamUsage, missingConfiguration) = (settings.dialect, settings.asksForStreamUsage, settings.missingConfiguration)
            forwardsBaggage = gateway.forwardsBaggage
            let field = settings.dialect == .anthropic ? .apiKey : settings.known?.credentialField ?? .bearer
            credential = settings.credential.map { Credential($0, in: field) }
            headers = nil
            confinesPaths = settings.credential != nil || !settings.pathPrefix.isEmpty
        case .mcpServer(let settings):
            kind = .mcpServer
            isProcess = settings.isProcess
            detection = settings.detection
            isLegacy = settings.detection?.isLegacy ?? false
            known = nil
            replacedHeaders = settings.headers.map { ConfiguredField($0.name) }
            (passesCredentials, pricePerCall, agent) = (settings.passesAuthorization, settings.pricePerCall, nil)
            tools = settings.tools.allowsEverything ? nil : settings.tools
            (origin, tls, timeouts) = (settings.origin, settings.tls, settings.timeouts)
            place = ConfigurationPlace(section: "mcp", name: settings.name, address: settings.isProcess ? "command" : "url")
            name = Text("mcp/\(settings.name)")
            providerName = Text("")
            pathPrefix = Text(settings.target)
            (usageShape, dialect, asksForStreamUsage, missingConfiguration) = (.openai, .other, false, nil)
            forwardsBaggage = true
            credential = settings.credential.map { Credential($0, in: .bearer) }
            headers = settings.headers.isEmpty ? nil : Text(settings.headers.map { "\($0.name): \($0.value)\r\n" }.joined())
            confinesPaths = false
        case .agent(let settings):
            kind = .agent
            known = nil
            (isProcess, detection, isLegacy) = (false, nil, false)
            replacedHeaders = settings.headers.map { ConfiguredField($0.name) }
            (tools, passesCredentials, pricePerCall, agent) = (nil, settings.passesAuthorization, settings.pricePerCall, AgentFacts(settings))
            (origin, tls, timeouts) = (settings.origin, settings.tls, settings.timeouts)
            place = ConfigurationPlace(ofUpstream: "a2a/\(settings.name)")
            name = Text("a2a/\(settings.name)")
            providerName = Text("")
            pathPrefix = Text(settings.pathPrefix)
            (usageShape, dialect, asksForStreamUsage, missingConfiguration) = (.openai, .other, false, nil)
            forwardsBaggage = true
            credential = settings.credential.map { Credential($0, in: .bearer) }
            headers = settings.headers.isEmpty ? nil : Text(settings.headers.map { "\($0.name): \($0.value)\r\n" }.joined())
            confinesPaths = true
        }
        var local: (@Sendable () throws(SystemError) -> Int32)?
        if case .mcpServer(let settings) = role, settings.detection == nil || isLegacy { local = settings.local }
        let proxy = local == nil ? Proxy(for: origin, by: gateway.proxies) : nil
        pool = UpstreamPool(
            origin: origin, tls: tls ?? gateway.upstreamTLS, proxy: proxy, local: local, loop: loop, resolver: resolver, counters: counters,
            idleNanoseconds: gateway.upstreamIdleNanoseconds)
        absolutePrefix = proxy == nil || origin.isTLS ? nil : Text("http://\(origin.authority)")
        proxyAuthorization = origin.isTLS ? nil : proxy?.authorization.map { Text("proxy-authorization: \($0)\r\n") }
        versionAndHost = Text(" HTTP/1.1\r\nhost: \(origin.authority)\r\n")
        urlStart = Text("\(origin.scheme)://\(origin.authority)")
        host = Text(origin.host)
        port = Int(origin.port)
        var facts = SpanDraft()
        if kind == .provider { facts.set(.providerName, providerName) }
        if !isProcess {
            facts.set(.httpRequestMethod, Method.post.name)
            facts.set(.serverAddress, host)
            facts.set(.serverPort, port)
        }
        postFacts = facts.withEntries { Text(copying: $0) }
    }

}

/// What only agents have.
final class AgentFacts {
    /// Its name on the gateway.
    let name: [UInt8]
    /// The path of its URL, without a slash at its end.
    let path: [UInt8]
    /// The skills that may be used; nil where all may.
    let skills: NameFilter?
    /// Which version of itself it said it is in the last card that came by here; empty until one does.
    var version: [UInt8] = []

    init(_ settings: AgentSettings) {
        (name, path) = (Array(settings.name.utf8), Array(settings.pathPrefix.utf8))
        skills = settings.skills.allowsEverything ? nil : settings.skills
    }
}

/// Where an upstream stands in the configuration, so that messages can say what to change.
struct ConfigurationPlace {
    let section: String
    let name: String
    /// The key that holds its URL.
    let address: String

    /// - Parameter name: as in paths: `openai`, `mcp/weather`, `a2a/researcher`.
    init(ofUpstream name: String) {
        if name.hasPrefix("mcp/") || name.hasPrefix("a2a/") {
            self.init(section: String(name.prefix(3)), name: String(name.dropFirst(4)), address: "url")
        } else {
            self.init(section: "providers", name: name, address: "base_url")
        }
    }

    init(section: String, name: String, address: String) { (self.section, self.name, self.address) = (section, name, address) }

    /// Of what was refused before anything was known.
    static let none = ConfigurationPlace(section: "", name: "", address: "")

    /// `providers.openai`
    var path: String { "\(section).\(name)" }
}

extension Upstream {
    /// Whether the operator's own field takes the place of a caller's.
    @inline(never)
    func replaces(_ index: Int, of request: MessageHead) -> Bool { replacedHeaders.contains { $0.isField(index, of: request) } }

    func isNamed(_ other: RawSpan) -> Bool {
        let name = name
        return name.bytes.equals(other)
    }
}

/// A text that is written into heads and spans again and again: its UTF-8, once.
@safe final class Text: @unchecked Sendable {
    private let storage: UnsafeRawBufferPointer

    init(_ text: String) {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: text.utf8.count, alignment: 1)
        unsafe copy.copyBytes(from: text.utf8)
        unsafe storage = UnsafeRawBufferPointer(copy)
    }

    init(copying bytes: RawSpan) {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.byteCount, alignment: 1)
        // Sound: there are as many bytes.
        unsafe bytes.withUnsafeBytes { unsafe copy.copyMemory(from: $0) }
        unsafe storage = UnsafeRawBufferPointer(copy)
    }

    deinit { unsafe storage.deallocate() }

    var count: Int { unsafe storage.count }

    /// Valid as long as the text is; hold it in a local of its own.
    var bytes: RawSpan {
        @_lifetime(borrow self) get {
            // Sound: the bytes are self's, and nothing changes them.
            unsafe _overrideLifetime(storage.bytes, borrowing: self)
        }
    }
}

extension OutputBuffer {
    func append(_ text: Text) { append(text.bytes) }
}

extension SpanDraft {
    mutating func set(_ attribute: Attribute, _ text: Text) { set(attribute, text.bytes) }
}
