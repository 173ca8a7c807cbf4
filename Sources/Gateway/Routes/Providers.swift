import HTTP
public import LLM

extension GatewaySettings {
    /// The provider a path's first part names: a configured one, under this or another of its names, else one that is known with its
    /// public host. Nil when none is.
    func provider(named name: RawSpan) -> ProviderSettings? {
        let text = name.string
        if let configured = providers.first(where: { $0.name == text }) { return configured }
        guard let known = Provider.named(name) else { return nil }
        let canonical = known.name.description
        guard var configured = providers.first(where: { $0.known?.name.description == canonical }) else {
            return ProviderSettings(known, calledBy: text)
        }
        configured.name = text
        return configured
    }
}

extension ProviderSettings {
    /// A known provider as it is without configuration.
    /// - Parameter name: the name or alias it is called by in paths.
    public init(_ known: Provider, calledBy name: String) {
        self.init(
            name: name, providerName: known.name.description, dialect: known.dialect,
            origin: Origin(isTLS: known.isTLS, host: known.host.description, port: known.port))
        self.known = known
        usageShape = known.usage
        asksForStreamUsage = known.takesStreamUsage
        missingConfiguration = known.needs?.description
    }
}
