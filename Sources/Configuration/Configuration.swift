/// The configuration in force: file and environment, checked. The rest of the program trusts it.
///
/// A value: a running gateway swaps one for another. Every property starts as its default; those defaults, what the
/// keys mean and how they are written are in the tables beside the sections (`Sections/`).
public struct Configuration: Sendable, Hashable {
    public var gateway = Gateway()
    public var api = API()
    public var store = Store()
    public var telemetry = Telemetry()
    /// In the order of the file. A provider of the catalogue need not be here to be used.
    public var providers: [Provider] = []
    /// MCP servers, in the order of the file.
    public var mcp: [MCPServer] = []
    /// A2A agents, in the order of the file.
    public var a2a: [Agent] = []
    /// From `OTEL_*`.
    public var openTelemetry = OpenTelemetry()
    /// From `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`.
    public var proxies = ProxySettings()

    /// All defaults, as with no file and an empty environment.
    public init() {}
}

extension Configuration {
    /// The whole file.
    static let form = Form<Configuration>.section(
        "keys of the configuration",
        [
            Field(
                "gateway", \.gateway, Gateway.form,
                "The listener that agents talk to: LLM, MCP and A2A traffic, and OTLP from their own instrumentation."),
            Field("api", \.api, API.form, "The listener for people and tools: query API, web page, /metrics, /healthz, /readyz."),
            Field("store", \.store, Store.form, "Where spans are kept. The store is also the export queue."),
            Field("telemetry", \.telemetry, Telemetry.form, "What is recorded, how runs are recognised, and where spans are sent."),
            Field(
                "providers", \.providers,
                .named(
                    Provider.form, \.name, like: "openai", "a mapping from names to providers", check: Provider.wrong(withName:)),
                """
                LLM providers, by the first part of their path on the gateway. A provider with one public host needs no entry: the caller's own \
                credential passes through. An entry holds for all names of its provider that have no entry of their own. One with a name of its \
                own, with its dialect and base_url, adds a provider.
                """),
            Field(
                "mcp", \.mcp,
                .named(
                    MCPServer.form, \.name, like: "weather", "a mapping from names to MCP servers", check: MCPServer.wrong(withName:)),
                "MCP servers, each reached by agents at /mcp/{name}."),
            Field(
                "a2a", \.a2a,
                .named(
                    Agent.form, \.name, like: "researcher", "a mapping from names to A2A agents", check: Agent.wrong(withName:)),
                "A2A agents, each reached by others at /a2a/{name}."),
        ], defaults: Configuration(),
        check: { configuration, root, _, reading in
            configuration.checkListeners(root, reading)
            configuration.checkProviders(root, reading)
        })

    private func checkListeners(_ root: Node, _ reading: Reading) {
        let gatewayListen = root["gateway"]?.value["listen"]?.value.mark ?? root.mark
        if gateway.listen.collides(with: api.listen) {
            reading.mistake(
                root["api"]?.value["listen"]?.value.mark ?? gatewayListen, .root.key("api").key("listen"),
                "\(api.listen) collides with gateway.listen", "another port")
        }
        let spent =
            providers.first { $0.credential != nil }.map { "providers.\($0.name)" } ?? mcp.first { $0.credential != nil }.map { "mcp.\($0.name)" }
            ?? a2a.first { $0.credential != nil }.map { "a2a.\($0.name)" }
        if !gateway.listen.isLoopback, !gateway.requireKey, gateway.tls?.clientCA == nil, let spent {
            reading.warn(
                gatewayListen, .root.key("gateway").key("listen"),
                "an open wallet: whoever reaches \(gateway.listen) spends the credential of \(spent)",
                "listen on 127.0.0.1, or let only trusted callers reach it")
        }
    }

    /// What the program knows of names decides which providers need a `base_url`, and what it may end in.
    private func checkProviders(_ root: Node, _ reading: Reading) {
        guard let known = reading.providers, let section = root["providers"]?.value else { return }
        for provider in providers {
            guard let entry = section[provider.name], Provider.wrong(withName: provider.name) == nil else { continue }
            let place = Place.root.key("providers").name(provider.name)
            provider.checkBaseURL(entry, place, known, reading)
            provider.checkPrices(entry, place, known, reading)
        }
    }
}
