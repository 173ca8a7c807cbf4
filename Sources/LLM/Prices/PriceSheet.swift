import JSON
import Tracing

/// The rates one kind of call goes by, resolved: a model, one of its lists, what the hour, the day, the prompt's length and the
/// region change. Belongs to one `PriceBook` and its loop; not shared between threads.
public final class PriceSheet {
    /// Whose list it is, and the model in it, as its file spells it.
    public let provider: String
    public let model: String
    public let match: PriceMatch
    /// The day of the price file; empty where it does not say.
    public let updated: String
    let key: Key
    let isGuess: Bool
    let isStandIn: Bool
    /// What the list gives.
    private let given: Rates
    /// The same with every missing rate taken from its parent: by rate, and a bit for each that there is.
    private let perToken: [Int128]
    private let priced: UInt16
    private let multiplier: Int128?
    private let tier: ModelPrices.Tier?
    private let fees: ModelPrices.EventFees
    private let hasFeePerCall: Bool
    private let audioMinute: Int128?
    private let character: Int128?

    /// What tells the sheets of one model apart.
    struct Key: Hashable {
        var phase = 0
        var variant = PriceVariant.standard
        var isOffPeak = false
        /// From 1; 0 is the list itself.
        var tier = 0
        var region = ProcessingRegion.global
    }

    init(_ found: PriceCatalogue.Found, _ key: Key) {
        let prices = found.prices
        let variant = prices.variant(key.phase, key.variant)
        let list = variant.map { prices.phases[key.phase].variants[$0].list } ?? prices.phases[key.phase].standard
        var rates = list.rates
        if key.isOffPeak, let offPeak = prices.offPeak { rates = rates.overlaid(with: offPeak.rates) }
        tier = key.tier > 0 ? list.tiers[key.tier - 1] : nil
        if let tier { rates = rates.overlaid(with: tier.rates) }
        (provider, model, match, updated) = (found.provider, found.model, found.match, found.updated)
        self.key = key
        isGuess = found.rule == .prefix
        isStandIn = key.variant != .standard && variant == nil
        given = rates
        let complete = rates.completed()
        perToken = Rate.allCases.map { complete[$0] ?? 0 }
        priced = complete.given
        multiplier = prices.regional(key.region)
        (fees, audioMinute, character) = (prices.fees, prices.audioMinute, prices.character)
        hasFeePerCall = fees.request != nil || fees.webSearchLow != nil
    }

    /// Exact. Nil where something was used that has no price.
    func cost(of usage: Usage) -> USD? {
        var sum: Int128 = 0
        func add(_ count: Int64, _ rate: Rate) -> Bool {
            guard count > 0 else { return true }
            guard priced & 1 << rate.rawValue != 0 else { return false }
            sum &+= Int128(count) &* perToken[Int(rate.rawValue)]
            return true
        }
        var isPriced =
            add(usage.input + usage.toolUsePrompt, .input) && add(usage.output, .output) && add(usage.cacheRead, .cacheRead)
            && add(usage.reasoning, .reasoning) && add(usage.cacheWrite5m, .cacheWrite5m)
        // Few calls have any of these.
        let others =
            usage.cacheWrite1h | usage.cacheWrite12h | usage.citation | usage.audioInput | usage.audioOutput | usage.audioCacheRead
            | usage.imageInput | usage.imageOutput | usage.imageCacheRead | usage.videoInput | usage.videoOutput
        if others != 0 {
            isPriced =
                isPriced && add(usage.cacheWrite1h, .cacheWrite1h) && add(usage.cacheWrite12h, .cacheWrite12h) && add(usage.citation, .citation)
                && add(usage.audioInput, .audioInput) && add(usage.audioOutput, .audioOutput) && add(usage.audioCacheRead, .audioCacheRead)
                && add(usage.imageInput, .imageInput) && add(usage.imageOutput, .imageOutput) && add(usage.imageCacheRead, .imageCacheRead)
                && add(usage.videoInput, .videoInput) && add(usage.videoOutput, .videoOutput)
        }
        guard isPriced else { return nil }
        // Sound in 128 bits: a count is below 2^48 and a price below 2^80; and exact, since prices have decimals to spare.
        if let multiplier { sum = Self.multiply(sum, by: multiplier) }
        let events =
            usage.webSearches | usage.fileSearches | usage.mapsQueries | usage.rerankSearches | usage.pages | usage.annotatedPages | usage.characters
            | usage.audioMilliseconds
        if events != 0 || hasFeePerCall {
            guard let fees = eventCost(usage) else { return nil }
            sum += fees
        }
        return USD(units: sum)
    }

    /// `sum` times a multiplier with `USD.decimals` decimals.
    private static func multiply(_ sum: Int128, by multiplier: Int128) -> Int128 {
        // `1.1` is 11 tenths: without its trailing zeros the multiplier is small, and the product stays in range.
        var (factor, divisor) = (multiplier, 100_000_000_000_000_000_000 as Int128)
        while divisor > 1, factor % 10 == 0 {
            factor /= 10
            divisor /= 10
        }
        let (product, overflow) = sum.multipliedReportingOverflow(by: factor)
        return overflow ? sum / divisor * factor : product / divisor
    }

    /// What is paid by the piece.
    private func eventCost(_ usage: Usage) -> Int128? {
        var sum: Int128 = fees.request ?? 0
        if let low = fees.webSearchLow {
            // By the size of the search: one fee a call, however many queries it made (Perplexity).
            switch usage.searchContext {
            case .low: sum += low
            case .medium: sum += fees.webSearchMedium ?? low
            case .high: sum += fees.webSearchHigh ?? low
            }
        } else {
            sum += Int128(usage.webSearches) * (fees.webSearch ?? 0)
        }
        sum += Int128(usage.fileSearches) * (fees.fileSearch ?? 0)
        sum += Int128(usage.mapsQueries) * (fees.maps ?? 0)
        sum += Int128(usage.rerankSearches) * (fees.rerank ?? 0)
        sum += Int128(usage.pages) * (fees.page ?? 0)
        sum += Int128(usage.annotatedPages) * (fees.annotatedPage ?? 0)
        sum += Int128(usage.characters) * (character ?? 0)
        // Transcription that is priced by tokens as well goes by those where the answer has them.
        if usage.reported.isDisjoint(with: [.input, .output]) || priced & 1 << Rate.input.rawValue == 0, usage.audioMilliseconds > 0 {
            guard let audioMinute else { return nil }
            sum += Int128(usage.audioMilliseconds) * audioMinute / 60_000
        }
        let isBilled = usage.pages == 0 || fees.page != nil
        return isBilled ? sum : nil
    }

    /// The rates used, as compact JSON: the value of `hopspan.cost.price`. Written at first asking and kept.
    public private(set) lazy var text: [UInt8] = {
        var json = JSONWriter()
        json.beginObject()
        json.key("provider"); json.string(provider)
        json.key("model"); json.string(model)
        json.key("match"); json.string("\(match.name)")
        if !updated.isEmpty { json.key("updated"); json.string(updated) }
        if key.variant != .standard { json.key("variant"); json.string("\(key.variant.name)") }
        if isStandIn { json.key("list"); json.string("standard") }
        if key.isOffPeak { json.key("off_peak"); json.bool(true) }
        if let tier {
            json.key(tier.isInclusive ? "from" : "above")
            json.int(tier.threshold)
        }
        if let multiplier { json.key("regional"); json.string(USD(units: multiplier).description) }
        for rate in Rate.allCases {
            guard let price = given[rate] else { continue }
            json.key(rate.name)
            json.string(USD(units: price * 1_000_000).description)
        }
        write(fees.request, "request", to: &json)
        write(fees.webSearchLow == nil ? fees.webSearch : nil, "web_search", to: &json)
        write(fees.webSearchLow, "web_search_low", to: &json)
        write(fees.webSearchMedium, "web_search_medium", to: &json)
        write(fees.webSearchHigh, "web_search_high", to: &json)
        write(fees.rerank, "rerank", to: &json)
        write(fees.page, "page", to: &json)
        if let audioMinute { json.key("audio_minute"); json.string(USD(units: audioMinute).description) }
        json.endObject()
        return json.bytes
    }()

    /// A fee, per thousand as the catalogue has it.
    private func write(_ fee: Int128?, _ name: StaticString, to json: inout JSONWriter) {
        guard let fee else { return }
        json.key(name)
        json.string(USD(units: fee * 1000).description)
    }
}

extension ModelPrices {
    /// The place in `phases` of the prices of that day (days since 1970-01-01, UTC).
    func phase(_ day: Int) -> Int { phases.lastIndex { $0.from <= day } ?? 0 }

    /// The place among the phase's variants of the one that prices `variant`; nil where the standard list does.
    func variant(_ phase: Int, _ variant: PriceVariant) -> Int? {
        guard variant != .standard else { return nil }
        if let index = phases[phase].variants.firstIndex(where: { $0.variant == variant }) { return index }
        // OpenAI's `fast` is its `priority` under another name.
        return variant == .fast ? phases[phase].variants.firstIndex { $0.variant == .priority } : nil
    }

    /// The place of the highest tier that a prompt reaches, counted from 1; 0 where none is.
    func tier(_ phase: Int, _ variant: PriceVariant, _ promptLength: Int64) -> Int {
        if let index = self.variant(phase, variant) { return phases[phase].variants[index].list.tier(promptLength) }
        return phases[phase].standard.tier(promptLength)
    }

    func isOffPeak(_ time: Int64) -> Bool {
        // 1970-01-01 was a Thursday.
        offPeak?.contains(minute: Int(time % 86400) / 60, weekday: Int(time / 86400 + 3) % 7 + 1) ?? false
    }
}
