import JSON
import LLM
import Testing
import Tracing

/// Asks a fresh book for the cost of a million tokens read.
func price(_ catalogue: PriceCatalogue, _ provider: String, _ model: String, _ change: (inout Usage) -> Void = { _ in }) -> CallCost {
    var usage = Usage()
    usage.reported = [.input, .output]
    usage.input = 1_000_000
    change(&usage)
    let (provider, model) = (Array(provider.utf8), Array(model.utf8))
    return PriceBook(catalogue).cost(of: usage, provider: unsafe provider.span.bytes, model: unsafe model.span.bytes, at: 1_795_000_000)
}

/// A price file of ours, read.
func overlay(_ text: String) throws -> PriceCatalogue { try PriceCatalogue.bundled.overlaid(with: Array(text.utf8)) }

@Suite struct `The price catalogue` {
    @Test func `finds every one of its models by the model's own id, whatever its case`() {
        let catalogue = PriceCatalogue.bundled
        let all = catalogue.listings()
        #expect(all.count > 5000)
        #expect(Set(all.map(\.provider)).count > 100)
        for listing in all {
            for id in [listing.model, listing.model.uppercased()] {
                let found = catalogue.entry(provider: listing.provider, model: id)
                #expect(found?.model == listing.model && found?.match == .exact && found?.provider == listing.provider, "\(listing.provider) \(id)")
            }
        }
    }

    @Test func `has no price for a model it does not know, and then the cost is unknown`() {
        for (provider, model) in [("openai", "gpt-nothing"), ("nobody", "gpt-4o"), ("anthropic", ""), ("openai", String(repeating: "x", count: 100_000))] {
            let cost = price(.bundled, provider, model)
            #expect(cost.usd == nil && cost.source == CostSource.none && cost.sheet == nil)
        }
    }

    @Test(arguments: [
        ("openai", "gpt-4o", "gpt-4o", PriceMatch.exact),
        ("openai", "GPT-4o", "gpt-4o", .exact),
        ("openai", "gpt-35-turbo", "gpt-3.5-turbo", .alias),
        ("openai", "openai/gpt-4o", "gpt-4o", .cut),
        ("openai", "gpt-4o-2027-01-31", "gpt-4o", .cut),
        ("openai", "ft:gpt-4o-2024-08-06:my-org::abc123", "ft:gpt-4o-2024-08-06", .cut),
        ("openai", "ft:gpt-4o-2026-08-06:my-org::abc123", "ft:gpt-4o", .cut),
        ("anthropic", "claude-sonnet-4-6-20270101", "claude-sonnet-4-6", .cut),
        ("anthropic", "claude-4-6-opus-preview", "claude-opus-4-6", .prefix),
        ("gemini", "models/gemini-2.5-flash", "gemini-2.5-flash", .cut),
        ("google", "tunedModels/gemini-2.5-flash", "gemini-2.5-flash", .cut),
        ("vertex", "projects/p/locations/europe-west1/publishers/google/models/gemini-2.5-flash", "gemini-2.5-flash", .cut),
        ("vertex_ai", "gemini-2.5-flash@default", "gemini-2.5-flash", .cut),
        ("bedrock", "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-haiku-4-5-20251001-v1:0", "us.anthropic.claude-haiku-4-5-20251001-v1:0", .cut),
        ("bedrock", "us.amazon.nova-lite-v1:0", "us.amazon.nova-lite-v1:0", .exact),
        ("bedrock", "me.amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0", .cut),
        ("azure", "gpt-4o-2024-08-06", "gpt-4o-2024-08-06", .exact),
        ("fireworks", "accounts/fireworks/models/gpt-oss-120b", "accounts/fireworks/models/gpt-oss-120b", .exact),
        ("together", "deepseek-ai/deepseek-v3", "deepseek-ai/DeepSeek-V3", .exact),
        ("openrouter", "openai/gpt-5.2:online", "openai/gpt-5.2", .cut),
        ("groq", "groq/llama-3.3-70b-versatile", "llama-3.3-70b-versatile", .cut),
        ("mistral", "magistral-small-2509", "magistral-small", .prefix),
    ]) func `finds a model by its rules`(provider: String, id: String, model: String, match: PriceMatch) {
        let found = PriceCatalogue.bundled.entry(provider: provider, model: id)
        #expect(found?.model == model)
        #expect(found?.match == match)
    }

    @Test func `looks where a reseller's models come from`() throws {
        let catalogue = PriceCatalogue.bundled
        let azure = Set(catalogue.listings().filter { $0.provider == "azure.ai.openai" }.map { $0.model.lowercased() })
        let other = try #require(catalogue.listings().first { $0.provider == "openai" && $0.model.hasPrefix("gpt-5") && !azure.contains($0.model.lowercased()) })
        let found = catalogue.entry(provider: "azure", model: other.model)
        #expect(found?.model == other.model && found?.match == .fallback)
    }

    @Test func `never lets a shorter name price one that says more`() {
        for id in ["claude-opus-4-6x", "claude-4-6-opus-mini", "gpt-5-nano-pro", "magistral-small-vision"] {
            #expect(price(.bundled, id.hasPrefix("c") ? "anthropic" : id.hasPrefix("g") ? "openai" : "mistral_ai", id).usd == nil, "\(id)")
        }
    }

    @Test func `marks a guessed model as an estimate`() {
        let cost = price(.bundled, "anthropic", "claude-4-6-opus-preview")
        #expect(cost.usd == USD("5") && cost.isEstimated && cost.source == .estimated)
    }

    @Test func `prices by the standard list, and says so, where a tier has none`() {
        let cost = price(.bundled, "openai", "gpt-4o-mini") { $0.variant = .ultrafast }
        #expect(cost.usd == USD("0.15") && cost.isEstimated && cost.source == .estimated)
        #expect(price(.bundled, "openai", "gpt-5.2") { $0.variant = .fast }.usd == price(.bundled, "openai", "gpt-5.2") { $0.variant = .priority }.usd)
        #expect(price(.bundled, "openai", "gpt-4o") { $0.variant = .batch }.usd == USD("1.25"))
    }

    @Test func `marks the cost of a cut stream as an estimate`() {
        var usage = Usage()
        usage.reported = [.input]
        usage.input = 1_000_000
        let (provider, model) = (Array("openai".utf8), Array("gpt-4o".utf8))
        let cost = PriceBook(.bundled).cost(of: usage, provider: unsafe provider.span.bytes, model: unsafe model.span.bytes, at: 0, isComplete: false)
        #expect(cost.usd == USD("2.5") && cost.source == .estimated)
    }

    @Test func `takes the money an answer carries, and keeps its own figure beside it`() {
        let cost = price(.bundled, "openai", "gpt-4o") { $0.providerCost = USD("1.75") }
        #expect(cost.usd == USD("1.75") && cost.source == .provider && cost.computed == USD("2.5") && !cost.isEstimated)
        let unknown = price(.bundled, "openai", "gpt-nothing") { $0.providerCost = .zero }
        #expect(unknown.usd == .zero && unknown.source == .provider && unknown.computed == nil)
    }

    @Test func `says nothing where the answer said nothing`() {
        let cost = price(.bundled, "openai", "gpt-4o") { $0 = Usage() }
        #expect(cost.usd == nil && cost.source == CostSource.none)
    }

    @Test func `has no cost for a kind of token that has no price`() {
        // An embedding model that somehow wrote something.
        #expect(price(.bundled, "openai", "text-embedding-3-large").usd == USD("0.13"))
        #expect(price(.bundled, "cohere", "command-a-03-2025") { $0.audioMilliseconds = 5; $0.reported = [.events] }.usd == nil)
    }

    @Test func `tells the rates it used`() {
        let cost = price(.bundled, "openai", "GPT-4o-2024-08-06")
        #expect(cost.sheet.map { String(decoding: $0.text, as: UTF8.self) }
            == #"{"provider":"openai","model":"gpt-4o-2024-08-06","match":"exact","updated":"2026-11-22","input":"2.5","output":"10","cache_read":"1.25","web_search":"10"}"#)
        let long = price(.bundled, "openai", "gpt-6-luna") { $0.variant = .flex; $0.region = .eu }
        #expect(long.usd == USD("0.11"))
        #expect(long.sheet.map { String(decoding: $0.text, as: UTF8.self) }
            == #"{"provider":"openai","model":"gpt-6-luna","match":"exact","updated":"2026-11-22","variant":"flex","above":272000,"regional":"1.1","input":"0.1","output":"0.375","cache_read":"0.01","cache_write_5m":"0.125","cache_write_12h":"0.25","web_search":"10"}"#)
    }

    @Test func `charges what is counted by the piece`() {
        #expect(price(.bundled, "cohere", "rerank-v3.5") { $0 = Usage(); $0.reported = [.events]; $0.rerankSearches = 3 }.usd == USD("0.006"))
        #expect(price(.bundled, "openai", "whisper-1") { $0 = Usage(); $0.reported = [.events]; $0.audioMilliseconds = 90_000 }.usd == USD("0.009"))
        #expect(price(.bundled, "perplexity", "sonar") { $0.searchContext = .high; $0.webSearches = 7 }.usd == USD("1.012"))
        #expect(price(.bundled, "anthropic", "claude-opus-4-6") { $0.webSearches = 7 }.usd == USD("5.07"))
        #expect(price(.bundled, "openai", "gpt-image-1") { $0.input = 0; $0.output = 1_000_000 }.usd == USD("40"))
    }

    @Test func `adds up a call of several passes, each at its own model's price`() throws {
        let text = Array(#"{"input_tokens":1,"output_tokens":1,"server_tool_use":{"web_search_requests":1},"iterations":[{"type":"message","input_tokens":1000000,"output_tokens":0},{"type":"advisor_message","model":"claude-haiku-4-5","input_tokens":1000000,"output_tokens":0},null]}"#.utf8)
        var reader = JSONReader(unsafe text.span.bytes)
        var anthropic = AnthropicUsage()
        try anthropic.read(&reader)
        let usage = anthropic.usage
        #expect(usage.tokens.input == 2_000_000)
        let (provider, model) = (Array("anthropic".utf8), Array("claude-opus-4-6".utf8))
        let cost = PriceBook(.bundled).cost(ofIterations: anthropic.iterations, in: usage, provider: unsafe provider.span.bytes, model: unsafe model.span.bytes, at: 1_795_000_000)
        #expect(cost.usd == USD("6.01") && cost.source == .catalogue)
        let unknown = Array("claude-nothing".utf8)
        let none = PriceBook(.bundled).cost(ofIterations: anthropic.iterations, in: usage, provider: unsafe provider.span.bytes, model: unsafe unknown.span.bytes, at: 1_795_000_000)
        #expect(none.usd == nil)
    }
}

@Suite struct `A price file laid over the catalogue` {
    @Test func `replaces whole models and removes them`() throws {
        let catalogue = try overlay(#"{"updated":"2026-12-24","providers":{"openai":{"models":{"gpt-4o":{"input":"2"},"gpt-4":null,"brand-new":{"input":0.25,"output":"1"}}}}}"#)
        let cost = price(catalogue, "openai", "gpt-4o")
        #expect(cost.usd == USD("2") && cost.sheet?.match == .override && cost.sheet?.updated == "2026-12-24" && cost.source == .catalogue)
        #expect(price(catalogue, "openai", "gpt-4o") { $0.output = 1 }.usd == nil, "the old model's output rate is gone with it")
        #expect(price(catalogue, "openai", "gpt-4").usd == nil)
        #expect(price(catalogue, "openai", "BRAND-new").usd == USD("0.25"))
        #expect(price(catalogue, "openai", "gpt-4o-mini").sheet?.match == .exact)
        #expect(price(catalogue, "openai", "gpt-4o-2030-01-01").usd == USD("2"), "dates are cut from ids of the file, too")
        #expect(catalogue.updated == "2026-12-24")
        #expect(catalogue.listings(containing: "brand-new").map(\.origin) == ["overlay"])
        #expect(!catalogue.listings().contains { $0.provider == "openai" && $0.model == "gpt-4" })
    }

    @Test func `can bring a provider, names for it and rules of its own`() throws {
        let catalogue = try overlay(
            #"{"provider_aliases":{"mine":"my_llm"},"stop_words":["pro"],"providers":{"my_llm":{"usage":"anthropic","match":{"cut":["^x\\/","-[a-f0-9]{8}$"],"alias":{"old":"New"},"prefix":{"ne":"New"}},"models":{"New":{"input":"1"},"a\/b":{"input":"2"}}}}}"#)
        #expect(catalogue.usageShape("mine") == .anthropic)
        for id in ["new", "old", "x/new", "new-0123abcd", "X/OLD-0123abcd"] { #expect(price(catalogue, "mine", id).usd == USD("1"), "\(id)") }
        #expect(price(catalogue, "my_llm", "a/b").usd == USD("2"))
        #expect(price(catalogue, "my_llm", "new-0123abcg").usd == nil)
    }

    @Test(arguments: [
        ("", PriceFileError.notJSON(.endOfInput, offset: 0)),
        (#"{"providers":{}"#, .notJSON(.endOfInput, offset: 15)),
        ("[]", .notAPriceFile),
        (#"{"gpt-4o":{"input":"1"}}"#, .notAPriceFile),
        (#"{"providers":[]}"#, .notAPriceFile),
        (#"{"providers":{"openai":{"models":{"a":{"input":"cheap"}}}}}"#, .badPrice(provider: "openai", model: "a", field: "input")),
        (#"{"providers":{"openai":{"models":{"a":{"input":"-1"}}}}}"#, .badPrice(provider: "openai", model: "a", field: "input")),
        (#"{"providers":{"openai":{"models":{"a":{"output":true}}}}}"#, .badPrice(provider: "openai", model: "a", field: "output")),
        (#"{"providers":{"openai":{"models":{"a":{"input":"0.000000000000001"}}}}}"#, .badPrice(provider: "openai", model: "a", field: "input")),
        (#"{"providers":{"openai":{"models":{"a":{"input":"1e99"}}}}}"#, .badPrice(provider: "openai", model: "a", field: "input")),
        (#"{"providers":{"openai":{"models":{"a":{"input":99999}}}}}"#, .badPrice(provider: "openai", model: "a", field: "input")),
        (#"{"providers":{"openai":{"models":{"a":{"tiers":[{"above":-1,"input":"1"}]}}}}}"#, .badPrice(provider: "openai", model: "a", field: "tiers")),
        (#"{"providers":{"openai":{"models":{"a":{"scheduled":[{"from":"soon","input":"1"}]}}}}}"#, .badPrice(provider: "openai", model: "a", field: "scheduled.from")),
        (#"{"providers":{"openai":{"models":{"a":{"off_peak":{"windows":[{"utc":["25:00-26:00"]}]}}}}}}"#, .badPrice(provider: "openai", model: "a", field: "off_peak.windows.utc")),
        (#"{"providers":{"openai":{"match":{"cut":["(?<name>x)"]}}}}"#, .badPattern(provider: "openai", pattern: "(?<name>x)")),
    ]) func `is refused with the place of the mistake`(text: String, error: PriceFileError) {
        #expect(throws: error) { try overlay(text) }
    }

    @Test func `changes its prices on the day it announces`() throws {
        let catalogue = try overlay(#"{"providers":{"p":{"models":{"m":{"input":"1","variants":{"batch":{"input":"0.5"}},"scheduled":[{"from":"2027-03-01","input":"3"},{"from":"2027-01-01","input":"2","variants":{"batch":{"input":"1.5"}}}]}}}}}"#)
        func cost(at time: Int64, _ variant: PriceVariant = .standard) -> CallCost {
            var usage = Usage()
            usage.reported = [.input]
            usage.input = 1_000_000
            usage.variant = variant
            let (provider, model) = (Array("p".utf8), Array("m".utf8))
            return PriceBook(catalogue).cost(of: usage, provider: unsafe provider.span.bytes, model: unsafe model.span.bytes, at: time)
        }
        #expect(cost(at: 1_798_761_599).usd == USD("1"))  // 2026-12-31T23:59:59Z
        #expect(cost(at: 1_798_761_600).usd == USD("2"))
        #expect(cost(at: 1_798_761_600, .batch).usd == USD("1.5"))
        #expect(cost(at: 1_803_859_200, .batch).usd == USD("3"), "the list of March has no batch prices")
        #expect(cost(at: 1_803_859_200, .batch).isEstimated)
    }

    @Test func `has cheaper hours by UTC and weekday`() throws {
        let catalogue = try overlay(#"{"providers":{"p":{"models":{"m":{"input":"2","output":"4","off_peak":{"windows":[{"utc":["22:00-06:00"],"weekdays":[1]},{"utc":["00:00-00:00"],"weekdays":[7]}],"input":"1"}}}}}}"#)
        func input(_ time: Int64) -> USD? {
            var usage = Usage()
            usage.reported = [.input]
            usage.input = 1_000_000
            let (provider, model) = (Array("p".utf8), Array("m".utf8))
            return PriceBook(catalogue).cost(of: usage, provider: unsafe provider.span.bytes, model: unsafe model.span.bytes, at: time).usd
        }
        let monday: Int64 = 1_794_787_200  // 2026-11-16T00:00:00Z
        #expect(input(monday) == USD("1"))
        #expect(input(monday + 6 * 3600 - 1) == USD("1"))
        #expect(input(monday + 6 * 3600) == USD("2"))
        #expect(input(monday + 22 * 3600) == USD("1"))
        #expect(input(monday + 24 * 3600) == USD("2"))
        #expect(input(monday - 12 * 3600) == USD("1"))
        #expect(input(monday - 24 * 3600 - 1) == USD("2"))
    }

    @Test func `multiplies by region, tokens alone`() throws {
        let catalogue = try overlay(#"{"providers":{"p":{"models":{"m":{"input":"0.00000000001","per_1k":{"web_search":"10"},"regional":{"us":"1.1","*":"1.25"}}}}}}"#)
        #expect(price(catalogue, "p", "m") { $0.region = .us; $0.webSearches = 1 }.usd == USD("0.010000000011"))
        #expect(price(catalogue, "p", "m") { $0.region = .eu }.usd == USD("0.0000000000125"))
        #expect(price(catalogue, "p", "m") { $0.region = .global }.usd == USD("0.00000000001"))
    }
}

@Suite struct `Configured prices` {
    @Test func `win over the catalogue, for that provider alone`() throws {
        let catalogue = try PriceCatalogue.bundled.configured([
            ConfiguredPrices(provider: "local", priceAs: "openai", models: ["llama3": ["input": "0.10", "output": "0.20"], "gpt-4o": ["input": "9"]]),
            ConfiguredPrices(provider: "anthropic", models: ["claude-opus-4-6": ["input": "4.5", "output": "22"]]),
        ])
        let cost = price(catalogue, "local", "llama3") { $0.output = 1_000_000 }
        #expect(cost.usd == USD("0.3") && cost.source == .configured && cost.sheet?.match == .configured)
        #expect(price(catalogue, "local", "gpt-4o").usd == USD("9"))
        #expect(price(catalogue, "local", "gpt-4o-2027-02-02").usd == USD("9"), "by the rules of the list it is priced as")
        #expect(price(catalogue, "local", "gpt-4o-mini").usd == USD("0.15"))
        #expect(price(catalogue, "local", "gpt-4o-mini").source == .catalogue)
        #expect(price(catalogue, "openai", "gpt-4o").usd == USD("2.5"))
        #expect(price(catalogue, "openai", "llama3").usd == nil)
        #expect(price(catalogue, "anthropic", "claude-opus-4-6").usd == USD("4.5"))
        #expect(catalogue.usageShape("local") == .openai)
    }

    @Test func `are refused where they are no price`() {
        #expect(throws: PriceFileError.badPrice(provider: "local", model: "llama3", field: "input")) {
            try PriceCatalogue.bundled.configured([ConfiguredPrices(provider: "local", models: ["llama3": ["input": "free"]])])
        }
    }
}

@Suite struct `A price book` {
    @Test func `knows as much after ten thousand made-up names as before`() {
        let book = PriceBook(.bundled)
        var usage = Usage()
        usage.reported = [.input]
        usage.input = 1_000_000
        let provider = Array("openai".utf8)
        let known = Array("gpt-4o".utf8)
        for number in 0..<10_000 {
            let made = Array("made-up-\(number)".utf8)
            #expect(book.cost(of: usage, provider: unsafe provider.span.bytes, model: unsafe made.span.bytes, at: 0).usd == nil)
            if number % 500 == 0 { #expect(book.cost(of: usage, provider: unsafe provider.span.bytes, model: unsafe known.span.bytes, at: 0).usd == USD("2.5")) }
        }
    }

    @Test func `tells providers and models apart, wherever the border between their names lies`() throws {
        let book = PriceBook(try overlay(#"{"providers":{"ab":{"models":{"c":{"input":"1"}}},"a":{"models":{"bc":{"input":"2"}}}}}"#))
        var usage = Usage()
        usage.reported = [.input]
        usage.input = 1_000_000
        for (provider, model, cost) in [("ab", "c", "1"), ("a", "bc", "2"), ("ab", "c", "1")] {
            let (provider, model) = (Array(provider.utf8), Array(model.utf8))
            #expect(book.cost(of: usage, provider: unsafe provider.span.bytes, model: unsafe model.span.bytes, at: 0).usd == USD(cost))
        }
    }
}
