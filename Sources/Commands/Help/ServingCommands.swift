// What each command takes and says of itself. An option's parser, its place in the usage line and its line on the page are one value.

extension Command<ServeSettings> {
    static let serve = Command(
        name: "serve", summary: "run the gateway",
        explanation: [
            """
            Listens on two addresses: the gateway on 127.0.0.1:8700, which agents talk to, and the api on 127.0.0.1:8701, which \
            people and tools talk to. With no configuration it works on its defaults: the caller's own credential passes through to the \
            provider that the path names, every hop is a span in hopspan.db, and nothing is exported.
            """,
            """
            When both listen, one line of JSON goes to standard output: {"event":"ready","gateway":"127.0.0.1:8700","api":"127.0.0.1:8701"}. \
            Logs are lines of JSON on standard error.
            """,
            """
            Besides start, reload and end, the log says what an operator should hear of, at most a line a kind a second, with a count: a provider \
            that cannot be reached and why (its certificate, too), and when it can be again; names of runs that were ignored; handshakes that \
            failed, foreign hosts that were refused, connections that could not be taken; a destination that fails, and goes on; a store that \
            cannot write, and spans that were lost. OTEL_LOG_LEVEL says how much is logged.
            """,
            """
            SIGHUP, or a change of the file, loads the configuration anew; a wrong one leaves the old one in force. SIGTERM and SIGINT drain: \
            no new connections, running exchanges may end within gateway.drain, every span is written and exported once more, exit 0.
            """,
        ],
        options: [.value("--config", .path, \.config, "The configuration, YAML; hopspan help configuration has every key. Without it, no file is read.")],
        examples: [
            .init(line: "hopspan serve", meaning: "the gateway on its defaults; then, in the agent's environment:"),
            .init(line: "OPENAI_BASE_URL=http://127.0.0.1:8700/openai/v1", meaning: "for OpenAI clients"),
            .init(line: "ANTHROPIC_BASE_URL=http://127.0.0.1:8700/anthropic", meaning: "for Anthropic clients"),
            .init(line: "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 hopspan serve", meaning: "spans also go to a collector"),
            .init(line: "hopspan serve --config hopspan.yaml", meaning: "the gateway as configured"),
        ], defaults: { ServeSettings() })
}

extension Command<DemoSettings> {
    static let demo = Command(
        name: "demo", summary: "a run of several steps through a real gateway; no key needed",
        explanation: [
            """
            Starts stand-ins for OpenAI and Anthropic on this machine, for two MCP servers (one over HTTP, one a child process) and for another \
            agent (A2A), a real gateway in front of them, and an agent that answers a question in ten calls: plain and streamed answers, two tool \
            calls, one of which fails inside a 200, a question to the other agent, which asks a tool and a model itself, an overloaded provider \
            that is asked again. Then it prints the run as hopspan run does, and what it cost. Answers and their token counts are made up; the \
            prices of the models are real.
            """,
            """
            Without options everything is temporary: free ports, and a store that is gone afterwards. With --keep the gateway serves on, on the \
            default ports, for the real providers, with the demo's run in its store.
            """,
        ],
        options: [
            .flag("--keep", \.keeps, "Serve on after the demo, on the default ports and in hopspan.db, until stopped."),
            .value("--port", .port, \.port, "The gateway's port; the api takes the one above. 0 takes free ones."),
            .value("--store", .path, \.store, "Keep the run in this store."),
        ],
        examples: [
            .init(line: "hopspan demo", meaning: "see what a run looks like"),
            .init(line: "hopspan demo --keep", meaning: "then, in another terminal:"),
            .init(line: "hopspan run", meaning: "the same tree, from the running gateway"),
        ], contradiction: { $0.port == .max ? "--port 65535 leaves no port above it for the api" : nil }, defaults: { DemoSettings() })
}

extension Command<CheckSettings> {
    static let check = Command(
        name: "check", summary: "validate a configuration: every mistake at once",
        explanation: [
            """
            Reads the file and the environment as hopspan serve would. Every mistake is a line on standard error, file:line:column: key: what is \
            wrong; what was expected. Secrets are looked up, so that one that is missing shows here, and never printed.
            """,
            "Exit 0 when the gateway would start with it, 1 when it would not. Warnings do not count as mistakes.",
        ],
        operand: Operand(placeholder: "FILE", isRequired: true, meaning: "the configuration to read") { $0.file = $1 },
        examples: [
            .init(line: "hopspan check hopspan.yaml", meaning: "before a restart, or in CI"),
            .init(line: "hopspan help configuration", meaning: "what may stand in it"),
        ], defaults: { CheckSettings() })
}
