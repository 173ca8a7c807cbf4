public import Policy
public import Tracing

extension Configuration {
    /// An MCP server behind the gateway.
    public struct MCPServer: Sendable, Hashable {
        /// What comes after `/mcp/` in its path on the gateway.
        public var name = ""
        /// Its Streamable HTTP endpoint; unset where there is a command.
        public var url = HTTPURL.unset
        /// The program that is the server, with its arguments, spoken to over standard input and output; empty where there is a URL.
        public var command: [String] = []
        /// All of that program's environment.
        public var environment: [Variable] = []
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

    /// An environment variable of a program. Its value may be a literal, but is never shown.
    public struct Variable: Sendable, Hashable {
        public let name: String
        public let value: Secret

        public init(name: String, value: Secret) {
            self.name = name
            self.value = value
        }
    }

    /// How an MCP server is reached.
    public enum MCPTransport: String, Sendable, CaseIterable { case auto, http, sse }
}

extension Configuration.MCPServer {
    static let form = Form<Self>.section(
        "a mapping with url or command",
        [
            Field("url", \.url, .serverURL, example: "http://127.0.0.1:9001/mcp", "The server's Streamable HTTP endpoint, path included. Either this or command."),
            Field(
                "command", \.command, .command, example: "[mcp-server-files, /srv]", alternative: true,
                """
                A server that is a program, spoken to over its standard input and output: the program and its arguments. It is started when it is \
                needed, once for each session and once for all requests without one, and ended with the gateway. A program without a slash is looked \
                for in the gateway's PATH.
                """),
            Field(
                "env", \.environment, .environment, example: "{ MODE: ro, PATH: \"env:PATH\" }", alternative: true,
                """
                All of the environment that the program gets: nothing of the gateway's own comes with it. Values are references, or literals where the \
                name is not that of a credential.
                """),
            Field("transport", \.transport, .choice("a transport"), "How the server is spoken to: http is Streamable HTTP, sse the two endpoints of MCP 2024-11-05, whose event stream is at url."),
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
            server.checkWay(node, place, reading)
            guard server.passAuthorization, server.credential != nil, let entry = node["pass_authorization"] else { return }
            reading.mistake(entry.mark, place.key("pass_authorization"), "there is a credential already", "set credential or pass_authorization, not both")
        })

    /// A server has one way to it, and what belongs to the other has no meaning.
    private func checkWay(_ node: Node, _ place: Place, _ reading: Reading) {
        let (url, command) = (node["url"], node["command"])
        guard let way = url ?? command else { return reading.mistake(node.mark, place, "neither url nor command", "expected one of the two") }
        if url != nil, let command { reading.mistake(command.mark, place.key("command"), "there is a url already", "set url or command, not both") }
        let strays = way.key == "url" ? ["env"] : ["transport", "credential", "headers", "pass_authorization", "ca"]
        for stray in strays where url == nil || command == nil {
            guard let entry = node[stray] else { continue }
            reading.mistake(entry.mark, place.key(stray), "has no meaning with \(way.key)", stray == "credential" ? "put it into env" : "remove it")
        }
    }

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
            parse: { (text) throws(Wrong) in try HTTPURL(checking: text) }, write: { $0 == .unset ? .null : .text($0.description) })
    }
}

extension Form where Value == [String] {
    /// A program and its arguments. Relative to the file where it is a path.
    static var command: Form {
        let expected = "a list such as [mcp-server-files, /srv]"
        return Form(
            expected,
            read: { node, place, reading in
                guard let items = reading.items(node, place, "expected " + expected) else { return nil }
                var command = items.enumerated().compactMap { reading.scalar($0.element, place.item($0.offset), "expected a word") }
                guard command.count == items.count else { return nil }
                guard let program = command.first, !program.isEmpty, command.allSatisfy({ !$0.utf8.contains(0) }) else {
                    reading.mistake(node.mark, place, "no program", "expected " + expected)
                    return nil
                }
                if program.contains("/") { command[0] = reading.resolved(program) }
                return command
            }, write: { .list($0.map { .text($0) }) })
    }
}

extension Form where Value == [Configuration.Variable] {
    /// Environment variables.
    static var environment: Form {
        let expected = "a mapping from names to references or values"
        return Form(
            expected,
            read: { node, place, reading in
                (reading.entries(node, place, "expected " + expected) ?? []).compactMap { entry in
                    let at = place.name(entry.key)
                    guard Reading.isVariableName(entry.key) else {
                        reading.mistake(entry.mark, at, "not the name of an environment variable", "expected a name such as MODE")
                        return nil
                    }
                    return value(entry, at, reading).map { Configuration.Variable(name: entry.key, value: $0) }
                }
            },
            write: { variables in .map(variables.map { Written.Entry($0.name, .text($0.value.reference)) }) })
    }

    private static func value(_ entry: Node.Entry, _ place: Place, _ reading: Reading) -> Secret? {
        // Written in quotes, nothing is a value, too.
        if case .scalar("", plain: false) = entry.value.content { return Secret(literal: "") }
        guard let text = reading.scalar(entry.value, place, "expected a reference such as env:KEY, or a value") else { return nil }
        let schemes = ["env", "file"] + NotInThisBuild.secretSchemes
        if FieldName.isSensitive(entry.key.replacing("_", with: "-")) || schemes.contains(where: { text.hasPrefix($0 + ":") }) {
            return reading.secret(text, entry.value.mark, place)
        }
        guard !text.utf8.contains(0) else {
            reading.mistake(entry.value.mark, place, "not a value", "expected text")
            return nil
        }
        return Secret(literal: text)
    }
}
