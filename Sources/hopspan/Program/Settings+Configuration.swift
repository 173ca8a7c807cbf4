import Configuration
import Content
import EventLoop
import Export
import Gateway
import HTTP
import LLM
import MCPHost
import OTLP
import Store
import TLS
import Tracing

// From what users write to what the rooms are given.

extension GatewaySettings {
    /// Reads certificates and keys: on a thread that may.
    /// - Parameter contexts: the program's; those whose files have not changed are used again.
    /// - Parameter runKeySalt: the store's.
    /// - Parameter host: runs the servers that are programs.
    init(_ configuration: Configuration, _ contexts: TLSContexts, host: MCPHost = MCPHost(), runKeySalt: (UInt64, UInt64) = (0, 0)) throws(StartFailure) {
        self.init()
        self.runKeySalt = runKeySalt
        upstreamTLS = try Self.upstreamTLS(contexts)
        proxies = configuration.proxies
        let gateway = configuration.gateway
        maxBody = gateway.maxBody
        drainNanoseconds = gateway.drain.nanoseconds
        isLoopback = gateway.listen.isLoopback
        hosts = gateway.hosts.isEmpty ? nil : gateway.hosts
        runHeaders = configuration.telemetry.runHeaders.map { $0.lowercased() }
        sessionHeaders = configuration.telemetry.sessionHeaders.map { $0.lowercased() }
        forwardsBaggage = configuration.telemetry.forwardBaggage && configuration.openTelemetry.propagatesBaggage
        sampler = Sampler(configuration.openTelemetry.sampler)
        switch configuration.telemetry.content {
        case .none: content = .none
        case .redacted: content = ContentRecording(.redacted, limit: configuration.telemetry.contentLimit)
        case .full: content = ContentRecording(.full, limit: configuration.telemetry.contentLimit)
        }
        tls = try Self.listenerTLS(gateway)
        for provider in configuration.providers {
            var settings = ProviderSettings(provider)
            settings.tls = try provider.trust(contexts)
            providers.append(settings)
        }
        for server in configuration.mcp {
            var settings = MCPServerSettings(server)
            if server.isHosted {
                let name = server.name
                settings.local = { () throws(SystemError) in try host.connect(to: name) }
                settings.isProcess = !server.command.isEmpty
                if server.command.isEmpty, server.transport == .auto { settings.detection = TransportDetection() }
            }
            settings.tls = try server.trust(contexts)
            mcpServers.append(settings)
        }
        for agent in configuration.a2a {
            var settings = AgentSettings(agent)
            settings.tls = try agent.trust(contexts)
            agents.append(settings)
        }
    }

    fileprivate static func upstreamTLS(_ contexts: TLSContexts) throws(StartFailure) -> TLSContext {
        try StartFailure.naming("The system's certificates") { () throws(TLSError) in try contexts.client() }
    }

    fileprivate static func listenerTLS(_ gateway: Configuration.Gateway) throws(StartFailure) -> TLSContext? {
        guard let files = gateway.tls else { return nil }
        let identity = TLSIdentity(certificateFile: files.certificate.path, keyFile: files.key.path)
        return try StartFailure.naming("gateway.tls") { () throws(TLSError) in try .server(identity, clientAuthority: files.clientCA?.path) }
    }
}

extension Configuration.Provider {
    /// Whom it is believed by; nil: whom the system trusts.
    fileprivate func trust(_ contexts: TLSContexts) throws(StartFailure) -> TLSContext? {
        guard let ca else { return nil }
        return try StartFailure.naming("providers.\(name).ca") { () throws(TLSError) in try contexts.client(trusting: .file(ca.path)) }
    }
}

extension Configuration.MCPServer {
    /// Whom it is believed by; nil: whom the system trusts.
    fileprivate func trust(_ contexts: TLSContexts) throws(StartFailure) -> TLSContext? {
        guard let ca else { return nil }
        return try StartFailure.naming("mcp.\(name).ca") { () throws(TLSError) in try contexts.client(trusting: .file(ca.path)) }
    }
}

extension Configuration.MCPServer {
    /// It is spoken to by the host of MCP servers, not by Streamable HTTP, or may turn out to be.
    fileprivate var isHosted: Bool { !command.isEmpty || transport != .http }
}

extension Configuration.Agent {
    /// Whom it is believed by; nil: whom the system trusts.
    fileprivate func trust(_ contexts: TLSContexts) throws(StartFailure) -> TLSContext? {
        guard let ca else { return nil }
        return try StartFailure.naming("a2a.\(name).ca") { () throws(TLSError) in try contexts.client(trusting: .file(ca.path)) }
    }
}

extension AgentSettings {
    init(_ agent: Configuration.Agent) {
        let url = agent.url
        self.init(name: agent.name, origin: Origin(isTLS: url.scheme == .https, host: url.host, port: url.port), pathPrefix: url.path)
        credential = agent.credential?.revealed
        headers = agent.headers.map { ($0.name, $0.value.revealed) }
        skills = agent.skills
        passesAuthorization = agent.passAuthorization
        pricePerCall = agent.pricePerCall
        timeouts = UpstreamTimeouts(agent.timeout)
    }
}

extension MCPServerSettings {
    init(_ server: Configuration.MCPServer) {
        if server.command.isEmpty {
            let url = server.url
            self.init(
                name: server.name, origin: Origin(isTLS: url.scheme == .https, host: url.host, port: url.port),
                target: (url.path.isEmpty ? "/" : url.path) + (url.query.map { "?\($0)" } ?? ""))
        } else {
            self.init(name: server.name, origin: Origin(isTLS: false, host: server.name, port: 80), target: "/")
        }
        credential = server.credential?.revealed
        headers = server.headers.map { ($0.name, $0.value.revealed) }
        passesAuthorization = server.passAuthorization
        tools = server.tools
        pricePerCall = server.pricePerCall
        timeouts = UpstreamTimeouts(server.timeout)
    }
}

extension HostedServer {
    /// The servers of a configuration that are programs, or spoken to by HTTP with SSE.
    static func all(of configuration: Configuration, _ contexts: TLSContexts) throws(StartFailure) -> [HostedServer] {
        var servers: [HostedServer] = []
        for server in configuration.mcp where server.isHosted {
            guard server.command.isEmpty else {
                let environment = server.environment.map { "\($0.name)=\($0.value.revealed)" }
                servers.append(HostedServer(name: server.name, command: server.command, environment: environment))
                continue
            }
            let settings = MCPServerSettings(server)
            var tls = try server.trust(contexts)
            if tls == nil { tls = try GatewaySettings.upstreamTLS(contexts) }
            servers.append(
                HostedServer(
                    name: server.name,
                    .eventStream(
                        RemoteEndpoint(settings.origin, target: settings.target, tls: tls, proxy: Proxy(for: settings.origin, by: configuration.proxies)))))
        }
        return servers
    }
}

extension UpstreamTimeouts {
    init(_ timeout: Configuration.Timeout) {
        self.init()
        connect = timeout.connect.nanoseconds
        firstByte = timeout.firstByte?.nanoseconds ?? .max
        idle = timeout.idle?.nanoseconds ?? .max
        total = timeout.total?.nanoseconds ?? .max
    }
}

extension Configuration {
    /// What a start would fail for although the file reads well: certificates and keys that TLS refuses. Reads them.
    func startFailures() -> [StartFailure] {
        let contexts = TLSContexts()
        var failures: [StartFailure] = []
        func attempt(_ body: () throws(StartFailure) -> Void) {
            do throws(StartFailure) { try body() } catch { failures.append(error) }
        }
        attempt { () throws(StartFailure) in _ = try GatewaySettings.upstreamTLS(contexts) }
        attempt { () throws(StartFailure) in _ = try GatewaySettings.listenerTLS(gateway) }
        for server in mcp { attempt { () throws(StartFailure) in _ = try server.trust(contexts) } }
        for agent in a2a { attempt { () throws(StartFailure) in _ = try agent.trust(contexts) } }
        for provider in providers { attempt { () throws(StartFailure) in _ = try provider.trust(contexts) } }
        for destination in ExportDestination.all(of: self) {
            attempt { () throws(StartFailure) in
                _ = try StartFailure.naming("telemetry.otlp, \(destination.label)") { () throws(TLSError) in try destination.context(contexts) }
            }
        }
        return failures
    }
}

extension StartFailure {
    /// What cannot be had of TLS, with the key that asks for it.
    static func naming<Value>(_ key: String, _ body: () throws(TLSError) -> Value) throws(StartFailure) -> Value {
        do { return try body() } catch { throw StartFailure(message: "\(key): \(error).") }
    }
}

extension Sampler {
    init(_ sampler: OpenTelemetry.Sampler) {
        let root: Root =
            switch sampler.root {
            case .alwaysOn: .alwaysOn
            case .alwaysOff: .alwaysOff
            case .traceIDRatio(let ratio): .ratio(ratio)
            }
        self.init(root: root, isParentBased: sampler.isParentBased)
    }
}

extension ProviderSettings {
    init(_ provider: Configuration.Provider) {
        let known = LLM.Provider.named(provider.name)
        if let known {
            self.init(known, calledBy: provider.name)
        } else {
            self.init(name: provider.name, providerName: provider.name, dialect: .openai, origin: Origin(isTLS: true, host: "", port: 443))
            asksForStreamUsage = provider.dialect != .anthropic
            if let list = provider.priceAs { usageShape = PriceCatalogue.bundled.usageShape(list) }
        }
        if let url = provider.baseURL {
            origin = Origin(isTLS: url.scheme == .https, host: url.host, port: url.port)
            pathPrefix = url.path.hasSuffix("/") ? String(url.path.dropLast()) : url.path
            missingConfiguration = nil
        }
        switch provider.dialect {
        case .openai:
            dialect = .openai
            asksForStreamUsage = true
        case .anthropic: dialect = .anthropic
        case nil: break
        }
        credential = provider.credential?.revealed
        if let asks = provider.streamUsage { asksForStreamUsage = asks }
        timeouts = UpstreamTimeouts(provider.timeout)
    }
}

extension Store.Options {
    init(_ configuration: Configuration) {
        self.init(path: configuration.store.path)
        retention = configuration.store.retention
        maxSize = Int64(configuration.store.maxSize ?? .max)
        runIdle = configuration.telemetry.runIdle
        destinations = configuration.cursorNames()
        let limits = configuration.openTelemetry.limits
        attributeLimits = AttributeLimits(count: limits.attributeCount, valueLength: limits.attributeValueLength)
    }
}

extension PriceCatalogue {
    /// The bundled catalogue, an imported file over it, and the configured prices on top.
    static func of(_ configuration: Configuration, imported: [UInt8]?) throws(PriceFileError) -> PriceCatalogue {
        var catalogue = PriceCatalogue.bundled
        if let imported { catalogue = try catalogue.overlaid(with: imported) }
        // Calls are priced by `gen_ai.provider.name`, whatever name or alias the configuration and the caller use. Of two entries of one
        // provider the first wins.
        var configured: [ConfiguredPrices] = []
        for provider in configuration.providers where provider.priceAs != nil || !provider.prices.isEmpty {
            let name = LLM.Provider.named(provider.name)?.name.description ?? provider.name
            let place = configured.firstIndex { $0.provider == name } ?? configured.count
            if place == configured.count { configured.append(ConfiguredPrices(provider: name)) }
            configured[place].priceAs = configured[place].priceAs ?? provider.priceAs
            for price in provider.prices where configured[place].models[price.model] == nil {
                configured[place].models[price.model] = Dictionary(uniqueKeysWithValues: price.rates.map { ($0.key.rawValue, $0.value.description) })
            }
        }
        return configured.isEmpty ? catalogue : try catalogue.configured(configured)
    }
}
