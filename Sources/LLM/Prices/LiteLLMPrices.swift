public import JSON
import Tracing

/// Reads LiteLLM's `model_prices_and_context_window.json` into a price file of our layout, so that `hopspan prices --import` takes
/// either. Rates, long-prompt tiers, variants, fees, limits and dates are taken; what has no price, or a price of nothing without
/// evidence that it is free, is left out: it would make an unknown cost look like none.
public enum LiteLLMPrices {
    /// Whether a file is LiteLLM's: an object of models that name their `litellm_provider`.
    public static func isLiteLLM(_ file: JSONValue) -> Bool {
        file["providers"] == nil && file.members?.contains { $0.value["litellm_provider"] != nil } == true
    }

    /// - Parameter updated: the day the file is from, `2026-11-22`; recorded with every cost.
    /// - Throws: `badPrice` for a price that is a text and no number. A number written as text is one.
    public static func priceFile(from file: JSONValue, updated: String) throws(PriceFileError) -> [UInt8] {
        var providers: [String: [String: Entry]] = [:]
        for member in file.members ?? [] where member.name != "sample_spec" {
            guard let entry = try Entry(member.name, member.value), !entry.isWorthless else { continue }
            // A key that repeats its provider is the plainer one of two for the same model.
            if let other = providers[entry.provider]?[entry.id], other.isPrefixed, !entry.isPrefixed { continue }
            providers[entry.provider, default: [:]][entry.id] = entry
        }
        var json = JSONWriter()
        json.beginObject()
        json.key("schema"); json.int(1)
        json.key("updated"); json.string(updated)
        json.key("providers")
        json.beginObject()
        for (provider, models) in providers.sorted(by: { $0.key < $1.key }) {
            json.key(provider)
            json.beginObject()
            json.key("models")
            json.beginObject()
            for (id, entry) in models.sorted(by: { $0.key < $1.key }) {
                json.key(id)
                entry.write(to: &json)
            }
            json.endObject()
            json.endObject()
        }
        json.endObject()
        json.endObject()
        return json.bytes
    }

    /// LiteLLM's providers that have another name here.
    private static let providerNames: [String: String] = [
        "text-completion-openai": "openai", "gemini": "gcp.gemini", "bedrock": "aws.bedrock", "bedrock_converse": "aws.bedrock", "bedrock_mantle": "aws.bedrock",
        "azure": "azure.ai.openai", "azure_text": "azure.ai.openai", "azure_ai": "azure.ai.inference", "cohere_chat": "cohere", "watsonx": "ibm.watsonx.ai",
        "xai": "x_ai", "mistral": "mistral_ai", "moonshot": "moonshot_ai", "fireworks_ai-embedding-models": "fireworks_ai", "text-completion-inception": "inception",
        "meta_llama": "meta",
    ]

    private static let kinds: [String: String] = [
        "chat": "", "responses": "", "completion": "", "moderation": "", "decisions": "", "embedding": "embedding", "realtime": "realtime", "rerank": "rerank",
        "audio_transcription": "transcription", "audio_speech": "speech", "image_generation": "image", "ocr": "ocr",
    ]

    private static let rates: [(key: String, rate: Rate)] = [
        ("input_cost_per_token", .input), ("output_cost_per_token", .output), ("cache_read_input_token_cost", .cacheRead),
        ("cache_creation_input_token_cost", .cacheWrite5m), ("cache_creation_input_token_cost_above_1hr", .cacheWrite1h),
        ("cache_creation_input_token_cost_above_12hr", .cacheWrite12h), ("output_cost_per_reasoning_token", .reasoning),
        ("input_cost_per_audio_token", .audioInput), ("output_cost_per_audio_token", .audioOutput), ("cache_read_input_audio_token_cost", .audioCacheRead),
        ("input_cost_per_image_token", .imageInput), ("output_cost_per_image_token", .imageOutput), ("cache_read_input_image_token_cost", .imageCacheRead),
        ("input_cost_per_video_token", .videoInput), ("output_cost_per_video_token", .videoOutput), ("citation_cost_per_token", .citation),
    ]

    private static let variants: [(suffix: String, name: String)] = [
        ("batches", "batch"), ("flex", "flex"), ("priority", "priority"), ("ultrafast", "ultrafast"), ("balanced", "balanced"), ("decisions", "decisions"),
    ]

    /// A price list being read: rates, and by threshold what long prompts change. USD per token.
    private struct Card {
        var base = Rates()
        var tiers: [Int64: Rates] = [:]
    }

    /// One model of the file.
    private struct Entry {
        var provider: String
        var id: String
        /// The file's key names the provider before the model.
        var isPrefixed = false
        var kind: String
        var standard = Card()
        var variants: [String: Card] = [:]
        var fees: [(name: String, perThousand: Int128)] = []
        var regional: [(region: String, factor: Int128)] = []
        var audioMinute, character: Int128?
        var contextWindow, maxOutput: Int?
        var retires: String?

        init?(_ key: String, _ value: JSONValue) throws(PriceFileError) {
            guard let name = value["litellm_provider"]?.string, let mode = value["mode"]?.string, let kind = kinds[mode], !name.contains("codestral") else { return nil }
            self.kind = kind
            provider = name.hasPrefix("vertex_ai") ? "gcp.vertex_ai" : providerNames[name] ?? String(name.map { $0 == "-" ? "_" : $0 })
            id = key
            for prefix in [name, String(name.prefix { $0 != "-" }), "bedrock", "vertex_ai", "cohere", "mistral", "perplexity"] where key.hasPrefix(prefix + "/") {
                id = String(key.dropFirst(prefix.count + 1))
                isPrefixed = true
                break
            }
            // Provisioned throughput, and images priced by their steps.
            guard !id.contains("commitment"), !id.hasPrefix("invoke/"), !id.contains("steps/") else { return nil }
            for member in value.members ?? [] { try read(member, of: key) }
            readFees(value)
            completeVariants()
        }

        /// `cache_read_input_token_cost_above_200k_tokens_batches` and the like.
        /// - Parameter model: the file's key.
        private mutating func read(_ member: JSONValue.Member, of model: String) throws(PriceFileError) {
            var name = member.name[...]
            var variant: String?
            for candidate in LiteLLMPrices.variants where name.hasSuffix("_" + candidate.suffix) {
                variant = candidate.name
                name = name.dropLast(candidate.suffix.count + 1)
            }
            var threshold: Int64?
            if name.hasSuffix("k_tokens"), let marker = name.range(of: "_above_") {
                guard let thousands = Int64(name[marker.upperBound...].dropLast("k_tokens".count)), thousands > 0, thousands <= 1_000_000_000 else { return }
                threshold = thousands * 1000
                name = name[..<marker.lowerBound]
            }
            guard let rate = rates.first(where: { $0.key == name })?.rate else { return }
            if let text = member.value.string, USD(number: text) == nil { throw .badPrice(provider: provider, model: model, field: member.name) }
            // Over a cent a token is a figure that means something else.
            guard let price = Entry.dollars(member.value), price <= USD("0.01")!.units else { return }
            // A cache write at no cost means that it is not charged apart.
            if price == 0, rate == .cacheWrite5m || rate == .cacheWrite1h || rate == .cacheWrite12h { return }
            var card = variant.map { variants[$0] ?? Card() } ?? standard
            if let threshold { card.tiers[threshold, default: Rates()][rate] = price } else { card.base[rate] = price }
            if let variant { variants[variant] = card } else { standard = card }
        }

        private mutating func readFees(_ value: JSONValue) {
            if let sizes = value["search_context_cost_per_query"] {
                let fees = ["low", "medium", "high"].compactMap { size in Entry.dollars(sizes["search_context_size_" + size]).map { (size, $0) } }.filter { $0.1 > 0 }
                if fees.count == 3, Set(fees.map(\.1)).count == 1 {
                    self.fees.append(("web_search", fees[0].1 * 1000))
                } else {
                    self.fees += fees.map { ("web_search_" + $0.0, $0.1 * 1000) }
                }
            }
            for (key, name) in [("google_maps_grounding_cost_per_query", "maps"), ("input_cost_per_request", "request"), ("ocr_cost_per_page", "page"), ("annotation_cost_per_page", "page_annotated")] {
                if let price = Entry.dollars(value[key]), price > 0 { fees.append((name, price * 1000)) }
            }
            if kind == "rerank", let price = Entry.dollars(value["input_cost_per_query"]), price > 0 { fees.append(("rerank", price * 1000)) }
            if ["transcription", "speech", "realtime"].contains(kind) {
                if let price = Entry.dollars(value["input_cost_per_second"]), price > 0 { audioMinute = price * 60 }
                if let price = Entry.dollars(value["input_cost_per_character"]), price > 0 { character = price * 1_000_000 }
            }
            for (key, region) in [("regional_processing_uplift_multiplier_eu", "eu"), ("regional_processing_uplift_multiplier_us", "us"), ("regional_endpoint_uplift_multiplier", "*")] {
                if let factor = Entry.dollars(value[key]), factor > 0 { regional.append((region, factor)) }
            }
            contextWindow = value["max_input_tokens"]?.int
            maxOutput = value["max_output_tokens"]?.int
            if let date = value["deprecation_date"]?.string, date.utf8.count == 10 { retires = date }
        }

        /// A variant has all its rates: what nobody states is the standard list's, and cache writes follow a discount on input.
        private mutating func completeVariants() {
            for (name, variant) in variants {
                guard variant.base[.input] ?? 0 > 0 || variant.base[.output] ?? 0 > 0 else {
                    variants[name] = nil
                    continue
                }
                let discount: (Int128, Int128)? =
                    if let theirs = variant.base[.input], let ours = standard.base[.input], theirs < ours { (theirs, ours) } else { nil }
                var whole = Card(base: standard.base.overlaid(with: variant.base))
                if let (theirs, ours) = discount {
                    for rate in [Rate.cacheWrite5m, .cacheWrite1h, .cacheWrite12h] where variant.base[rate] == nil {
                        if let price = standard.base[rate] { whole.base[rate] = Entry.rounded(price * theirs / ours) }
                    }
                }
                for (threshold, tier) in standard.tiers {
                    var scaled = tier
                    if let (theirs, ours) = discount {
                        for rate in Rate.allCases { if let price = tier[rate] { scaled[rate] = Entry.rounded(price * theirs / ours) } }
                    }
                    whole.tiers[threshold] = scaled
                }
                for (threshold, tier) in variant.tiers { whole.tiers[threshold] = (whole.tiers[threshold] ?? Rates()).overlaid(with: tier) }
                variants[name] = whole
            }
        }

        /// No price at all, or zero for something that is not known to be free.
        var isWorthless: Bool {
            let prices = Rate.allCases.compactMap { standard.base[$0] }
            if prices.contains(where: { $0 > 0 }) || !fees.isEmpty || audioMinute != nil || character != nil { return false }
            return prices.isEmpty || !(provider == "ollama" || id.hasSuffix(":free") || id.hasSuffix("-free"))
        }

        func write(to json: inout JSONWriter) {
            json.beginObject()
            if !kind.isEmpty { json.key("kind"); json.string(kind) }
            write(standard, to: &json)
            if let audioMinute { json.key("audio_minute"); json.string(USD(units: audioMinute).description) }
            if let character { json.key("characters"); json.string(USD(units: character).description) }
            if !variants.isEmpty {
                json.key("variants")
                json.beginObject()
                for (name, card) in variants.sorted(by: { $0.key < $1.key }) {
                    json.key(name)
                    json.beginObject()
                    write(card, to: &json)
                    json.endObject()
                }
                json.endObject()
            }
            for (name, pairs) in [("per_1k", fees.map { ($0.name, $0.perThousand) }), ("regional", regional.map { ($0.region, $0.factor) })] where !pairs.isEmpty {
                json.key(name)
                json.beginObject()
                for (key, price) in pairs { json.key(key); json.string(USD(units: price).description) }
                json.endObject()
            }
            if let contextWindow { json.key("context_window"); json.int(contextWindow) }
            if let maxOutput { json.key("max_output"); json.int(maxOutput) }
            if let retires { json.key("retires"); json.string(retires) }
            json.endObject()
        }

        private func write(_ card: Card, to json: inout JSONWriter) {
            write(card.base, to: &json)
            guard !card.tiers.isEmpty else { return }
            json.key("tiers")
            json.beginArray()
            for (threshold, rates) in card.tiers.sorted(by: { $0.key < $1.key }) {
                json.beginObject()
                json.key(provider == "x_ai" ? "from" : "above")  // xAI's long prompts begin at the threshold itself
                json.int(threshold)
                write(rates, to: &json)
                json.endObject()
            }
            json.endArray()
        }

        private func write(_ rates: Rates, to json: inout JSONWriter) {
            for rate in Rate.allCases {
                guard let price = rates[rate] else { continue }
                json.key(rate.name)
                json.string(USD(units: price * 1_000_000).description)
            }
        }

        /// Dollars as a JSON number, or a text that is one, in units of `USD`. Ten digits are kept: what is behind them is a float's noise.
        static func dollars(_ value: JSONValue?) -> Int128? {
            let text: String? = if case .number(let text)? = value { text } else { value?.string }
            guard let text, let price = USD(number: text), price.units <= ModelPrices.highest.units else { return nil }
            return rounded(price.units)
        }

        static func rounded(_ price: Int128) -> Int128 {
            var scale: Int128 = 1
            while price / scale >= 10_000_000_000 { scale *= 10 }
            return (price + scale / 2) / scale * scale
        }
    }
}

extension USD {
    /// A JSON number (RFC 8259 §6), exponent included.
    fileprivate init?(number text: String) {
        let bytes = Array(text.utf8)
        var reader = JSONReader(unsafe bytes.span.bytes)  // sound: the array outlives the reader
        guard let number = try? reader.number(), let amount = USD(number) else { return nil }
        guard (try? reader.finish()) != nil else { return nil }
        self = amount
    }
}

extension Substring {
    fileprivate func range(of marker: String) -> Range<Index>? {
        var at = startIndex
        while at < endIndex {
            if self[at...].hasPrefix(marker) { return at..<index(at, offsetBy: marker.count) }
            at = index(after: at)
        }
        return nil
    }
}
