import Configuration

/// Which api is asked, for every command that reads runs.
private func apiOption<Settings>(_ property: any WritableKeyPath<Settings, HTTPURL?> & Sendable) -> Option<Settings> {
    .value("--api", .url, property, "The api of a running gateway. Default: HOPSPAN_API, else \(defaultAPI). HOPSPAN_API_TOKEN is its token.")
}

extension Command<RunsSettings> {
    static let runs = Command(
        name: "runs", summary: "recent runs as a table",
        explanation: [
            """
            A run is one task of an agent: all its hops, in one tree. The latest stand first. Filters are those of GET /api/runs, exact and \
            joined by and; one that is given more than once takes either.
            """
        ],
        options: [
            .value("--since", .time, \.since, "Runs that started then or later."),
            .value("--until", .time, \.until, "Runs that started before then."),
            .repeatable("--agent", .name, \.agents, "Of this agent."),
            .repeatable("--workspace", .name, \.workspaces, "Of this workspace."),
            .repeatable("--model", .name, \.models, "That used this model."),
            .repeatable("--provider", .name, \.providers, "That used this provider; aliases will do."),
            .repeatable("--tool", .name, \.tools, "That called this tool."),
            .value("--status", .word("STATUS", ["ok", "error"]), \.status, "With a hop in error, or without one."),
            .value("--state", .word("STATE", ["open", "closed"]), \.state, "Still running, or over."),
            .value("--min-cost-usd", .dollars, \.leastCost, "That cost this much or more."),
            .value("--q", .text("TEXT", "words to look for"), \.text, "Free text over names, models and tools."),
            .value("--sort", .order, \.sort, "What stands first. Default: -started_at."),
            .value("--limit", .number("N", 1...1000), \.limit, "How many. Default: 50."),
            .value("--cursor", .text("CURSOR", "what an earlier answer ended with"), \.cursor, "Go on where an earlier list ended."),
            apiOption(\.api),
            .flag("--json", \.json, "The api's answer as it is."),
            .notYet("--watch", "Keep the table up to date."),
            .notYet("--finding", placeholder: "TYPE", "With a finding of this type."),
        ],
        examples: [
            .init(line: "hopspan runs --since 1h", meaning: "the last hour"),
            .init(line: "hopspan runs --status error --agent planner", meaning: "what went wrong for one agent"),
            .init(line: "hopspan runs --sort -cost_usd --since 7d --limit 10", meaning: "the week's ten dearest"),
            .init(line: "hopspan runs --json | jq -r '.runs[].run_id'", meaning: "for scripts"),
        ], defaults: { RunsSettings() })
}

extension Command<RunSettings> {
    static let run = Command(
        name: "run", summary: "one run's tree: cost, tokens, latency, outcome",
        explanation: [
            """
            Each line is a hop below the one that caused it. IN and OUT are tokens, cached ones included; COST is in US dollars, exact; FIRST is \
            the time to the first content of a streamed answer. The last column says how the hop ended: the provider's finish reason, or what \
            went wrong, whatever the HTTP status was.
            """,
            "A suspect, where there is one, stands first: the earliest error whose result reached the run's answer.",
        ],
        operand: Operand(placeholder: "ID", isRequired: false, meaning: "a run id, an alias of one, a trace id, or the beginning of one; the latest run without it") { $0.id = $1 },
        options: [
            .flag("--json", \.json, "The run as GET /api/runs/{run} has it."),
            .flag("--otlp", \.otlp, "The run as OTLP TracesData, JSON."),
            apiOption(\.api),
        ],
        examples: [
            .init(line: "hopspan run", meaning: "the latest run"),
            .init(line: "hopspan run 4bf92f35", meaning: "the run whose id begins so"),
            .init(line: "hopspan run nightly-42 --json | jq .cost_usd", meaning: "what a named run cost"),
            .init(line: "hopspan run --otlp > run.json", meaning: "for a back end that reads OTLP files"),
        ], contradiction: { $0.json && $0.otlp ? "--json and --otlp are two formats: one at a time" : nil }, defaults: { RunSettings() })
}

extension Command<CostSettings> {
    static let cost = Command(
        name: "cost", summary: "spend across runs",
        explanation: [
            """
            Sums what is known, in US dollars, exact. Hops whose model has no price count as unpriced and add nothing: an unknown cost is not a \
            cost of nothing. hopspan help prices says what to do about them.
            """
        ],
        options: [
            .value("--by", .costKeys, \.by, "What to add up by. Default: model."),
            .value("--since", .time, \.since, "Runs that started then or later."),
            .value("--until", .time, \.until, "Runs that started before then."),
            apiOption(\.api),
            .flag("--json", \.json, "The api's answer as it is."),
        ],
        examples: [
            .init(line: "hopspan cost --since 7d", meaning: "the week, by model"),
            .init(line: "hopspan cost --by day,model --since 30d", meaning: "the month, day by day"),
            .init(line: "hopspan cost --by agent --json", meaning: "for scripts"),
        ], defaults: { CostSettings() })
}

extension Command<PricesSettings> {
    static let prices = Command(
        name: "prices", summary: "the price catalogue; import a newer one",
        explanation: [
            """
            Prints models with their prices in US dollars per million tokens: those inside this program, with an imported file laid over them, \
            and with --config what is configured on top. One model alone is printed with all its rates. hopspan help prices says how a \
            model is found and a call is priced.
            """,
            """
            --import takes a file of the catalogue's own layout or LiteLLM's model_prices_and_context_window.json, checks it to the last price, \
            and keeps it as prices.json beside the store. A running gateway takes it up by itself.
            """,
        ],
        operand: Operand(placeholder: "MODEL", isRequired: false, meaning: "a model's name, with provider/ before it if need be; where none is called so, or with * behind it, a part of the name") { $0.model = $1 },
        options: [
            .value("--provider", .name, \.provider, "Models of this provider only."),
            .value("--import", .path, \.file, "Import this price file."),
            .value("--config", .path, \.config, "The configuration: where the store is, and the prices it sets itself. Default: none, the store is ./hopspan.db."),
            .flag("--json", \.json, "The entries as they stand in their files, as JSON."),
        ],
        examples: [
            .init(line: "hopspan prices sonnet-4", meaning: "all models whose name has that in it"),
            .init(line: "hopspan prices openai/gpt-4o", meaning: "what OpenAI takes for one"),
            .init(line: "hopspan prices --import model_prices_and_context_window.json", meaning: "newer prices"),
        ], defaults: { PricesSettings() })
}
