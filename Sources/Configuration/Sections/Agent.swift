public import Policy
public import Tracing

extension Configuration {
    /// An A2A agent behind the gateway.
    public struct Agent: Sendable, Hashable {
        /// What comes after `/a2a/` in its path on the gateway.
        public var name = ""
        /// Where its agent card is, and its JSON-RPC endpoint; without a slash at its end.
        public var url = HTTPURL.unset
        /// Sent as a bearer token; the caller's own is never passed on. Default none.
        public var credential: Secret?
        /// Sent with every request; names in lower case, none twice.
        public var headers: [Header] = []
        /// Which of its skills callers may use. Default all.
        public var skills = NameFilter()
        /// What a message to the agent costs, in US dollars; nil: nothing is known.
        public var pricePerCall: USD?
        /// Whether the caller's `Authorization` goes to the agent. Default false.
        public var passAuthorization = false
        public var timeout = Timeout()
        /// Who signs its certificate, instead of the system's trust store.
        public var ca: PEMFile?

        public init() {}
    }
}

extension Configuration.Agent {
    static let form = Form<Self>.section(
        "a mapping with url",
        [
            Field(
                "url", \.url, .baseURL, required: true, example: "http://127.0.0.1:9002",
                """
                The agent's URL: that of its JSON-RPC endpoint, and what /.well-known/agent-card.json is put behind. What callers put behind \
                /a2a/{name} is put behind it.
                """),
            Field(
                "credential", \.credential, Form.secret.optional, example: "env:RESEARCHER_TOKEN",
                "Sent to the agent as a bearer token. A reference, never the credential itself. What callers send as Authorization is for the gateway and goes no further."),
            Field(
                "headers", \.headers, .headers, example: "{ x-team: a }",
                "Sent with every request, in place of the caller's. Values are references, or literals where the name is not that of a credential."),
            Field(
                "skills", \.skills, .names(of: "skills"),
                """
                Which of the agent's skills callers may use, by their ids: its card does not show the others. An agent chooses the skill itself, so \
                that only a message that names one in its metadata (skillId) can be refused.
                """),
            Field(
                "price_per_call", \.pricePerCall, Form.usd.optional, example: "\"0.05\"",
                "What a message sent to the agent costs, in US dollars. Default: no cost is known."),
            Field(
                "pass_authorization", \.passAuthorization, .flag,
                "Pass the caller's Authorization on. Use this only where callers hold credentials of this very agent."),
            Field(
                "timeout", \.timeout, Configuration.Timeout.form,
                "How long the agent may take. A task that waits for input or for leave may be silent for as long as it likes."),
            Field("ca", \.ca, Form.pem(.certificates).optional, example: "ca.pem", "Who signs its certificate, PEM. Default: the system's trust store."),
        ], defaults: Self(),
        check: { agent, node, place, reading in
            guard agent.passAuthorization, agent.credential != nil, let entry = node["pass_authorization"] else { return }
            reading.mistake(entry.mark, place.key("pass_authorization"), "there is a credential already", "set credential or pass_authorization, not both")
        })

    static func wrong(withName name: String) -> Wrong? {
        Configuration.Provider.isName(name)
            ? nil : Wrong(problem: "not an agent's name", expected: "expected lower-case letters, digits, '.', '_' and '-', at most 64")
    }
}
