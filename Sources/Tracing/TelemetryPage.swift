/// `otel/telemetry.md`: every span, attribute and metric we emit, printed from the lists the code goes by. A test compares.
public enum TelemetryPage {
    public static var text: String {
        introduction + attributes + metrics
    }

    private static let introduction = """
        # What Hopspan emits

        Printed from `Sources/Tracing/Attribute.swift` and `Sources/Tracing/Metric.swift`; a test compares, and `RECORD=1 swift test --filter \
        TelemetryPage` writes it anew. Names without `hopspan.` are OpenTelemetry's: semantic conventions 1.44 for HTTP, server, error and \
        process, the GenAI conventions as of 2026-08 (stability: development) for `gen_ai.*` and `openai.*`.

        ## Spans

        A test holds this table against the spans of the exchanges in `Tests/GatewayTests/Fixtures`.

        | name | kind | what it is |
        |---|---|---|
        | `chat {model}`, `generate_content {model}`, `embeddings {model}` | CLIENT | a model call: one request to a provider that was understood; without `{model}` where it names none |
        | `{METHOD} {provider}` | CLIENT | any other request to a provider |
        | `tools/call {tool}` | CLIENT | a tool called at an MCP server |
        | `prompts/get {prompt}` | CLIENT | a prompt asked for at an MCP server |
        | `{method}` | CLIENT | any other message to an MCP server, by its JSON-RPC method |
        | `response` | CLIENT | a client's answer to what an MCP server asked it |
        | `{METHOD} mcp/{server}` | CLIENT | a request to an MCP server that is no message: a stream to listen on, the end of a session, or one that could not be read |
        | `invoke_agent {agent}` | CLIENT | a message sent to an A2A agent |
        | `{operation}` | CLIENT | anything else that is asked of an A2A agent, by its name in A2A 1.0: `GetTask` |
        | `{METHOD} a2a/{agent}` | CLIENT | a request to an A2A agent that is none of these: for its card, or one that could not be read |
        | `invoke_agent {agent}`, `invoke_agent` | INTERNAL | a run's own root, where its caller brought no trace; written when the run closes |

        A span has status ERROR when its hop failed, whatever the HTTP status said, and no status otherwise. The scope is `hopspan`.


        """

    private static var attributes: String {
        var page = "## Attributes\n\n| attribute | type | meaning |\n|---|---|---|\n"
        for attribute in Attribute.allCases where !attribute.isForLater {
            let (type, meaning) = attribute.documentation
            page += "| `\(attribute.name)` | \(type.rawValue) | \(meaning) |\n"
        }
        return page + "\n"
    }

    private static var metrics: String {
        var page = """
            ## Metrics

            `GET /metrics` on the api listener, in the Prometheus text format; names there are OpenTelemetry's with dots as underscores, the unit \
            behind them, and `_total` behind a counter's. Labels likewise.

            | metric | on `/metrics` | type | unit | labels | meaning |
            |---|---|---|---|---|---|

            """
        for metric in Metric.allCases {
            let definition = metric.definition
            let labels = definition.labels.map { "`\($0.rawValue)`" }.joined(separator: ", ")
            page += "| `\(definition.name)` | `\(metric.prometheusName)` | \(definition.instrument.rawValue) | `\(definition.unit)` | \(labels) | \(definition.help) |\n"
        }
        return page
    }
}
