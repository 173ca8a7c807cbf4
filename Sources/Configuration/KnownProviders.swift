/// What the program knows of provider names, so that a configuration can be checked against it.
public struct KnownProviders: Sendable {
    /// Whether a name, or an alias, has one public host, so that it needs no `base_url`.
    public let havePublicHost: @Sendable (String) -> Bool
    /// Whether the price catalogue has a list under this name or alias.
    public let havePrices: @Sendable (String) -> Bool

    public init(havePublicHost: @escaping @Sendable (String) -> Bool, havePrices: @escaping @Sendable (String) -> Bool) {
        self.havePublicHost = havePublicHost
        self.havePrices = havePrices
    }
}
