import Configuration
import EventLoop
import Gateway
import HTTP
import LLM
import OTLP
import Store
import TLS
import Tracing

// From what users write to what the rooms are given.

extension GatewaySettings {
    /// Reads certificates and keys: on a thread that may.
    /// - Parameter contexts: the program's; those whose files have not changed are used again.
    init(_ configuration: Configuration, _ contexts: TLSContexts) throws(StartFailure) {
        self.init()
        upstreamTLS = try StartFailure.naming("The system's certificates") { () throws(TLSError) in try contexts.client() }
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
        if let files = gateway.tls {
            let identity = TLSIdentity(certificateFile: files.certificate.path, keyFile: files.key.path)
            tls = try StartFailure.naming("gateway.tls") { () throws(TLSError) in try .server(identity, clientAuthority: files.clientCA?.path) }
        }
        for provider in configuration.providers {
            var settings = ProviderSettings(provider)
            if let ca = provider.ca {
                settings.tls = try StartFailure.naming("providers.\(provider.name).ca") { () throws(TLSError) in
                    try contexts.client(trusting: .file(ca.path))
                }
            }
            providers.append(settings)
        }
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
            asksForStreamUsage = true
            if let list = provider.priceAs { usageShape = PriceCatalogue.bundled.usageShape(list) }
        }
        if let url = provider.baseURL {
            origin = Origin(isTLS: url.scheme == .https, host: url.host, port: url.port)
            pathPrefix = url.path.hasSuffix("/") ? String(url.path.dropLast()) : url.path
            missingConfiguration = nil
        }
        switch provider.dialect {
        case .openai: dialect = .openai
        case .anthropic: dialect = .anthropic
        case nil: break
        }
        credential = provider.credential?.revealed
        if let asks = provider.streamUsage { asksForStreamUsage = asks }
        timeouts.connect = provider.timeout.connect.nanoseconds
        timeouts.firstByte = provider.timeout.firstByte?.nanoseconds ?? .max
        timeouts.idle = provider.timeout.idle?.nanoseconds ?? .max
        timeouts.total = provider.timeout.total?.nanoseconds ?? .max
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
        let configured = configuration.providers.compactMap { provider -> ConfiguredPrices? in
            guard provider.priceAs != nil || !provider.prices.isEmpty else { return nil }
            var models: [String: [String: String]] = [:]
            for price in provider.prices {
                models[price.model] = Dictionary(uniqueKeysWithValues: price.rates.map { ($0.key.rawValue, $0.value.description) })
            }
            return ConfiguredPrices(provider: provider.name, priceAs: provider.priceAs, models: models)
        }
        return configured.isEmpty ? catalogue : try catalogue.configured(configured)
    }
}

extension Duration {
    /// Whole nanoseconds; what does not fit is for ever.
    var nanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, seconds < 1 << 33 else { return .max }
        return UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
    }
}
