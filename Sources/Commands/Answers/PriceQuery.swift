import Configuration
public import LLM

/// What `hopspan prices` was asked for, found in the catalogue.
public enum PriceQuery: Sendable {
    /// One model, all its rates. `rule`: how its name was found, where it is not the name that was asked for.
    case model(PriceCatalogue.Listing, rule: String?)
    /// `more`: how many others have what was asked for in their names.
    case models([PriceCatalogue.Listing], more: Int)
    /// Nothing; the sentence says so.
    case nothing(String)

    /// - Parameters:
    ///   - text: a model's name, or where no model is called so a part of it, also behind `provider/`; with `*` behind it, all models that
    ///     have it in their names; nil: all models.
    ///   - provider: models of this one only, by name or alias.
    public init(_ text: String?, provider: String?, in catalogue: PriceCatalogue) {
        let all = catalogue.listings()
        let providers = Set(all.map(\.provider))
        let known = provider.map { catalogue.canonicalName($0) }
        if let known, !providers.contains(known) {
            self = .nothing("the catalogue has no provider \(quoted(provider ?? ""))" + didYouMean(provider ?? "", among: providers.sorted()))
            return
        }
        let ours = all.filter { known == nil || $0.provider == known }
        guard let text else {
            self = .models(ours, more: 0)
            return
        }
        if text.hasSuffix("*") {
            self = Self.part(String(text.dropLast()), in: ours, providers, catalogue)
            return
        }

        // `provider/model`, or a model whose own name has a slash in it.
        let slash = text.firstIndex(of: "/")
        let prefix = slash.map { catalogue.canonicalName(String(text[..<$0])) }.flatMap { providers.contains($0) ? $0 : nil }
        let place = known ?? prefix
        let name = prefix != nil && (known == nil || known == prefix) ? String(text[text.index(after: slash!)...]) : text
        if let place, let found = catalogue.entry(provider: place, model: name),
            let listing = all.first(where: { $0.provider == found.provider && $0.model == found.model })
        {
            let isSame = found.model.lowercased() == name.lowercased() && listing.provider == place
            self = .model(listing, rule: isSame ? nil : "\(found.rule.name)")
            return
        }
        let exact = ours.filter { $0.model.lowercased() == text.lowercased() }
        guard exact.isEmpty else {
            let more = Self.holding(text, in: ours).count - exact.count
            self = exact.count == 1 && more == 0 ? .model(exact[0], rule: nil) : .models(exact, more: more)
            return
        }
        self = Self.part(text, in: ours, providers, catalogue)
    }

    /// Models that have `text` in their names, or behind `provider/` its rest.
    private static func part(_ text: String, in ours: [PriceCatalogue.Listing], _ providers: Set<String>, _ catalogue: PriceCatalogue) -> PriceQuery {
        let slash = text.firstIndex(of: "/")
        let prefix = slash.map { catalogue.canonicalName(String(text[..<$0])) }.flatMap { providers.contains($0) ? $0 : nil }
        let name = prefix == nil ? text : String(text[text.index(after: slash!)...])
        let matches = holding(text, in: ours) + (prefix == nil ? [] : holding(name, in: ours.filter { $0.provider == prefix && !holds($0, text) }))
        if let only = matches.first, matches.count == 1 { return .model(only, rule: nil) }
        guard matches.isEmpty else { return .models(matches, more: 0) }
        return .nothing("no model has \(quoted(text)) in its name" + didYouMean(name, among: Array(Set(ours.map(\.model))).sorted()))
    }

    private static func holding(_ text: String, in listings: [PriceCatalogue.Listing]) -> [PriceCatalogue.Listing] {
        listings.filter { holds($0, text) }
    }

    private static func holds(_ listing: PriceCatalogue.Listing, _ text: String) -> Bool {
        let needle = Array(text.lowercased().utf8)
        var rest = Array(listing.model.lowercased().utf8)[...]
        while rest.count >= needle.count {
            if rest.starts(with: needle) { return true }
            rest = rest.dropFirst()
        }
        return false
    }
}
