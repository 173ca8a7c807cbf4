/// What the program knows of provider names, so that a configuration can be checked against it.
public struct KnownProviders: Sendable {
    /// Whether a name, or an alias, has one public host, so that it needs no `base_url`.
    public let havePublicHost: @Sendable (String) -> Bool
    /// Whether the price catalogue has a list under this name or alias.
    public let havePrices: @Sendable (String) -> Bool
    /// The path of a provider's API that comes behind its `base_url` by itself, because callers or the gateway write it: `/v1` of a name
    /// that is not known. Nil or empty where there is none.
    public let apiPath: @Sendable (String) -> String?
    /// Whether the catalogue's list of a provider has a price for what a model writes.
    public let havePriceOfOutput: @Sendable (_ provider: String, _ model: String) -> Bool
    /// Names and aliases, for a misspelt one.
    public let names: [String]

    public init(
        havePublicHost: @escaping @Sendable (String) -> Bool, havePrices: @escaping @Sendable (String) -> Bool,
        apiPath: @escaping @Sendable (String) -> String? = { _ in nil },
        havePriceOfOutput: @escaping @Sendable (_ provider: String, _ model: String) -> Bool = { _, _ in false }, names: [String] = []
    ) {
        self.havePublicHost = havePublicHost
        self.havePrices = havePrices
        self.apiPath = apiPath
        self.havePriceOfOutput = havePriceOfOutput
        self.names = names
    }
}
