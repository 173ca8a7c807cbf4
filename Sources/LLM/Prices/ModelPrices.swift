import JSON
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

/// A price that cannot be used: the field it stands in.
struct BadPrice: Error {
    var field: String
}

// MARK: reading

extension ModelPrices {
    /// Reads an entry: the pending value, an object. Unknown fields are passed over, so that an older gateway reads newer files.
    @_lifetime(reader: copy reader)
    init(_ reader: inout JSONReader) throws {
        guard try reader.enterObject() else { throw BadPrice(field: "") }
        var current = Phase()
        var announced: [Phase] = []
        while let key = try reader.nextMember() {
            if try current.standard.read(key, &reader) {
                continue
            } else if key.is("kind") {
                if let word = try reader.string() { kind = Kind(word) }
            } else if key.is("variants") {
                current.variants = try Self.variants(&reader)
            } else if key.is("off_peak") {
                offPeak = try OffPeak(&reader)
            } else if key.is("scheduled") {
                guard try reader.enterArray() else { throw BadPrice(field: "scheduled") }
                while try reader.nextElement() { announced.append(try Phase(announced: &reader)) }
            } else if key.is("per_1k") {
                fees = try EventFees(&reader)
            } else if key.is("regional") {
                try readRegional(&reader)
            } else if key.is("audio_minute") {
                audioMinute = try reader.price("audio_minute").units
            } else if key.is("characters") {
                character = try reader.price("characters", each: 1_000_000)
            } else if key.is("context_window") {
                contextWindow = try reader.int64() ?? 0
            } else if key.is("max_output") {
                maxOutput = try reader.int64() ?? 0
            }
        }
        announced.sort { $0.from < $1.from }
        phases = [current] + announced
    }

    @_lifetime(reader: copy reader)
    private static func variants(_ reader: inout JSONReader) throws -> [(variant: PriceVariant, list: List)] {
        guard try reader.enterObject() else { throw BadPrice(field: "variants") }
        var variants: [(variant: PriceVariant, list: List)] = []
        while let key = try reader.nextMember() {
            guard let variant = PriceVariant.allCases.first(where: { key.is($0.name) }), variant != .standard, variant != .unlisted else { continue }
            var list = List()
            guard try reader.enterObject() else { throw BadPrice(field: "variants") }
            while let key = try reader.nextMember() { _ = try list.read(key, &reader) }
            variants.append((variant, list))
        }
        return variants
    }

    @_lifetime(reader: copy reader)
    private mutating func readRegional(_ reader: inout JSONReader) throws {
        guard try reader.enterObject() else { throw BadPrice(field: "regional") }
        while let key = try reader.nextMember() {
            if key.is("us") {
                regionalUS = try reader.multiplier()
            } else if key.is("eu") {
                regionalEU = try reader.multiplier()
            } else if key.is("*") {
                regionalOther = try reader.multiplier()
            }
        }
    }
}

extension ModelPrices.List {
    /// Reads the pending value if `key` is a rate or the tiers.
    @_lifetime(reader: copy reader)
    mutating func read(_ key: borrowing JSONString, _ reader: inout JSONReader) throws -> Bool {
        if let rate = Rate(key) {
            rates[rate] = try reader.price("\(rate.name)", each: 1_000_000)
            return true
        }
        guard key.is("tiers") else { return false }
        guard try reader.enterArray() else { throw BadPrice(field: "tiers") }
        while try reader.nextElement() {
            var tier = ModelPrices.Tier()
            guard try reader.enterObject() else { throw BadPrice(field: "tiers") }
            while let key = try reader.nextMember() {
                if let rate = Rate(key) {
                    tier.rates[rate] = try reader.price("\(rate.name)", each: 1_000_000)
                } else if key.is("above") || key.is("from") {
                    tier.isInclusive = key.is("from")
                    guard let threshold = try reader.int64(), threshold >= 0 else { throw BadPrice(field: "tiers") }
                    tier.threshold = threshold
                }
            }
            tiers.append(tier)
        }
        tiers.sort { $0.threshold < $1.threshold }
        return true
    }

    /// The place of the highest tier reached, counted from 1; 0 where none is.
    func tier(_ promptLength: Int64) -> Int {
        guard !tiers.isEmpty else { return 0 }
        return (tiers.lastIndex { $0.isReached(by: promptLength) } ?? -1) + 1
    }
}

extension ModelPrices.Phase {
    /// `{"from":"2027-01-01", rates, "tiers", "variants"}`: takes the place of the current rates, tiers and variants.
    @_lifetime(reader: copy reader)
    init(announced reader: inout JSONReader) throws {
        guard try reader.enterObject() else { throw BadPrice(field: "scheduled") }
        while let key = try reader.nextMember() {
            if key.is("from") {
                guard let text = try reader.string(), let day = Day(text) else { throw BadPrice(field: "scheduled.from") }
                from = day.sinceEpoch
            } else if key.is("variants") {
                variants = try ModelPrices.variants(&reader)
            } else {
                _ = try standard.read(key, &reader)
            }
        }
        guard from != Int.min else { throw BadPrice(field: "scheduled.from") }
    }
}

extension ModelPrices.OffPeak {
    @_lifetime(reader: copy reader)
    init(_ reader: inout JSONReader) throws {
        guard try reader.enterObject() else { throw BadPrice(field: "off_peak") }
        while let key = try reader.nextMember() {
            if let rate = Rate(key) {
                rates[rate] = try reader.price("off_peak", each: 1_000_000)
            } else if key.is("windows"), try reader.enterArray() {
                while try reader.nextElement() { windows.append(try Window(&reader)) }
            }
        }
    }
}

extension ModelPrices.OffPeak.Window {
    @_lifetime(reader: copy reader)
    init(_ reader: inout JSONReader) throws {
        guard try reader.enterObject() else { throw BadPrice(field: "off_peak.windows") }
        while let key = try reader.nextMember() {
            if key.is("utc"), try reader.enterArray() {
                while try reader.nextElement() {
                    guard let text = try reader.string(), let range = Self.minutes(String(text)) else { throw BadPrice(field: "off_peak.windows.utc") }
                    minutes.append(contentsOf: range)
                }
            } else if key.is("weekdays"), try reader.enterArray() {
                weekdays = 0
                while try reader.nextElement() {
                    guard let day = try reader.int64(), (1...7).contains(day) else { throw BadPrice(field: "off_peak.windows.weekdays") }
                    weekdays |= 1 << UInt8(day)
                }
            }
        }
    }

    /// `22:00-06:00` goes round midnight, `00:00-00:00` is all day.
    static func minutes(_ text: String) -> [Range<Int>]? {
        let ends = text.split(separator: "-").map { end -> Int? in
            let parts = end.split(separator: ":").map { Int($0) }
            guard parts.count == 2, let hour = parts[0], let minute = parts[1], (0...24).contains(hour), (0..<60).contains(minute) else { return nil }
            return min(hour * 60 + minute, 1440)
        }
        guard ends.count == 2, let start = ends[0], let end = ends[1] else { return nil }
        if start < end { return [start..<end] }
        return [start..<1440, 0..<end].filter { !$0.isEmpty }
    }
}

extension ModelPrices.EventFees {
    @_lifetime(reader: copy reader)
    init(_ reader: inout JSONReader) throws {
        guard try reader.enterObject() else { throw BadPrice(field: "per_1k") }
        while let key = try reader.nextMember() {
            if key.is("web_search") {
                webSearch = try reader.price("per_1k", each: 1000)
            } else if key.is("web_search_low") {
                webSearchLow = try reader.price("per_1k", each: 1000)
            } else if key.is("web_search_medium") {
                webSearchMedium = try reader.price("per_1k", each: 1000)
            } else if key.is("web_search_high") {
                webSearchHigh = try reader.price("per_1k", each: 1000)
            } else if key.is("file_search") {
                fileSearch = try reader.price("per_1k", each: 1000)
            } else if key.is("maps") {
                maps = try reader.price("per_1k", each: 1000)
            } else if key.is("request") {
                request = try reader.price("per_1k", each: 1000)
            } else if key.is("rerank") {
                rerank = try reader.price("per_1k", each: 1000)
            } else if key.is("page") {
                page = try reader.price("per_1k", each: 1000)
            } else if key.is("page_annotated") {
                annotatedPage = try reader.price("per_1k", each: 1000)
            }
        }
    }
}

extension ModelPrices.Kind {
    init(_ word: borrowing JSONString) {
        self =
            word.is("embedding") ? .embedding
            : word.is("realtime") ? .realtime
            : word.is("rerank") ? .rerank
            : word.is("transcription") ? .transcription
            : word.is("speech") ? .speech : word.is("image") ? .image : word.is("ocr") ? .ocr : .chat
    }
}

extension JSONReader {
    /// A decimal string; a number is taken by its text, which is as exact.
    @_lifetime(self: copy self)
    mutating func price(_ field: String) throws -> USD {
        let price: USD?
        if let text = try string() {
            price = USD(String(text))
        } else if let number = try number() {
            price = USD(number)
        } else {
            price = nil
        }
        guard let price, price >= .zero, price <= ModelPrices.highest else { throw BadPrice(field: field) }
        return price
    }

    /// `1.1`; at most a hundred.
    @_lifetime(self: copy self)
    mutating func multiplier() throws -> Int128 {
        let factor = try price("regional")
        guard factor.units <= 100 * 100_000_000_000_000_000_000 else { throw BadPrice(field: "regional") }
        return factor.units
    }

    /// The price of one where the text gives that of `count`.
    @_lifetime(self: copy self)
    mutating func price(_ field: String, each count: Int128) throws -> Int128 {
        guard let one = try price(field).divided(by: count) else { throw BadPrice(field: field) }
        return one.units
    }
}

/// A day of the proleptic Gregorian calendar.
struct Day {
    /// Days since 1970-01-01.
    var sinceEpoch: Int

    /// `2027-01-01`.
    init?(_ text: borrowing JSONString) {
        let parts = String(text).split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].count == 4, parts[1].count == 2, parts[2].count == 2, let year = Int(parts[0]), let month = Int(parts[1]),
            let day = Int(parts[2]), (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        // Days from civil, counting years from March (H. Hinnant, chrono-compatible low-level date algorithms).
        let marchYear = month <= 2 ? year - 1 : year
        let era = marchYear / 400
        let yearOfEra = marchYear - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        sinceEpoch = era * 146_097 + dayOfEra - 719_468
    }
}
