import JSON
import LLM
import Testing
import Tracing

/// What a reader makes of the usage values of an answer or a stream, one after the other.
private func settled(_ shape: UsageShape, _ texts: String...) throws -> Usage {
    var usage = UsageReader(shape)
    for text in texts {
        let bytes = Array(text.utf8)
        var reader = JSONReader(unsafe bytes.span.bytes)
        try usage.read(&reader)
        try reader.finish()
    }
    return usage.usage
}

private func tokens(_ input: Int64, _ output: Int64, read: Int64 = -1, write: Int64 = -1, reasoning: Int64 = -1) -> TokenCounts {
    var tokens = TokenCounts()
    (tokens.input, tokens.output, tokens.cacheRead, tokens.cacheWrite, tokens.reasoning) = (input, output, read, write, reasoning)
    return tokens
}

@Suite struct `OpenAI's usage` {
    @Test func `of a chat holds cached and audio tokens inside the prompt, reasoning inside the completion`() throws {
        let usage = try settled(.openai, #"{"prompt_tokens":1000,"completion_tokens":500,"total_tokens":1500,"prompt_tokens_details":{"cached_tokens":600,"audio_tokens":100,"text_tokens":900},"completion_tokens_details":{"reasoning_tokens":200,"audio_tokens":50,"accepted_prediction_tokens":10,"rejected_prediction_tokens":20}}"#)
        #expect((usage.input, usage.cacheRead, usage.audioInput) == (300, 600, 100))
        #expect((usage.output, usage.reasoning, usage.audioOutput) == (250, 200, 50))
        #expect(usage.tokens == tokens(1000, 500, read: 600, reasoning: 200))
    }

    @Test func `of a response splits cache writes by lifetime`() throws {
        let usage = try settled(.openai, #"{"input_tokens":1000,"input_tokens_details":{"cached_tokens":100,"cache_write_tokens":300,"cache_write_tokens_details":{"ttl_30m_tokens":200,"ttl_12h_tokens":100}},"output_tokens":7,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":1007}"#)
        #expect((usage.input, usage.cacheRead, usage.cacheWrite5m, usage.cacheWrite12h) == (600, 100, 200, 100))
        #expect(usage.tokens == tokens(1000, 7, read: 100, write: 300, reasoning: 0))
    }

    @Test func `of a realtime answer splits the cached part by modality`() throws {
        let usage = try settled(.openai, #"{"total_tokens":30,"input_tokens":20,"output_tokens":10,"input_token_details":{"text_tokens":8,"audio_tokens":12,"image_tokens":0,"cached_tokens":9,"cached_tokens_details":{"text_tokens":4,"audio_tokens":5,"image_tokens":0}},"output_token_details":{"text_tokens":3,"audio_tokens":7}}"#)
        #expect((usage.input, usage.audioInput, usage.cacheRead, usage.audioCacheRead) == (4, 7, 4, 5))
        #expect((usage.output, usage.audioOutput) == (3, 7))
    }

    @Test func `of embeddings has a prompt only, and of some providers only a total`() throws {
        #expect(try settled(.openai, #"{"prompt_tokens":12,"total_tokens":12}"#).tokens == tokens(12, -1))
        #expect(try settled(.openai, #"{"total_tokens":12}"#).tokens == tokens(12, -1))
    }

    @Test func `of pictures and transcriptions counts what they are billed by`() throws {
        let picture = try settled(.openai, #"{"input_tokens":60,"input_tokens_details":{"text_tokens":10,"image_tokens":50},"output_tokens":400,"output_tokens_details":{"image_tokens":400,"text_tokens":0},"total_tokens":460}"#)
        #expect((picture.input, picture.imageInput, picture.output, picture.imageOutput) == (10, 50, 0, 400))
        let tokens = try settled(.openai, #"{"type":"tokens","input_tokens":14,"input_token_details":{"text_tokens":4,"audio_tokens":10},"output_tokens":5,"total_tokens":19}"#)
        #expect((tokens.input, tokens.audioInput, tokens.output) == (4, 10, 5))
        let duration = try settled(.openai, #"{"type":"duration","seconds":9.5}"#)
        #expect(duration.audioMilliseconds == 9500 && duration.isKnown && !duration.tokens.isKnown)
        #expect(try settled(.openai, #"{"pages_processed":3,"doc_size_bytes":1234}"#).pages == 3)
    }

    @Test func `holds the last word of a stream`() throws {
        let once = try settled(.openai, "null", "null", #"{"prompt_tokens":5,"completion_tokens":7,"total_tokens":12}"#)
        #expect(once.tokens == tokens(5, 7))
        let running = try settled(.openai, #"{"prompt_tokens":5,"completion_tokens":1}"#, #"{"prompt_tokens":5,"completion_tokens":7,"total_tokens":12}"#, #"{"prompt_tokens":null,"completion_tokens":null}"#)
        #expect(running.tokens == tokens(5, 7))
    }

    @Test func `counts reasoning once, inside or outside, as the total shows`() throws {
        let details = #""completion_tokens_details":{"reasoning_tokens":30}"#
        let inside = try settled(.openai, #"{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,\#(details)}"#)
        #expect((inside.output, inside.reasoning) == (20, 30))
        let outside = try settled(.openai, #"{"prompt_tokens":100,"completion_tokens":50,"total_tokens":180,\#(details)}"#)
        #expect((outside.output, outside.reasoning) == (50, 30))
        #expect(outside.tokens == tokens(100, 80, reasoning: 30))
        #expect(try settled(.xai, #"{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,\#(details)}"#).output == 20)
        #expect(try settled(.xai, #"{"prompt_tokens":100,"completion_tokens":50,\#(details)}"#).output == 50)
        #expect(try settled(.xai, #"{"input_tokens":100,"output_tokens":50,"output_tokens_details":{"reasoning_tokens":30}}"#).output == 20)
    }

    @Test(arguments: [
        #"{"prompt_tokens":1000,"prompt_cache_hit_tokens":400,"prompt_cache_miss_tokens":600}"#,
        #"{"prompt_cache_hit_tokens":400,"prompt_tokens":1000,"prompt_tokens_details":{"cached_tokens":400}}"#,
        #"{"prompt_tokens":1000,"prompt_tokens_details":{"cached_tokens":400},"prompt_cache_hit_tokens":400}"#,
        #"{"prompt_tokens":1000,"cached_tokens":400}"#,
    ]) func `takes cache hits from either place, not from both`(text: String) throws {
        let usage = try settled(.openai, text)
        #expect((usage.input, usage.cacheRead) == (600, 400))
    }

    @Test func `never goes below zero, whatever the details claim`() throws {
        let usage = try settled(.openai, #"{"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":50,"audio_tokens":7},"completion_tokens_details":{"reasoning_tokens":50}}"#)
        #expect((usage.input, usage.cacheRead, usage.audioInput) == (0, 10, 0))
        #expect((usage.output, usage.reasoning) == (0, 5))
        #expect(usage.tokens == tokens(10, 5, read: 10, reasoning: 5))
    }

    @Test(arguments: ["null", "{}", "[]", "1", #""x""#, #"{"prompt_tokens":null,"completion_tokens":"5","total_tokens":-1,"prompt_tokens_details":null,"cost":null}"#, #"{"prompt_tokens":1e300}"#, #"{"prompt_tokens":9223372036854775807}"#])
    func `is unknown, not zero, where nothing was said`(text: String) throws {
        let usage = try settled(.openai, text)
        #expect(!usage.isKnown && usage.tokens == TokenCounts())
    }

    @Test(arguments: [
        (#"{"cost":0.00014}"#, "0.00014"), (#"{"cost":1.4e-05}"#, "0.000014"), (#"{"cost":0}"#, "0"), (#"{"cost":2}"#, "2"), (#"{"cost":{"input_tokens_cost":0.1,"total_cost":0.006}}"#, "0.006"),
        (#"{"cost_in_usd_ticks":37756000}"#, "0.0037756"), (#"{"cost":-1}"#, nil), (#"{"cost":"1"}"#, nil), (#"{"cost":1e300}"#, nil), (#"{"cost":0.1234567890123456789}"#, "0.1234567890123456789"),
    ]) func `carries the money exactly as the answer says it`(text: String, cost: String?) throws {
        #expect(try settled(.openai, text).providerCost == cost.flatMap { USD($0) })
    }

    @Test func `counts built-in tools of a response`() throws {
        var openai = OpenAIUsage()
        let text = Array(#"{"image_gen":{"input_tokens":0},"web_search":{"num_requests":3},"file_search":{"num_requests":2}}"#.utf8)
        var reader = JSONReader(unsafe text.span.bytes)
        try openai.readToolUsage(&reader)
        #expect((openai.usage.webSearches, openai.usage.fileSearches) == (3, 2))
    }

    @Test func `of Perplexity has reasoning and citations beside the completion`() throws {
        let usage = try settled(.perplexity, #"{"prompt_tokens":40,"completion_tokens":6200,"total_tokens":6240,"citation_tokens":18000,"num_search_queries":21,"reasoning_tokens":72000,"search_context_size":"medium"}"#)
        #expect((usage.input, usage.output, usage.reasoning, usage.citation, usage.webSearches, usage.searchContext) == (40, 6200, 72000, 18000, 21, .medium))
        #expect(usage.tokens == tokens(18040, 78200, reasoning: 72000))
    }
}

@Suite struct `Anthropic's usage` {
    @Test func `leaves the cache out of the input`() throws {
        let usage = try settled(.anthropic, #"{"input_tokens":10,"cache_creation_input_tokens":300,"cache_read_input_tokens":2000,"output_tokens":50,"cache_creation":{"ephemeral_5m_input_tokens":100,"ephemeral_1h_input_tokens":200},"output_tokens_details":{"thinking_tokens":20},"server_tool_use":{"web_search_requests":2,"web_fetch_requests":1},"service_tier":"priority","inference_geo":"us"}"#)
        #expect((usage.input, usage.cacheRead, usage.cacheWrite5m, usage.cacheWrite1h) == (10, 2000, 100, 200))
        #expect((usage.output, usage.reasoning, usage.webSearches, usage.webFetches) == (30, 20, 2, 1))
        #expect((usage.variant, usage.region) == (.standard, .us))
        #expect(usage.tokens == tokens(2310, 50, read: 2000, write: 300, reasoning: 20))
    }

    @Test func `of a stream overwrites, never adds`() throws {
        let usage = try settled(.anthropic,
            #"{"input_tokens":8,"cache_creation_input_tokens":150,"cache_read_input_tokens":50,"output_tokens":2,"service_tier":"batch","cache_creation":{"ephemeral_5m_input_tokens":50,"ephemeral_1h_input_tokens":100}}"#,
            #"{"output_tokens":100}"#,
            #"{"input_tokens":9,"cache_creation_input_tokens":350,"cache_read_input_tokens":null,"output_tokens":120,"server_tool_use":{"web_search_requests":1}}"#)
        #expect((usage.input, usage.cacheRead, usage.output, usage.webSearches) == (9, 50, 120, 1))
        #expect((usage.cacheWrite5m, usage.cacheWrite1h) == (250, 100), "what grew was written for five minutes")
        #expect(usage.variant == .batch)
    }

    @Test func `of several passes is their sum`() throws {
        let usage = try settled(.anthropic, #"{"input_tokens":1,"output_tokens":1,"cache_read_input_tokens":0,"speed":"fast","iterations":[{"type":"compaction","input_tokens":1000,"output_tokens":100,"cache_read_input_tokens":5},{"type":"message","input_tokens":20,"output_tokens":30}]}"#)
        #expect((usage.input, usage.output, usage.cacheRead, usage.variant) == (1020, 130, 5, .fast))
        let none = try settled(.anthropic, #"{"input_tokens":1,"output_tokens":2,"iterations":[]}"#)
        #expect((none.input, none.output) == (1, 2))
    }
}

@Suite struct `Gemini's usage` {
    @Test func `has thoughts beside the candidates, the cache inside the prompt and tools beside it`() throws {
        let usage = try settled(.gemini, #"{"promptTokenCount":100,"cachedContentTokenCount":40,"candidatesTokenCount":20,"thoughtsTokenCount":30,"toolUsePromptTokenCount":15,"totalTokenCount":165,"promptTokensDetails":[{"modality":"TEXT","tokenCount":50},{"modality":"AUDIO","tokenCount":30},{"modality":"IMAGE","tokenCount":20}],"cacheTokensDetails":[{"modality":"AUDIO","tokenCount":10},{"modality":"TEXT","tokenCount":30}],"candidatesTokensDetails":[{"modality":"IMAGE","tokenCount":8}],"trafficType":"ON_DEMAND_PRIORITY"}"#)
        #expect((usage.input, usage.audioInput, usage.imageInput, usage.cacheRead, usage.audioCacheRead, usage.toolUsePrompt) == (20, 20, 20, 30, 10, 15))
        #expect((usage.output, usage.imageOutput, usage.reasoning, usage.variant) == (12, 8, 30, .priority))
        #expect(usage.tokens == tokens(115, 50, read: 40, reasoning: 30))
    }

    @Test func `counts thoughts once where the candidates hold them already`() throws {
        let usage = try settled(.gemini, #"{"promptTokenCount":100,"candidatesTokenCount":50,"thoughtsTokenCount":30,"totalTokenCount":150}"#)
        #expect((usage.output, usage.reasoning) == (20, 30))
    }

    @Test func `of a stream keeps the last word on each counter`() throws {
        let usage = try settled(.gemini, #"{"promptTokenCount":100,"cachedContentTokenCount":40,"totalTokenCount":100}"#, #"{"promptTokenCount":100,"candidatesTokenCount":5,"totalTokenCount":105}"#, #"{"promptTokenCount":100,"candidatesTokenCount":9,"totalTokenCount":109}"#)
        #expect(usage.tokens == tokens(100, 9, read: 40))
    }

    @Test func `of a blocked prompt has an output of nothing`() throws {
        #expect(try settled(.gemini, #"{"promptTokenCount":7,"totalTokenCount":7}"#).tokens == tokens(7, 0))
    }
}

@Suite struct `Bedrock's and Cohere's usage` {
    @Test func `of Converse leaves the cache out and splits writes by lifetime`() throws {
        let usage = try settled(.bedrock, #"{"inputTokens":10,"outputTokens":20,"totalTokens":430,"cacheReadInputTokens":100,"cacheWriteInputTokens":300,"cacheDetails":[{"ttl":"5m","inputTokens":180},{"ttl":"1h","inputTokens":120}]}"#)
        #expect((usage.input, usage.cacheRead, usage.cacheWrite5m, usage.cacheWrite1h, usage.output) == (10, 100, 180, 120, 20))
        #expect(usage.tokens == tokens(410, 20, read: 100, write: 300))
        #expect(try settled(.bedrock, #"{"inputTokenCount":3,"outputTokenCount":4,"invocationLatency":5,"firstByteLatency":1,"cacheReadInputTokenCount":6}"#).tokens == tokens(9, 4, read: 6))
    }

    @Test func `of Cohere is what it bills`() throws {
        #expect(try settled(.cohere, #"{"billed_units":{"input_tokens":5.0,"output_tokens":7},"tokens":{"input_tokens":70,"output_tokens":7},"cached_tokens":2}"#).tokens == tokens(5, 7, read: 2))
        #expect(try settled(.cohere, #"{"tokens":{"input_tokens":70,"output_tokens":7}}"#).tokens == tokens(70, 7))
        let rerank = try settled(.cohere, #"{"api_version":{"version":"2"},"billed_units":{"search_units":2}}"#)
        #expect(rerank.rerankSearches == 2 && rerank.isKnown && !rerank.tokens.isKnown)
    }
}

@Suite struct `A service tier` {
    @Test(arguments: [
        ("default", PriceVariant.standard), ("auto", .standard), ("", .standard), ("scale", .standard), ("on_demand", .standard), ("flex", .flex), ("priority", .priority), ("batch", .batch),
        ("fast", .fast), ("ultrafast", .ultrafast), ("balanced", .balanced), ("STANDARD", .standard), ("PRIORITY", .priority), ("something_new", .unlisted),
    ]) func `names a price list`(word: String, variant: PriceVariant) throws {
        let text = Array("\"\(word)\"".utf8)
        var reader = JSONReader(unsafe text.span.bytes)
        guard let string = try reader.string() else { throw JSONError.unexpectedByte }
        let read = PriceVariant(serviceTier: string)
        #expect(read == variant)
    }
}
