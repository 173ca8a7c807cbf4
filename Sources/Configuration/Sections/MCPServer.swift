public import Policy
public import Tracing

extension Configuration {
    /// An MCP server behind the gateway.
    public struct MCPServer: Sendable, Hashable {
        /// What comes after `/mcp/` in its path on the gateway.
        public var name = ""
        /// Its Streamable HTTP endpoint.
        public var url = HTTPURL.unset
        public var transport = MCPTransport.auto
        /// Sent as a bearer token; the caller's own is never passed on. Default none.
        public var credential: Secret?
        /// Sent with every request; names in lower case, none twice.
        public var headers: [Header] = []
        /// Which of its tools callers may use. Default all.
        public var tools = NameFilter()
        /// What a `tools/call` costs, in US dollars; nil: nothing is known.
        public var pricePerCall: USD?
        /// Whether the caller's `Authorization` goes to the server. Default false.
        public var passAuthorization = false
        public var timeout = Timeout()
        /// Who signs its certificate, instead of the system's trust store.
        public var ca: PEMFile?

        public init() {}
    }

    /// How an MCP server is reached.
    public enum MCPTransport: String, Sendable, CaseIterable { case auto, http }
}

extension Configuration.MCPServer {
    static let form = Form<Self>.section(
        "a mapping with url",
        [
            Field("url", \.url, .serverURL, required: true, example: "http://127.0.0.1:9001/mcp", "The server's Streamable HTTP endpoint, path included."),
            Field("transport", \.transport, .choice("a transport"), "How the server is spoken to: http, or auto."),
            Field(
                "credential", \.credential, Form.secret.optional, example: "env:WEATHER_TOKEN",
                "Sent to the server as a bearer token. A reference, never the credential itself. What callers send as Authorization is for the gateway and goes no further."),
            Field(
                "headers", \.headers, .headers, example: "{ x-team: a }",
                "Sent with every request, in place of the caller's. Values are references, or literals where the name is not that of a credential."),
            Field(
                "tools", \.tools, .names(of: "tools"),
                "Which of the server's tools callers may use: the others are neither listed nor called."),
            Field(
                "price_per_call", \.pricePerCall, Form.usd.optional, example: "\"0.001\"",
                "What a tools/call costs, in US dollars. Default: no cost is known."),
            Field(
                "pass_authorization", \.passAuthorization, .flag,
                """
                Pass the caller's Authorization on. MCP forbids a server to accept tokens that were not issued for it: use this only where callers hold \
                tokens of this very server. They are then told where to get them: the server's protected-resource metadata passes, at \
                /.well-known/oauth-protected-resource/mcp/{name}, with the gateway's URL as the resource, for which clients ask for tokens.
                """),
            Field("timeout", \.timeout, Configuration.Timeout.form, "How long the server may take."),
            Field("ca", \.ca, Form.pem(.certificates).optional, example: "ca.pem", "Who signs its certificate, PEM. Default: the system's trust store."),
        ], defaults: Self(),
        check: { server, node, place, reading in
            guard server.passAuthorization, server.credential != nil, let entry = node["pass_authorization"] else { return }
            reading.mistake(entry.mark, place.key("pass_authorization"), "there is a credential already", "set credential or pass_authorization, not both")
        })

    static func wrong(withName name: String) -> Wrong? {
        Configuration.Provider.isName(name)
            ? nil : Wrong(problem: "not a server's name", expected: "expected lower-case letters, digits, '.', '_' and '-', at most 64")
    }
}

extension Form where Value == HTTPURL {
    /// A whole URL, path and query as they are written.
    static var serverURL: Form {
        .scalar(
            "a URL", expected: "a URL such as http://127.0.0.1:9001/mcp",
            parse: { (text) throws(Wrong) in try HTTPURL(checking: text) }, write: { .text($0.description) })
    }
}
