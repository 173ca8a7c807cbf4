import Tracing

/// One model's entry in a price file, read. Prices of tokens are per token, of events per event.
struct ModelPrices: Sendable {
    /// A price list: rates, and the ones that long prompts change.
    struct List: Sendable {
        var rates = Rates()
        var tiers: [Tier] = []
    }

    /// Reached by prompts of more than `threshold` tokens, or of that many too where it is `inclusive`. Names only what it changes.
    struct Tier: Sendable {
        var threshold: Int64 = 0
        var isInclusive = false
        var rates = Rates()

        func isReached(by promptLength: Int64) -> Bool { isInclusive ? promptLength >= threshold : promptLength > threshold }
    }

    /// What holds from a day on.
    struct Phase: Sendable {
        /// Days since 1970-01-01, UTC.
        var from = Int.min
        var standard = List()
        var variants: [(variant: PriceVariant, list: List)] = []
    }

    struct OffPeak: Sendable {
        struct Window: Sendable {
            /// Minutes of the day, UTC; the end is not part of it, and 1440 is midnight.
            var minutes: [Range<Int>] = []
            /// ISO: Monday is 1; bit 0 is not used.
            var weekdays: UInt8 = 0b1111_1110
        }

        var windows: [Window] = []
        var rates = Rates()

        func contains(minute: Int, weekday: Int) -> Bool {
            windows.contains { $0.weekdays & 1 << weekday != 0 && $0.minutes.contains { $0.contains(minute) } }
        }
    }

    /// USD per event, the members of `per_1k`.
    struct EventFees: Sendable {
        var webSearch: Int128?
        /// By `search_context_size`: one fee a call.
        var webSearchLow, webSearchMedium, webSearchHigh: Int128?
        var fileSearch, maps, request, rerank, page, annotatedPage: Int128?
    }

    /// The current prices first, then what is announced, by day.
    var phases: [Phase] = [Phase()]
    var offPeak: OffPeak?
    var fees = EventFees()
    /// Per millisecond of audio, times 60,000.
    var audioMinute: Int128?
    /// Per character.
    var character: Int128?
    /// Multipliers of all token costs, with `USD.decimals` decimals.
    var regionalUS, regionalEU, regionalOther: Int128?
    var kind = Kind.chat
    /// Tokens; 0 is not known.
    var contextWindow: Int64 = 0
    var maxOutput: Int64 = 0

    /// No price is higher: ten thousand dollars. With it, no sum of counts below 2^48 leaves 128 bits.
    static let highest = USD(units: 10_000 * 100_000_000_000_000_000_000)

    enum Kind: UInt8, Sendable { case chat, embedding, realtime, rerank, transcription, speech, image, ocr }

    func regional(_ region: ProcessingRegion) -> Int128? {
        switch region {
        case .global: nil
        case .us: regionalUS ?? regionalOther
        case .eu: regionalEU ?? regionalOther
        case .other: regionalOther
        }
    }
}
