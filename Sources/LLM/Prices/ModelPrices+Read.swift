import JSON
import Tracing

/// A price that cannot be used: the field it stands in.
struct BadPrice: Error {
    var field: String
}

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
