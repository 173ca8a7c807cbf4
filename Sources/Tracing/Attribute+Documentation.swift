extension Attribute {
    /// How a value is written in OTLP; a list is an array of strings.
    public enum ValueType: String, Sendable {
        case string, int, double, boolean
        case strings = "string[]"
    }

    /// For `otel/telemetry.md`: the type of the value, and a sentence on what it says.
    public var documentation: (type: ValueType, meaning: StaticString) {
        switch self {
        case .operationName: (.string, "What was asked of the model: `chat`, `embeddings`; of a run's root `invoke_agent`.")
        case .providerName: (.string, "Whose API it was: `openai`, `anthropic`, `gcp.gemini`, or the name of a configured provider.")
        case .requestModel: (.string, "The model as the caller asked for it; on Azure the deployment.")
        case .conversationID: (.string, "The conversation the call belongs to, where the caller or the provider names one.")
        case .outputType: (.string, "What form of answer was asked for: `text`, `json`.")
        case .requestChoiceCount: (.int, "How many answers were asked for, where it is not one.")
        case .requestSeed: (.int, "The seed asked for.")
        case .requestStream: (.boolean, "True where a stream was asked for; absent otherwise.")
        case .requestTopK: (.int, "The sampling limit top-k.")
        case .requestMaxTokens: (.int, "The most tokens the answer may have.")
        case .requestTemperature: (.double, "The sampling temperature.")
        case .requestTopP: (.double, "The sampling limit top-p.")
        case .requestFrequencyPenalty: (.double, "The frequency penalty.")
        case .requestPresencePenalty: (.double, "The presence penalty.")
        case .requestStopSequences: (.strings, "Texts that end the answer.")
        case .requestReasoningLevel: (.string, "How much the model was asked to reason, in the caller's word.")
        case .requestPreviousResponseID: (.string, "The answer this call goes on from.")
        case .requestEncodingFormats: (.strings, "How embeddings were asked to be encoded.")
        case .embeddingsDimensionCount: (.int, "The length of the embeddings asked for.")
        case .responseID: (.string, "The provider's id of the answer.")
        case .responseModel: (.string, "The model that answered.")
        case .responseFinishReasons: (.strings, "Why the answer ended, one per choice, in the provider's own words (Gemini's in lower case).")
        case .responseTimeToFirstChunk: (.double, "Seconds from the request sent to the first chunk of a stream.")
        case .usageInputTokens: (.int, "Everything the model read, cached or not.")
        case .usageOutputTokens: (.int, "Everything the model wrote, reasoning included.")
        case .usageCacheReadInputTokens: (.int, "Of the input, what came from the provider's cache.")
        case .usageCacheWriteInputTokens: (.int, "Of the input, what was written to the provider's cache.")
        case .usageReasoningOutputTokens: (.int, "Of the output, what was reasoning.")
        case .usageCost: (.double, "The cost in US dollars, rounded to a double; `hopspan.cost.usd` is exact.")
        case .llmCostTotal: (.double, "The same, under the name that OpenInference back ends read.")
        case .systemInstructions: (.string, "The instructions given beside the messages, as JSON. Only with `telemetry.content`.")
        case .inputMessages: (.string, "The messages sent, as JSON. Only with `telemetry.content`.")
        case .outputMessages: (.string, "The messages that came back, as JSON. Only with `telemetry.content`.")
        case .toolDefinitions: (.string, "The tools offered to the model, as JSON. Only with `telemetry.content`.")
        case .agentName: (.string, "The agent whose run it is; on an agent hop the agent called.")
        case .agentVersion: (.string, "The version of itself that the agent called gives in its card, where that has been seen.")
        case .toolName: (.string, "The tool called.")
        case .promptName: (.string, "The prompt that was asked for.")
        case .toolCallArguments: (.string, "What a tool was called with, as JSON. Only with `telemetry.content`.")
        case .toolCallResult: (.string, "What a tool answered, as JSON. Only with `telemetry.content`.")
        case .mcpMethodName: (.string, "The method of an MCP message.")
        case .mcpProtocolVersion: (.string, "The revision of MCP that the message names.")
        case .mcpSessionID: (.string, "The MCP session the message belongs to.")
        case .mcpResourceURI: (.string, "The resource that is read or subscribed to.")
        case .mcpTaskID: (.string, "The MCP task that the call became, or is about.")
        case .jsonrpcRequestID: (.string, "The id of the JSON-RPC request; a number as its digits.")
        case .rpcResponseStatusCode: (.string, "The code of a JSON-RPC error.")
        case .a2aMethodName: (.string, "What was asked of an agent, by its name in A2A 1.0 whatever the version: `SendMessage`, `GetTask`.")
        case .a2aProtocolVersion: (.string, "The version of A2A that the request names, or else shows.")
        case .a2aMessageID: (.string, "The id of the message sent to an agent.")
        case .a2aTaskID: (.string, "The A2A task that the request became, or is about.")
        case .a2aTaskState: (.string, "How the task stood when last heard of: `TASK_STATE_COMPLETED`.")
        case .a2aTenant: (.string, "The tenant that the request names.")
        case .a2aReferenceTaskIDs: (.strings, "Other tasks that the message refers to.")
        case .openaiAPIType: (.string, "Which of OpenAI's APIs it was: `chat_completions`, `responses`.")
        case .openaiRequestServiceTier: (.string, "The service tier asked for, where it is not `auto`.")
        case .openaiResponseServiceTier: (.string, "The service tier that served the call.")
        case .openaiResponseSystemFingerprint: (.string, "OpenAI's name for the configuration that answered.")
        case .httpRequestMethod: (.string, "The method; `_OTHER` where it is none of the known.")
        case .httpRequestMethodOriginal: (.string, "The method as it came, where `http.request.method` is `_OTHER`.")
        case .httpResponseStatusCode: (.int, "The status the caller got.")
        case .urlFull: (.string, "Where the request went; the values of its query are redacted.")
        case .serverAddress: (.string, "The upstream's host.")
        case .serverPort: (.int, "The upstream's port.")
        case .networkTransport: (.string, "`tcp`, or `pipe` for a server that is a child process.")
        case .networkProtocolName: (.string, "`http`, where another protocol travels on it.")
        case .errorType: (.string, "What went wrong, of a closed list: an HTTP status of 400 or above, the provider's error type inside a 200, or a word of ours such as `stream_cut`.")
        case .sessionID: (.string, "The session the caller named (`telemetry.session_headers`).")
        case .runID: (.string, "The run: its trace id, or the name its caller gave it.")
        case .runName: (.string, "What the caller calls the run.")
        case .hopKind: (.string, "What the span is to its run: `run`, `llm`, `tool`, `agent`, `http`, `attempt`, `guardrail`, `external`.")
        case .linkedBy: (.string, "What tied the hop to its run: `traceparent`, `header`, `protocol`, `content`, `new`.")
        case .timing: (.string, "`measured`, or `inferred` where the times are made up from what other hops showed.")
        case .ttft: (.double, "Seconds from the request sent to the first content of the answer.")
        case .caller: (.string, "Who called: the scope in which names and evidence are valid.")
        case .workspace: (.string, "The workspace of the caller's key.")
        case .attemptNumber: (.int, "Which try of its hop it is, from 1.")
        case .costUSD: (.string, "The cost in US dollars, exact, as a decimal number.")
        case .costSource: (.string, "Where the cost comes from: `provider`, `catalogue`, `configured`, `estimated`.")
        case .costPrice: (.string, "The rates used and the catalogue's date, as JSON.")
        case .unreadable: (.strings, "What could not be read of the exchange: `request`, `response`, `content-encoding`. It passed all the same.")
        case .toolCallIDs: (.strings, "The ids of the tool calls the answer asked for.")
        case .toolCallNames: (.strings, "The tools the answer asked for.")
        case .toolResultIDs: (.strings, "The ids of the tool calls whose results the request returned.")
        case .hops: (.int, "On a run's root: the hops of the run.")
        case .llmCalls: (.int, "On a run's root: its model calls.")
        case .errors: (.int, "On a run's root: its hops in error.")
        case .unpricedHops: (.int, "On a run's root: its hops with tokens and no price.")
        case .unmeteredHops: (.int, "On a run's root: its model calls whose usage never came; not those that were turned away.")
        case .runCostUSD: (.string, "On a run's root: what its hops cost in US dollars, exact, as far as prices are known.")
        case .runInputTokens: (.int, "On a run's root: the tokens its hops read.")
        case .runOutputTokens: (.int, "On a run's root: the tokens its hops wrote.")
        }
    }
}

extension Attribute {
    /// No hop sets it yet, and the page leaves it out; a test compares with the sources.
    public var isForLater: Bool {
        switch self {
        case .runName, .caller, .workspace, .attemptNumber: true
        default: false
        }
    }

    private static let byName = Dictionary(uniqueKeysWithValues: allCases.map { ("\($0.name)", $0) })

    /// The attribute of that name on the wire; nil for those of others.
    public init?(name: String) {
        guard let attribute = Self.byName[name] else { return nil }
        self = attribute
    }
}

extension HopKind {
    public init?(name: String) {
        guard let kind = Self.allCases.first(where: { "\($0.name)" == name }) else { return nil }
        self = kind
    }
}

extension LinkedBy {
    public init?(name: String) {
        guard let link = Self.allCases.first(where: { "\($0.name)" == name }) else { return nil }
        self = link
    }
}
