extension Configuration {
    /// What is recorded and where it goes.
    public struct Telemetry: Sendable, Hashable {
        /// Where spans are sent: those of the file, or without any the one of `OTEL_EXPORTER_OTLP_*`. Default none.
        public var otlp: [Destination] = []
        /// Whether prompts, replies, tool arguments and results are recorded. Default none.
        public var content = Content.none
        /// The longest content attribute, in bytes. Default 64 KiB.
        public var contentLimit = 64 << 10
        /// A run with nothing going on for this long is closed. Default 60 s.
        public var runIdle: Duration = .seconds(60)
        /// A run that waits for a tool result is not idle before this. Default 10 min.
        public var runWait: Duration = .seconds(600)
        /// Request headers that name the run, in lower case, the first one present wins. Default `x-hopspan-run`.
        public var runHeaders = ["x-hopspan-run"]
        /// Request headers that name a conversation, in lower case. Default `x-session-id`.
        public var sessionHeaders = ["x-session-id"]
        /// Whether hops without trace context are placed by what they say. Default true.
        public var linkContent = true
        /// Whether LLM providers get the caller's baggage. Default false.
        public var forwardBaggage = false

        public init() {}
    }

    public enum Content: String, Sendable, CaseIterable { case none, redacted, full }
}

extension Configuration.Telemetry {
    static let form = Form<Self>.section(
        "keys of telemetry",
        [
            Field(
                "otlp", \.otlp, .oneOrMore(Configuration.Destination.form, "a mapping with endpoint, or a list of them"),
                """
                Where spans are sent: one destination, or a list. Each follows the store with its own cursor. Wins over OTEL_EXPORTER_*; with \
                neither nothing is exported.
                """),
            Field(
                "content", \.content, .choice("a way to record content"),
                """
                Prompts, replies, tool arguments and results: none, redacted (secrets, e-mail addresses, card and phone numbers masked) or full.
                """),
            Field("content_limit", \.contentLimit, .size(atLeast: 1), "Where the content in one attribute is cut."),
            Field("run_idle", \.runIdle, .duration(), "A run that has been idle for this long is closed."),
            Field("run_wait", \.runWait, .duration(), "A run that waits for a tool result is not idle before this."),
            Field(
                "run_headers", \.runHeaders, .list(.identifyingHeader, "a list of header names such as [x-hopspan-run]"),
                "Request headers that name the run. The first that is present counts."),
            Field(
                "session_headers", \.sessionHeaders, .list(.identifyingHeader, "a list of header names such as [x-session-id]"),
                "Request headers that name a conversation: they become gen_ai.conversation.id and session.id, and never merge runs."),
            Field("link_content", \.linkContent, .flag, "Place hops that come without trace context by what they say."),
            Field(
                "forward_baggage", \.forwardBaggage, .flag,
                "Send the caller's baggage to LLM providers too. MCP servers and A2A agents always get it."),
        ], defaults: Self())
}
