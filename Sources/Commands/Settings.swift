public import Configuration

/// Words of `hopspan serve`.
public struct ServeSettings: Sendable, Hashable {
    /// The configuration file; nil: none, and everything is as by default.
    public var config: String?

    public init() {}
}

/// Words of `hopspan demo`.
public struct DemoSettings: Sendable, Hashable {
    /// Stay serving afterwards.
    public var keeps = false
    /// The gateway's port, and the one below the api's; nil: free ones, or the default ones when it `keeps` serving.
    public var port: UInt16?
    /// The store's file; nil: a temporary one, or the default one when it `keeps` serving.
    public var store: String?

    public init() {}
}

/// Words of `hopspan check`.
public struct CheckSettings: Sendable, Hashable {
    public var file = ""

    public init() {}
}

/// Words of `hopspan runs`.
public struct RunsSettings: Sendable, Hashable {
    public var api: HTTPURL?
    public var json = false
    public var since, until: String?
    public var agents: [String] = []
    public var workspaces: [String] = []
    public var models: [String] = []
    public var providers: [String] = []
    public var tools: [String] = []
    public var status, state: String?
    public var leastCost: String?
    public var text: String?
    public var sort: String?
    public var limit: Int?
    public var cursor: String?

    public init() {}
}

/// Words of `hopspan run`.
public struct RunSettings: Sendable, Hashable {
    public var api: HTTPURL?
    /// A run id, an alias of one, a trace id, or the beginning of one; nil: the latest run.
    public var id: String?
    public var json = false
    public var otlp = false

    public init() {}
}

/// Words of `hopspan cost`.
public struct CostSettings: Sendable, Hashable {
    public var api: HTTPURL?
    public var json = false
    /// `model`, or two with a comma; nil: by model.
    public var by: String?
    public var since, until: String?

    public init() {}
}

/// Words of `hopspan prices`.
public struct PricesSettings: Sendable, Hashable {
    /// A model's name or part of it, also behind `provider/` or before `*`; nil: all models.
    public var model: String?
    public var provider: String?
    /// The price file to import.
    public var file: String?
    /// The configuration file that says where the store is, and what prices it sets itself.
    public var config: String?
    public var json = false

    public init() {}
}
