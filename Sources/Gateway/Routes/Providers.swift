extension GatewaySettings {
    /// The provider of that name in a path; nil when none is known.
    func provider(named name: String) -> ProviderSettings? {
        providers.first { $0.name == name }
    }
}
