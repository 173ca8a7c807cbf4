import Configuration

/// A page of help that is no command's.
struct Topic: Sendable {
    let name: String
    /// No full stop.
    let summary: String
    let text: @Sendable () -> String

    static let all = [configuration, traces, limits, prices, environment, exitCodes]

    private static let configuration = Topic(name: "configuration", summary: "every key of the file, with its default") {
        Page.paragraph(
            """
            The configuration is YAML, and every key is optional. hopspan check FILE finds every mistake at once. Sizes are written 64KiB, 32MiB, \
            20GiB; durations 200ms, 30s, 10m, 1h, 30d. Secrets are references, env:NAME or file:path, never values.
            """) + "\n" + Configuration.help
    }

    private static let traces = Topic(name: "traces", summary: "how hops become runs: headers, names, what comes back") {
        [
            Page.paragraph(
                """
                Every request through the gateway is a hop, and every hop a span. Hops that belong to one task of an agent are a run: one tree. \
                Which run a hop belongs to is told by the request, strongest first:
                """),
            Page.list([
                ("traceparent", "W3C Trace Context. The hop joins that trace, below the caller's span; the run's id is the trace id. A valid one is never overridden."),
                (
                    "x-hopspan-run",
                    """
                    Names the run: 1 to 128 visible ASCII characters, scoped to the caller. Hops with the same name and no traceparent come into one \
                    trace, below a root span that the gateway makes. telemetry.run_headers sets other header names.
                    """
                ),
                ("baggage: run.id=NAME", "The same, by W3C Baggage."),
                ("none of them", "The hop is a run of its own."),
            ]),
            Page.paragraph("What else a request may say:"),
            Page.list([
                ("x-hopspan-agent", "The agent's name; else gen_ai.agent.name in baggage."),
                ("x-session-id", "A conversation or session, which may span many runs and never joins them. telemetry.session_headers sets other names."),
                ("tracestate, baggage", "Passed on as the standard says; baggage goes to LLM providers only with telemetry.forward_baggage."),
            ]),
            Page.paragraph("Headers that begin with x-hopspan- never go upstream. Every answer, errors included, carries:"),
            Page.list([
                ("traceresponse", "00-TRACE-SPAN-FLAGS: the hop's span."),
                ("x-hopspan-run", "The run's id, as hopspan run takes it."),
            ]),
            Page.paragraph(
                """
                A run closes once it has been quiet for telemetry.run_idle (60s), or when POST /api/runs/RUN/end says so; a root span of ours is \
                written then. A named run that goes on later opens again. A trace that is not sampled (flags 00) is stored, and not exported.
                """),
            Page.paragraph(
                """
                Where spans go besides the store: telemetry.otlp in the configuration, or OTEL_EXPORTER_OTLP_ENDPOINT. Prompts and answers are \
                not recorded unless telemetry.content says so.
                """),
            examples([
                ("curl -i http://127.0.0.1:8700/openai/v1/models -H \"authorization: Bearer $OPENAI_API_KEY\"", "see the two headers that come back"),
                ("… -H 'x-hopspan-run: nightly-42' -H 'x-hopspan-agent: planner'", "name the run and its agent"),
                ("hopspan run nightly-42", "its tree"),
            ]),
        ].joined(separator: "\n")
    }

    private static let limits = Topic(name: "limits", summary: "sizes, times, and the answers that are the gateway's own") {
        [
            Page.paragraph("What the gateway takes, of callers and of providers alike; what is larger is refused, and an answer that is larger is malformed:"),
            Page.list([
                ("head 64 KiB", "First line and fields, with the empty line at the end."),
                ("fields 100", "In a head, and in the trailer section of a chunked body, which may have 64 KiB too."),
                ("body 32 MiB", "Of a request that is understood, and so read whole: gateway.max_body. Others stream, and have no limit."),
                ("names 128, 256", "Visible characters of a run's name, and bytes of an agent's and a session's."),
            ]),
            Page.paragraph("How long it waits:"),
            Page.list([
                ("head 10s", "From the first byte of a request to the end of its head, and for a TLS handshake."),
                ("keep-alive 60s", "For the next request on a caller's connection."),
                ("caller 60s", "For more of a request's body, and for a caller to take more of its answer."),
                ("connect 5s", "For a connection to a provider, name and TLS included: providers.*.timeout.connect."),
                ("first byte 10m", "For an answer to begin: providers.*.timeout.first_byte."),
                ("idle 5m", "For more of an answer: providers.*.timeout.idle. There is no limit to the whole unless providers.*.timeout.total sets one."),
                ("upstream 50s", "A connection to a provider that nobody uses is kept so long."),
                ("names 30s", "What a name was resolved to counts so long; that it was not found, 1s."),
                ("drain 30s", "For running exchanges after SIGTERM: gateway.drain."),
                ("store 120ms", "Spans are gathered so long before they are written: what a killed process loses, and when a hop can be seen."),
            ]),
            Page.paragraph(
                """
                Answers that are the gateway's own, in the words of the API that is called, with traceresponse and x-hopspan-run; from a known \
                provider or server on, with a span:
                """),
            Page.list([
                ("400", "The request is malformed, or could be read in two ways; or its path leads out of what the configuration allows."),
                ("403", "A Host or Origin that is not this gateway's, where it would use a credential of its own."),
                ("404", "Nothing is known by this path; it is not built yet; or the provider needs configuration."),
                ("405", "A method that an MCP server is not spoken to with."),
                ("408", "The head or the body did not come in time."),
                ("413, 431", "The body, or the head, is too large."),
                ("501, 505", "An upgrade to WebSocket or an unknown transfer coding; another version of HTTP."),
                ("502, 504", "The provider could not be reached, broke off or sent what is no HTTP; or took too long."),
                ("503", "The gateway is shutting down; retry-after says when to ask again."),
            ]),
            examples([
                ("gateway: { max_body: 64MiB }", "in the configuration: larger requests"),
                ("providers: { openai: { timeout: { first_byte: 30m } } }", "answers that take their time"),
            ]),
        ].joined(separator: "\n")
    }

    private static let prices = Topic(name: "prices", summary: "how a call is priced, and how to set prices") {
        [
            Page.paragraph(
                """
                A call costs what its provider's list says of the tokens its answer counts: plain, cached, written to a cache, audio, each at its \
                own rate; the price list is the one the answer names (batch, flex, priority), and a long prompt moves the whole call to its tier. \
                Sums are exact decimals. Where an answer carries the money itself, that is the cost.
                """),
            Page.paragraph("A model is looked for in the list of its provider:"),
            Page.list([
                ("exact", "by its id, in any case;"),
                ("alias", "by another name of it;"),
                ("cut", "without what only says which copy it is: dates, regions, route prefixes, fine-tune names;"),
                ("fallback", "in the list of the vendor whose models the provider resells at list price;"),
                ("prefix", "by the longest known beginning. That is a guess, and the cost is marked as estimated."),
            ]),
            Page.paragraph(
                """
                A model that is not found has no cost: null in the API, counted as unpriced, never 0. To give it one, or to set a price of your own, \
                write it into the configuration, in US dollars per million tokens; it wins over every list:
                """),
            """
              providers:
                local:
                  dialect: openai
                  base_url: http://127.0.0.1:11434
                  price_as: openai                  # whose list prices the models that are not named here
                  prices: { llama3: { input: "0.10", output: "0.20" } }

            """,
            Page.paragraph(
                """
                hopspan prices --import FILE lays newer prices over the catalogue: a file of its own layout, in which null removes a model, or \
                LiteLLM's model_prices_and_context_window.json. It is kept as prices.json beside the store, and a running gateway takes it up.
                """),
            examples([
                ("hopspan prices gpt-4o", "what is known"),
                ("hopspan cost --since 1d", "what was spent, and how many hops had no price"),
            ]),
        ].joined(separator: "\n")
    }

    private static let environment = Topic(name: "environment", summary: "the variables that are read") {
        [
            Page.paragraph("For commands that ask a running gateway:"),
            Page.list([
                ("HOPSPAN_API", "The api's URL, where --api does not say. Default: \(defaultAPI)."),
                ("HOPSPAN_API_TOKEN", "The api's token, sent as Authorization: Bearer. In the configuration, api.token: env:HOPSPAN_API_TOKEN sets the same."),
            ]),
            Page.paragraph("For hopspan serve, besides what env:NAME in the configuration refers to:"),
            Page.list([
                ("OTEL_EXPORTER_OTLP_ENDPOINT", "Where spans are exported, with its siblings _TRACES_ENDPOINT, _HEADERS, _COMPRESSION, _TIMEOUT, _CERTIFICATE, _CLIENT_CERTIFICATE, _CLIENT_KEY. telemetry.otlp in the file wins."),
                ("OTEL_TRACES_EXPORTER", "otlp or none."),
                ("OTEL_SERVICE_NAME", "service.name of the spans; hopspan unless set."),
                ("OTEL_RESOURCE_ATTRIBUTES", "Further attributes of the resource: key=value,key=value."),
                ("OTEL_TRACES_SAMPLER", "always_on, always_off, traceidratio and their parentbased_ forms, with OTEL_TRACES_SAMPLER_ARG. What is not sampled is stored, and not exported."),
                ("OTEL_PROPAGATORS", "tracecontext,baggage or tracecontext."),
                ("OTEL_BSP_SCHEDULE_DELAY", "Milliseconds between exports; also OTEL_BSP_EXPORT_TIMEOUT (for one try of a batch) and OTEL_BSP_MAX_EXPORT_BATCH_SIZE."),
                ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "Limits of spans, with the siblings that OpenTelemetry specifies."),
                ("OTEL_SDK_DISABLED", "true exports nothing."),
                ("OTEL_LOG_LEVEL", "How much is logged."),
                ("HTTPS_PROXY, HTTP_PROXY, NO_PROXY", "Proxies for providers and collectors; the lower-case spellings win."),
                ("SSL_CERT_FILE, SSL_CERT_DIR", "Whose certificates are trusted, instead of the system's store."),
            ]),
            Page.paragraph("For all:"),
            Page.list([("NO_COLOR", "No colour on terminals, whatever it is set to. Elsewhere there never is any.")]),
        ].joined(separator: "\n")
    }

    private static let exitCodes = Topic(name: "exit-codes", summary: "what the exit status says") {
        Page.list([
            ("0", "Done. Of hopspan serve: drained after SIGTERM or SIGINT."),
            ("1", "Failed: a wrong configuration, a port or a store that another process holds, an api that cannot be reached or refuses, a run that is not known, something that is not in this build yet."),
            ("2", "Wrong arguments. A sentence on standard error says which, and how it is done."),
        ]) + "\n" + Page.paragraph("Answers go to standard output, everything else to standard error.")
    }

    private static func examples(_ examples: [(line: String, meaning: String)]) -> String {
        "examples:\n" + examples.map { "  " + $0.line + "\n" + Page.paragraph($0.meaning, indent: 6) }.joined()
    }
}
