import Commands
import Configuration
import Glibc
import JSON
import LLM
import Terminal
import Tracing

/// `hopspan prices`: shows, finds and imports.
enum Prices {
    static func run(_ settings: PricesSettings, _ console: Console) throws(Failure) {
        // Without --config the environment has no say: a variable of the exporter's must not keep anybody from looking at prices.
        let configuration = try settings.config.map { path throws(Failure) in try Configuration.read(path, environment: console.environment).configuration }
        if let file = settings.file {
            try take(file, configuration ?? Configuration(), console)
            guard settings.model != nil || settings.provider != nil else { return }
        }
        try show(settings, configuration ?? Configuration(), console)
    }

    private static func show(_ settings: PricesSettings, _ configuration: Configuration, _ console: Console) throws(Failure) {
        let catalogue = try configuration.catalogue()
        let screen = console.output.screen
        switch PriceQuery(settings.model, provider: settings.provider, in: catalogue) {
        case .nothing(let sentence): throw Failure(sentence)
        case .model(let listing, _) where settings.json: try console.write(PriceTable.json([listing], updated: catalogue.updated))
        case .models(let listings, _) where settings.json: try console.write(PriceTable.json(listings, updated: catalogue.updated))
        case .model(let listing, let rule): try console.print(PriceTable.lines(listing, rule: rule, updated: catalogue.updated, on: screen))
        case .models(let listings, let more): try console.print(PriceTable.lines(listings, of: settings.model, more: more, updated: catalogue.updated, on: screen))
        }
    }

    // MARK: importing

    /// Checks the file and puts it beside the store, where running gateways find it.
    private static func take(_ path: String, _ configuration: Configuration, _ console: Console) throws(Failure) {
        guard let place = configuration.store.importedPrices else {
            throw Failure("store.path is \":memory:\", and imported prices are kept beside the store: there is nowhere to keep them")
        }
        let bytes: [UInt8]
        do { bytes = try Files.read(path) } catch { throw Failure("the price file cannot be read: \(error)") }
        let file = try priceFile(bytes, path)
        let before = PriceCatalogue.bundled
        let after: PriceCatalogue
        do { after = try before.overlaid(with: file.bytes) } catch { throw Failure("\(path): \(error.sentence)") }
        do { try Files.write(file.bytes, to: place) } catch { throw Failure("the prices cannot be kept: \(error)") }
        try console.print([
            "\(path): \(file.layout), \(difference(before, after))",
            "kept as \(place); a running gateway with this store takes it up by itself",
        ])
    }

    private static func priceFile(_ bytes: [UInt8], _ path: String) throws(Failure) -> (bytes: [UInt8], layout: String) {
        let json: JSONValue
        // Sound: the array outlives the call.
        do { json = try JSONValue(unsafe bytes.span.bytes) } catch { throw Failure("\(path): no JSON") }
        guard LiteLLMPrices.isLiteLLM(json) else { return (bytes, "prices in the catalogue's layout") }
        var now = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &now)
        let today = Timestamp(nanoseconds: UInt64(now.tv_sec) * 1_000_000_000).description.prefix(10)
        do { return (try LiteLLMPrices.priceFile(from: json, updated: String(today)), "LiteLLM's prices") } catch { throw Failure("\(path): \(error.sentence)") }
    }

    /// What the import changes, in models.
    private static func difference(_ before: PriceCatalogue, _ after: PriceCatalogue) -> String {
        func keyed(_ catalogue: PriceCatalogue) -> [String: [UInt8]] {
            Dictionary(catalogue.listings().map { ($0.provider + "/" + $0.model.lowercased(), $0.text) }, uniquingKeysWith: { $1 })
        }
        let (old, new) = (keyed(before), keyed(after))
        let added = new.keys.count { old[$0] == nil }
        let changed = new.count { model, text in old[model].map { $0 != text } ?? false }
        let removed = old.keys.count { new[$0] == nil }
        return "\(new.count) models: \(added) new, \(changed) with another entry, \(removed) removed"
    }
}

extension PriceFileError {
    /// For the terminal.
    var sentence: String {
        switch self {
        case .notJSON(let error, let offset): "no JSON (\(error)) at byte \(offset)"
        case .notAPriceFile: "neither a price file of the catalogue's layout nor LiteLLM's: there is no \"providers\" object, and no model names its litellm_provider"
        case .badPrice(let provider, let model, let field): "\(provider.printable)/\(model.printable): \(field.printable) is no price"
        case .badPattern(let provider, let pattern): "\(provider.printable): the pattern \(pattern.printable) cannot be followed"
        }
    }
}
