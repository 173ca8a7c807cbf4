/// Every attribute a span of ours can carry: a closed list, so that what is documented is what is emitted.
///
/// The raw value is the number a span record stores; it never leaves the process, so cases may be reordered.
/// Names: OpenTelemetry semantic conventions 1.44 (HTTP, server, error), the GenAI conventions as of 2026-08 (`gen_ai.*`), and
/// ours under `hopspan.`. `otel/telemetry.md` is printed from here.
public enum Attribute: UInt8, CaseIterable, Sendable {
    // GenAI, request
    case operationName, providerName, requestModel, conversationID, outputType
    case requestChoiceCount, requestSeed, requestStream, requestTopK, requestMaxTokens
    case requestTemperature, requestTopP, requestFrequencyPenalty, requestPresencePenalty
    case requestStopSequences, requestReasoningLevel, requestPreviousResponseID
    case requestEncodingFormats, embeddingsDimensionCount
    // GenAI, response
    case responseID, responseModel, responseFinishReasons, responseTimeToFirstChunk
    case usageInputTokens, usageOutputTokens, usageCacheReadInputTokens, usageCacheWriteInputTokens, usageReasoningOutputTokens
    case usageCost, llmCostTotal
    // GenAI, content (opt-in)
    case systemInstructions, inputMessages, outputMessages, toolDefinitions
    // GenAI, agents
    case agentName, agentVersion, toolName, promptName, toolCallArguments, toolCallResult
    // MCP and JSON-RPC
    case mcpMethodName, mcpProtocolVersion, mcpSessionID, mcpResourceURI, mcpTaskID, jsonrpcRequestID, rpcResponseStatusCode
    // A2A
    case a2aMethodName, a2aProtocolVersion, a2aMessageID, a2aTaskID, a2aTaskState, a2aTenant, a2aReferenceTaskIDs
    // OpenAI
    case openaiAPIType, openaiRequestServiceTier, openaiResponseServiceTier, openaiResponseSystemFingerprint
    // HTTP and network
    case httpRequestMethod, httpRequestMethodOriginal, httpResponseStatusCode, urlFull
    case serverAddress, serverPort, networkTransport, networkProtocolName, errorType, sessionID
    // Ours
    case runID, runName, hopKind, linkedBy, timing, ttft, caller, workspace, attemptNumber
    case costUSD, costSource, costPrice, unreadable, toolCallIDs, toolCallNames, toolResultIDs
    case hops, llmCalls, errors, unpricedHops, unmeteredHops
    case runCostUSD, runInputTokens, runOutputTokens

    /// The name on the wire.
    public var name: StaticString {
        switch self {
        case .operationName: "gen_ai.operation.name"
        case .providerName: "gen_ai.provider.name"
        case .requestModel: "gen_ai.request.model"
        case .conversationID: "gen_ai.conversation.id"
        case .outputType: "gen_ai.output.type"
        case .requestChoiceCount: "gen_ai.request.choice.count"
        case .requestSeed: "gen_ai.request.seed"
        case .requestStream: "gen_ai.request.stream"
        case .requestTopK: "gen_ai.request.top_k"
        case .requestMaxTokens: "gen_ai.request.max_tokens"
        case .requestTemperature: "gen_ai.request.temperature"
        case .requestTopP: "gen_ai.request.top_p"
        case .requestFrequencyPenalty: "gen_ai.request.frequency_penalty"
        case .requestPresencePenalty: "gen_ai.request.presence_penalty"
        case .requestStopSequences: "gen_ai.request.stop_sequences"
        case .requestReasoningLevel: "gen_ai.request.reasoning.level"
        case .requestPreviousResponseID: "gen_ai.request.previous_response.id"
        case .requestEncodingFormats: "gen_ai.request.encoding_formats"
        case .embeddingsDimensionCount: "gen_ai.embeddings.dimension.count"
        case .responseID: "gen_ai.response.id"
        case .responseModel: "gen_ai.response.model"
        case .responseFinishReasons: "gen_ai.response.finish_reasons"
        case .responseTimeToFirstChunk: "gen_ai.response.time_to_first_chunk"
        case .usageInputTokens: "gen_ai.usage.input_tokens"
        case .usageOutputTokens: "gen_ai.usage.output_tokens"
        case .usageCacheReadInputTokens: "gen_ai.usage.cache_read.input_tokens"
        case .usageCacheWriteInputTokens: "gen_ai.usage.cache_write.input_tokens"
        case .usageReasoningOutputTokens: "gen_ai.usage.reasoning.output_tokens"
        case .usageCost: "gen_ai.usage.cost"
        case .llmCostTotal: "llm.cost.total"
        case .systemInstructions: "gen_ai.system_instructions"
        case .inputMessages: "gen_ai.input.messages"
        case .outputMessages: "gen_ai.output.messages"
        case .toolDefinitions: "gen_ai.tool.definitions"
        case .agentName: "gen_ai.agent.name"
        case .agentVersion: "gen_ai.agent.version"
        case .toolName: "gen_ai.tool.name"
        case .promptName: "gen_ai.prompt.name"
        case .toolCallArguments: "gen_ai.tool.call.arguments"
        case .toolCallResult: "gen_ai.tool.call.result"
        case .mcpMethodName: "mcp.method.name"
        case .mcpProtocolVersion: "mcp.protocol.version"
        case .mcpSessionID: "mcp.session.id"
        case .mcpResourceURI: "mcp.resource.uri"
        case .mcpTaskID: "hopspan.mcp.task.id"
        case .jsonrpcRequestID: "jsonrpc.request.id"
        case .rpcResponseStatusCode: "rpc.response.status_code"
        case .a2aMethodName: "a2a.method.name"
        case .a2aProtocolVersion: "a2a.protocol.version"
        case .a2aMessageID: "a2a.message.id"
        case .a2aTaskID: "a2a.task.id"
        case .a2aTaskState: "a2a.task.state"
        case .a2aTenant: "a2a.tenant"
        case .a2aReferenceTaskIDs: "a2a.message.reference_task_ids"
        case .openaiAPIType: "openai.api.type"
        case .openaiRequestServiceTier: "openai.request.service_tier"
        case .openaiResponseServiceTier: "openai.response.service_tier"
        case .openaiResponseSystemFingerprint: "openai.response.system_fingerprint"
        case .httpRequestMethod: "http.request.method"
        case .httpRequestMethodOriginal: "http.request.method_original"
        case .httpResponseStatusCode: "http.response.status_code"
        case .urlFull: "url.full"
        case .serverAddress: "server.address"
        case .serverPort: "server.port"
        case .networkTransport: "network.transport"
        case .networkProtocolName: "network.protocol.name"
        case .errorType: "error.type"
        case .sessionID: "session.id"
        case .runID: "hopspan.run.id"
        case .runName: "hopspan.run.name"
        case .hopKind: "hopspan.hop.kind"
        case .linkedBy: "hopspan.linked_by"
        case .timing: "hopspan.timing"
        case .ttft: "hopspan.ttft"
        case .caller: "hopspan.caller"
        case .workspace: "hopspan.workspace"
        case .attemptNumber: "hopspan.attempt.number"
        case .costUSD: "hopspan.cost.usd"
        case .costSource: "hopspan.cost.source"
        case .costPrice: "hopspan.cost.price"
        case .unreadable: "hopspan.unreadable"
        case .toolCallIDs: "hopspan.tool_call.ids"
        case .toolCallNames: "hopspan.tool_call.names"
        case .toolResultIDs: "hopspan.tool_result.ids"
        case .hops: "hopspan.run.hops"
        case .llmCalls: "hopspan.run.llm_calls"
        case .errors: "hopspan.run.errors"
        case .unpricedHops: "hopspan.run.unpriced_hops"
        case .unmeteredHops: "hopspan.run.unmetered_hops"
        case .runCostUSD: "hopspan.run.cost_usd"
        case .runInputTokens: "hopspan.run.input_tokens"
        case .runOutputTokens: "hopspan.run.output_tokens"
        }
    }
}
