public import Tracing

/// What one call cost, and why. Belongs to the loop whose book it is from.
public struct CallCost {
    /// What the hop cost: the provider's own word where the answer has it, else what the prices say. Nil: unknown, never 0.
    public var usd: USD?
    public var source: CostSource = .none
    /// What the prices say, beside the provider's word.
    public var computed: USD?
    /// The model found and the rates used; nil where none was.
    public var sheet: PriceSheet?
    /// From the counters of a cut stream, from the standard list where the tier's is missing, or by a guessed model.
    public var isEstimated = false

    public init() {}
}

/// The prices a loop has used, ready for the next call: a look-up of a model seen before is a hash and a comparison, and costs no
/// allocation. One per loop; not shared between threads. Make a new one when the catalogue changes.
public final class PriceBook {
    public let catalogue: PriceCatalogue

    /// Models kept, known and unknown; callers choose the names, so there is an end.
    private static let limit = 4096

    private struct Slot {
        var hash: UInt64 = 0
        /// In `keys`: provider, then model.
        var start = 0
        var providerLength: Int32 = 0
        var modelLength: Int32 = 0
        /// In `models`; -1 is a model without a price, -2 an empty slot.
        var model: Int32 = -2
    }

    /// A model with the sheets its calls have needed so far: rarely more than two.
    private final class Known {
        let found: PriceCatalogue.Found
        var sheets: [PriceSheet] = []
        // What may tell sheets apart; most models have none of it.
        private let hasPhases: Bool
        private let hasOffPeak: Bool
        private let hasTiers: Bool

        init(_ found: PriceCatalogue.Found) {
            self.found = found
            hasPhases = found.prices.phases.count > 1
            hasOffPeak = found.prices.offPeak != nil
            hasTiers = found.prices.phases.contains { !$0.standard.tiers.isEmpty || $0.variants.contains { !$0.list.tiers.isEmpty } }
        }

        func sheet(_ usage: Usage, _ time: Int64) -> PriceSheet {
            let key = key(usage, time)
            for index in 0..<sheets.count where sheets[index].key == key { return sheets[index] }
            let sheet = PriceSheet(found, key)
            sheets.append(sheet)
            return sheet
        }

        private func key(_ usage: Usage, _ time: Int64) -> PriceSheet.Key {
            var key = PriceSheet.Key()
            key.variant = usage.variant
            if usage.region != .global, found.prices.regional(usage.region) != nil { key.region = usage.region }
            if hasPhases { key.phase = found.prices.phase(Int(time / 86400)) }
            if hasOffPeak, key.variant == .standard { key.isOffPeak = found.prices.isOffPeak(time) }
            if hasTiers { key.tier = found.prices.tier(key.phase, key.variant, usage.promptLength) }
            return key
        }
    }

    /// Some price is the operator's own.
    let hasConfigured: Bool

    private var slots = [Slot](repeating: Slot(), count: PriceBook.limit * 2)
    private var keys: [UInt8] = []
    private var models: [Known] = []
    private var used = 0
    /// The slot of the last look-up: most calls of a loop are like the one before.
    private var last = 0

    public init(_ catalogue: PriceCatalogue) {
        self.catalogue = catalogue
        hasConfigured = catalogue.layers.contains { $0.origin == .configured }
    }

    /// Whether the model's price is a configured one.
    func isConfigured(provider: RawSpan, model: RawSpan) -> Bool {
        let index = known(provider, model)
        return index >= 0 && models[index].found.match == .configured
    }

    /// What the call cost.
    /// - Parameters:
    ///   - provider: the value of `gen_ai.provider.name`, or a configured provider's name.
    ///   - model: as the answer names it; where that is not known, as the caller does.
    ///   - time: of the call, Unix time in seconds.
    ///   - isComplete: false for the counters of a stream that was cut.
    public func cost(of usage: Usage, provider: RawSpan, model: RawSpan, at time: Int64, isComplete: Bool = true) -> CallCost {
        var cost = CallCost()
        if usage.isKnown, let sheet = sheet(provider, model, usage, time) {
            cost.sheet = sheet
            cost.computed = sheet.cost(of: usage)
            cost.isEstimated = !isComplete || sheet.isGuess || sheet.isStandIn
        }
        return settle(cost, usage)
    }

    /// What a call of several passes cost: each at the price of its own model, or else of the answer's.
    public func cost(
        ofIterations iterations: [AnthropicUsage.Iteration], in usage: Usage, provider: RawSpan, model: RawSpan, at time: Int64, isComplete: Bool = true
    ) -> CallCost {
        var events = usage
        events.clearTokens()
        var sum = cost(of: events, provider: provider, model: model, at: time, isComplete: isComplete)
        for iteration in iterations {
            var pass = iteration.usage
            (pass.variant, pass.region) = (usage.variant, usage.region)
            let name = iteration.model.map { Array($0.utf8) }
            let cost =
                if let name {
                    cost(of: pass, provider: provider, model: unsafe name.span.bytes, at: time, isComplete: isComplete)
                } else {
                    cost(of: pass, provider: provider, model: model, at: time, isComplete: isComplete)
                }
            guard let computed = cost.computed, let sofar = sum.computed else {
                sum.computed = nil
                break
            }
            sum.computed = sofar + computed
            sum.isEstimated = sum.isEstimated || cost.isEstimated
        }
        return settle(sum, usage)
    }

    private func settle(_ cost: CallCost, _ usage: Usage) -> CallCost {
        var cost = cost
        if let money = usage.providerCost {
            (cost.usd, cost.source, cost.isEstimated) = (money, .provider, false)
        } else if let computed = cost.computed, let sheet = cost.sheet {
            cost.usd = computed
            cost.source = cost.isEstimated ? .estimated : sheet.match == .configured ? .configured : .catalogue
        } else {
            (cost.usd, cost.source, cost.isEstimated) = (nil, .none, false)
        }
        return cost
    }

    // MARK: the model

    private func sheet(_ provider: RawSpan, _ model: RawSpan, _ usage: Usage, _ time: Int64) -> PriceSheet? {
        let index = known(provider, model)
        return index < 0 ? nil : models[index].sheet(usage, time)
    }

    /// The place of the model in `models`, found in the catalogue where it is new; -1 without a price.
    private func known(_ provider: RawSpan, _ model: RawSpan) -> Int {
        if slots[last].model != -2, matches(slots[last], provider, model) { return Int(slots[last].model) }
        let hash = Self.hash(model, Self.hash(provider, 0x9E37_79B9_7F4A_7C15))
        let mask = slots.count - 1
        var at = Int(truncatingIfNeeded: hash) & mask
        while slots[at].model != -2 {
            if slots[at].hash == hash, matches(slots[at], provider, model) {
                last = at
                return Int(slots[at].model)
            }
            at = (at + 1) & mask
        }
        return add(provider, model, hash)
    }

    private func matches(_ slot: Slot, _ provider: RawSpan, _ model: RawSpan) -> Bool {
        guard Int(slot.providerLength) == provider.byteCount, Int(slot.modelLength) == model.byteCount else { return false }
        let keys = keys
        let known = unsafe keys.span.bytes
        precondition(slot.start + provider.byteCount + model.byteCount <= known.byteCount)
        return known.holds(provider, at: slot.start) && known.holds(model, at: slot.start + provider.byteCount)
    }

    private func add(_ provider: RawSpan, _ model: RawSpan, _ hash: UInt64) -> Int {
        guard model.byteCount <= PriceCatalogue.longestID, provider.byteCount <= PriceCatalogue.longestID else { return -1 }
        if used == Self.limit {
            slots = [Slot](repeating: Slot(), count: slots.count)
            keys.removeAll()
            models.removeAll()
            used = 0
            last = 0
        }
        used += 1
        var slot = Slot(hash: hash, start: keys.count, providerLength: Int32(provider.byteCount), modelLength: Int32(model.byteCount), model: -1)
        unsafe provider.withUnsafeBytes { unsafe keys.append(contentsOf: $0) }
        unsafe model.withUnsafeBytes { unsafe keys.append(contentsOf: $0) }
        let end = slot.start + provider.byteCount
        if let found = catalogue.find(provider: String(decoding: keys[slot.start..<end], as: UTF8.self), model: Array(keys[end...])) {
            slot.model = Int32(models.count)
            models.append(Known(found))
        }
        let mask = slots.count - 1
        var at = Int(truncatingIfNeeded: hash) & mask
        while slots[at].model != -2 { at = (at + 1) & mask }
        slots[at] = slot
        return Int(slot.model)
    }

    /// A word at a time; what it makes of a caller's text decides only a place in this loop's own table.
    private static func hash(_ bytes: RawSpan, _ seed: UInt64) -> UInt64 {
        var hash = seed ^ UInt64(bytes.byteCount)
        var at = 0
        while at < bytes.byteCount {
            var word: UInt64 = 0
            if at + 8 <= bytes.byteCount {
                word = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: at, as: UInt64.self)  // checked on the line above
            } else {
                for index in at..<bytes.byteCount { word = word << 8 | UInt64(unsafe bytes.unsafeLoad(fromUncheckedByteOffset: index, as: UInt8.self)) }
            }
            let product = (hash ^ word).multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
            hash = product.high ^ product.low
            at += 8
        }
        return hash
    }
}

extension RawSpan {
    /// Whether `other`'s bytes stand here at `start`, where there are as many: eight at a time.
    fileprivate func holds(_ other: RawSpan, at start: Int) -> Bool {
        // Sound: the callers' slots were written with these lengths, and every load stays below `other`'s count.
        var at = 0
        while at &+ 8 <= other.byteCount {
            guard unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: start &+ at, as: UInt64.self)
                    == other.unsafeLoadUnaligned(fromUncheckedByteOffset: at, as: UInt64.self) else { return false }
            at &+= 8
        }
        while at < other.byteCount {
            guard unsafe unsafeLoad(fromUncheckedByteOffset: start &+ at, as: UInt8.self)
                    == other.unsafeLoad(fromUncheckedByteOffset: at, as: UInt8.self) else { return false }
            at &+= 1
        }
        return true
    }
}

extension Usage {
    /// Leaves what is paid by the piece.
    mutating func clearTokens() {
        var rest = Usage()
        (rest.webSearches, rest.webFetches, rest.fileSearches) = (webSearches, webFetches, fileSearches)
        (rest.variant, rest.region, rest.searchContext, rest.reported) = (variant, region, searchContext, reported)
        self = rest
    }
}
