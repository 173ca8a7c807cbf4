/// Finding a model: the rules of the catalogue, in their order; the first that hits wins.
extension PriceCatalogue {
    /// A model that was found.
    struct Found {
        var prices: ModelPrices
        /// Whose list it is, and the id in it.
        var provider: String
        var model: String
        var match: PriceMatch
        /// The rule, where `match` says whose the entry is.
        var rule: PriceMatch
        var updated: String
    }

    /// The layers that know a provider, the highest first, with its place in each.
    private typealias Scope = [(layer: PriceFile, provider: Int)]

    /// - Parameters:
    ///   - provider: a configured provider, a provider's name or an alias of one.
    ///   - model: the id as the answer, or else the caller, names it.
    func find(provider: String, model: [UInt8]) -> Found? {
        guard !model.isEmpty, model.count <= Self.longestID else { return nil }
        let id = model.map(\.lowercased)
        let list = canonicalName(priceAs[provider] ?? provider)
        let scope = scope(own: provider, list: list)
        var shortened = id
        if let found = byRules(&shortened, scope, list) { return found }

        // The same id at those whose models this provider resells at list price.
        for other in scope.lazy.map({ $0.layer.rules[$0.provider].fallback }).first(where: { !$0.isEmpty }) ?? [] {
            let elsewhere = self.scope(own: other, list: other)
            var (whole, short) = (id, shortened)
            guard var found = byRules(&whole, elsewhere, other) ?? byRules(&short, elsewhere, other) else { continue }
            found.rule = .fallback
            if found.match != .override, found.match != .configured { found.match = .fallback }
            return found
        }
        return byPrefix(id, scope, list) ?? byPrefix(shortened, scope, list)
    }

    private func scope(own: String, list: String) -> Scope {
        layers.reversed().compactMap { layer in
            // Configured prices belong to the configured name alone.
            let name = layer.origin == .configured ? own : list
            return layer.providers[name].map { (layer, $0) }
        }
    }

    private func cuts(_ scope: Scope) -> [CutPattern] { scope.lazy.compactMap { $0.layer.rules[$0.provider].cut }.first ?? [] }

    /// The id itself, an alias of it, then both again after each cut that changed something. Leaves `id` as short as it became.
    private func byRules(_ id: inout [UInt8], _ scope: Scope, _ list: String) -> Found? {
        if let found = exact(id, scope, list, .exact) ?? alias(id, scope, list, .alias) { return found }
        for cut in cuts(scope) {
            guard let shorter = cut.cut(id), shorter != id, !shorter.isEmpty else { continue }
            id = shorter
            if let found = exact(id, scope, list, .cut) ?? alias(id, scope, list, .cut) { return found }
        }
        return nil
    }

    private func exact(_ id: some Collection<UInt8>, _ scope: Scope, _ list: String, _ rule: PriceMatch) -> Found? {
        for (layer, provider) in scope {
            guard let entry = layer.entry(.model, provider: provider, id: id) else { continue }
            guard entry.kind == .model, let prices = try? layer.prices(entry) else { return nil }
            let match: PriceMatch =
                switch layer.origin {
                case .catalogue: rule
                case .overlay: .override
                case .configured: .configured
                }
            return Found(prices: prices, provider: list, model: layer.name(entry), match: match, rule: rule, updated: layer.updated)
        }
        return nil
    }

    private func alias(_ id: some Collection<UInt8>, _ scope: Scope, _ list: String, _ rule: PriceMatch) -> Found? {
        for (layer, provider) in scope {
            guard let entry = layer.entry(.alias, provider: provider, id: id) else { continue }
            return exact(layer.target(entry).utf8.map(\.lowercased), scope, list, rule)
        }
        return nil
    }

    /// A guess: the longest known beginning that ends with a word, unless a word behind it changes what is sold.
    private func byPrefix(_ id: [UInt8], _ scope: Scope, _ list: String) -> Found? {
        let stopWords = layers.lazy.map(\.stopWords).last { !$0.isEmpty } ?? []
        var best: (key: [UInt8], target: [UInt8])?
        for (layer, provider) in scope {
            for rule in layer.rules[provider].prefix where id.starts(with: rule.key) && rule.key.count > best?.key.count ?? 0 {
                let rest = id[rule.key.count...]
                guard let last = rule.key.last, rest.first.map({ !last.isWord || !$0.isWord }) ?? true else { continue }
                if rest.split(whereSeparator: { !$0.isWord }).contains(where: { word in stopWords.contains { word.elementsEqual($0) } }) { continue }
                best = rule
            }
        }
        return best.flatMap { exact($0.target, scope, list, .prefix) }
    }
}

extension UInt8 {
    /// A letter or digit, in lower case.
    fileprivate var isWord: Bool { self &- UInt8(ascii: "a") < 26 || self &- UInt8(ascii: "0") < 10 || self >= 0x80 }
}
