import JSON
import LLM
import Testing
import Tracing

@Suite struct `LiteLLM's price file` {
    /// A few entries in the shape of the real file, which is far too long to keep.
    static let file = """
        {"sample_spec": {"litellm_provider": "one of", "mode": "chat", "input_cost_per_token": 1},
         "gpt-x": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1.5e-07, "output_cost_per_token": 6.000000000000001e-07,
            "cache_read_input_token_cost": 7.5e-08, "cache_creation_input_token_cost": 1.875e-07, "input_cost_per_token_above_272k_tokens": 3e-07,
            "input_cost_per_token_batches": 7.5e-08, "output_cost_per_token_batches": 3e-07, "max_input_tokens": 128000, "max_output_tokens": 16384,
            "search_context_cost_per_query": {"search_context_size_low": 0.01, "search_context_size_medium": 0.01, "search_context_size_high": 0.01},
            "regional_processing_uplift_multiplier_eu": 1.1, "deprecation_date": "2027-05-01", "supports_vision": true},
         "xai/grok-x": {"litellm_provider": "xai", "mode": "chat", "input_cost_per_token": 2e-06, "output_cost_per_token": 1e-05, "input_cost_per_token_above_200k_tokens": 4e-06},
         "vertex_ai/claude-x": {"litellm_provider": "vertex_ai-anthropic_models", "mode": "chat", "input_cost_per_token": 3e-06, "output_cost_per_token": 1.5e-05},
         "perplexity/sonar-x": {"litellm_provider": "perplexity", "mode": "chat", "input_cost_per_token": 1e-06, "output_cost_per_token": 1e-06,
            "search_context_cost_per_query": {"search_context_size_low": 0.005, "search_context_size_medium": 0.008, "search_context_size_high": 0.012}},
         "whisper-x": {"litellm_provider": "openai", "mode": "audio_transcription", "input_cost_per_second": 0.0001, "output_cost_per_second": 0},
         "rerank-x": {"litellm_provider": "cohere", "mode": "rerank", "input_cost_per_query": 0.002, "input_cost_per_token": 0.0},
         "nobody-knows": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 0, "output_cost_per_token": 0},
         "openrouter/some/model:free": {"litellm_provider": "openrouter", "mode": "chat", "input_cost_per_token": 0, "output_cost_per_token": 0},
         "bedrock/us-east-1/1-month-commitment/x": {"litellm_provider": "bedrock", "mode": "chat", "input_cost_per_second": 0.01},
         "1024-x-1024/50-steps/image": {"litellm_provider": "bedrock", "mode": "image_generation", "output_cost_per_image": 0.04},
         "absurd": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 5.0, "output_cost_per_token": 1e300}}
        """

    @Test func `becomes a price file that lies over the catalogue`() throws {
        let tree = try JSONValue(Self.file)
        #expect(LiteLLMPrices.isLiteLLM(tree))
        let catalogue = try PriceCatalogue.bundled.overlaid(with: LiteLLMPrices.priceFile(from: tree, updated: "2026-12-31"))
        let cost = price(catalogue, "openai", "gpt-x") { $0.input = 1000; $0.output = 1000; $0.cacheRead = 1000; $0.cacheWrite5m = 1000 }
        #expect(cost.usd == USD("0.0010125"))
        #expect(cost.sheet?.match == .override && cost.sheet?.updated == "2026-12-31")
        let batch = price(catalogue, "openai", "gpt-x") { $0.variant = .batch; $0.input = 1000; $0.output = 1000; $0.cacheWrite5m = 1000 }
        #expect(batch.usd == USD("0.00046875"), "cache writes follow the discount")
        #expect(price(catalogue, "openai", "gpt-x") { $0.region = .eu; $0.webSearches = 1 }.usd == USD("0.34"), "long prompt, in region, and a search")
        #expect(price(catalogue, "xai", "grok-x") { $0.input = 200_000 }.usd == USD("0.8"))
        #expect(price(catalogue, "vertex", "claude-x").usd == USD("3"))
        #expect(price(catalogue, "perplexity", "sonar-x") { $0.searchContext = .medium }.usd == USD("1.008"))
        #expect(price(catalogue, "openai", "whisper-x") { $0 = Usage(); $0.reported = [.events]; $0.audioMilliseconds = 60_000 }.usd == USD("0.006"))
        #expect(price(catalogue, "cohere", "rerank-x") { $0 = Usage(); $0.reported = [.events]; $0.rerankSearches = 1 }.usd == USD("0.002"))
        #expect(price(catalogue, "openrouter", "some/model:free").usd == .zero)
        #expect(catalogue.listings(containing: "gpt-x").first.map { String(decoding: $0.text, as: UTF8.self).contains("\"retires\":\"2027-05-01\"") } == true)
    }

    @Test(arguments: [("openai", "nobody-knows"), ("openai", "absurd"), ("bedrock", "us-east-1/1-month-commitment/x"), ("bedrock", "50-steps/image"), ("one_of", "sample_spec")])
    func `brings no model without a price that can be right`(provider: String, model: String) throws {
        let catalogue = try PriceCatalogue.bundled.overlaid(with: LiteLLMPrices.priceFile(from: JSONValue(Self.file), updated: ""))
        #expect(price(catalogue, provider, model).usd == nil)
    }

    @Test func `takes a price that is written as text`() throws {
        let text = #"{"gpt-t":{"litellm_provider":"openai","mode":"chat","input_cost_per_token":"2e-6","output_cost_per_token":"0.00001"}}"#
        let catalogue = try PriceCatalogue.bundled.overlaid(with: LiteLLMPrices.priceFile(from: JSONValue(text), updated: ""))
        #expect(price(catalogue, "openai", "gpt-t") { $0.input = 1_000_000; $0.output = 1_000_000 }.usd == USD("12"))
    }

    @Test(arguments: ["cheap", "", "2e-6$", "0x2"]) func `refuses a price that is no number, naming it`(word: String) throws {
        let text = #"{"gpt-t":{"litellm_provider":"openai","mode":"chat","input_cost_per_token":"\#(word)","output_cost_per_token":1e-5}}"#
        #expect(throws: PriceFileError.badPrice(provider: "openai", model: "gpt-t", field: "input_cost_per_token")) {
            try LiteLLMPrices.priceFile(from: JSONValue(text), updated: "")
        }
    }

    @Test(arguments: ["9223372036854775807", "9223372036854776", "-9223372036854775808", "99999999999999999999"])
    func `may name a threshold that is no number of tokens`(thousands: String) throws {
        let tree = try JSONValue(#"{"gpt-x":{"litellm_provider":"openai","mode":"chat","input_cost_per_token":1e-06,"input_cost_per_token_above_\#(thousands)k_tokens":2e-06}}"#)
        let catalogue = try PriceCatalogue.bundled.overlaid(with: LiteLLMPrices.priceFile(from: tree, updated: "2026-12-31"))
        #expect(price(catalogue, "openai", "gpt-x").usd == USD("1"))
    }

    @Test(arguments: ["{}", "[]", #"{"providers":{}}"#, #"{"gpt-x":{"input":"1"}}"#]) func `is told from others`(text: String) throws {
        #expect(try !LiteLLMPrices.isLiteLLM(JSONValue(text)))
    }
}
