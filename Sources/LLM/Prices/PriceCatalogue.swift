import JSON
import Tracing

/// How a model was found in the catalogue (`match` of `hopspan.cost.price`). `override` and `configured` are models of the
/// operator's own; the others name the rule.
public enum PriceMatch: UInt8, Sendable {
    case exact, alias, cut, fallback, prefix, override, configured

    public var name: StaticString {
        switch self {
        case .exact: "exact"
        case .alias: "alias"
        case .cut: "cut"
        case .fallback: "fallback"
        case .prefix: "prefix"
        case .override: "override"
        case .configured: "configured"
        }
    }
}

/// All prices in force: the catalogue inside the binary, files laid over it, and what is configured on top. Immutable; a new one
/// takes its place when a file or the configuration changes. Shared by all threads.
public final class PriceCatalogue: Sendable {
    /// No model's id is longer; what is, is unknown without a look.
    static let longestID = 512

    /// The catalogue inside the binary, indexed at first use.
    public static let bundled: PriceCatalogue = {
        do throws(PriceFileError) {
            return PriceCatalogue([try .bundled()], [:])
        } catch {
            fatalError("the bundled price catalogue cannot be read: \(error)")  // a test reads it, so no build ships this
        }
    }()

    /// The lowest first; a later one wins.
    let layers: [PriceFile]
    /// By configured provider: whose list prices it where its own prices do not.
    let priceAs: [String: String]

    init(_ layers: [PriceFile], _ priceAs: [String: String]) {
        self.layers = layers
        self.priceAs = priceAs
    }

    /// The day of the newest price file, as it says itself.
    public var updated: String { layers.map(\.updated).max() ?? "" }

    /// These prices with a file of the catalogue's layout laid over them, whole model at a time; `null` removes one. The file
    /// is read to the last price, so that a mistake shows now and not in the middle of a call.
    public func overlaid(with file: [UInt8]) throws(PriceFileError) -> PriceCatalogue {
        PriceCatalogue(layers + [try Self.checked(PriceFile(file, .overlay))], priceAs)
    }

    /// These prices with the configured ones on top.
    public func configured(_ providers: [ConfiguredPrices]) throws(PriceFileError) -> PriceCatalogue {
        var priceAs = self.priceAs
        for provider in providers { priceAs[provider.provider] = provider.priceAs }
        let file = try Self.checked(PriceFile(ConfiguredPrices.file(providers), .configured))
        return PriceCatalogue(layers + [file], priceAs)
    }

    private static func checked(_ file: PriceFile) throws(PriceFileError) -> PriceFile {
        let names = Dictionary(uniqueKeysWithValues: file.providers.map { ($1, $0) })
        for entry in file.entries where entry.kind == .model {
            do {
                _ = try file.prices(entry)
            } catch {
                let field = (error as? BadPrice)?.field ?? ""
                throw .badPrice(provider: names[Int(entry.provider)] ?? "", model: file.name(entry), field: field)
            }
        }
        return file
    }

    // MARK: providers

    /// The name used here for a provider or an alias of one.
    public func canonicalName(_ provider: String) -> String {
        for layer in layers.reversed() where layer.providers[provider] != nil { return provider }
        let key = provider.lowercased()
        for layer in layers.reversed() {
            if let name = layer.aliases[key] { return name }
        }
        return provider
    }

    /// Whether there is a list of that name, or an alias of one.
    public func hasProvider(_ provider: String) -> Bool {
        let name = canonicalName(provider)
        return layers.contains { $0.providers[name] != nil }
    }

    /// How the provider's answers count.
    public func usageShape(_ provider: String) -> UsageShape {
        let name = canonicalName(priceAs[provider] ?? provider)
        for layer in layers.reversed() {
            if let index = layer.providers[name], let usage = layer.rules[index].usage { return usage }
        }
        return .openai
    }

    // MARK: looking up, off the request path

    /// What the catalogue makes of a model's name, and by which rule, whoever's the entry is; nil where it has no price for it. For the
    /// command line and tests: calls are priced through a `PriceBook`.
    public func entry(provider: String, model: String) -> (provider: String, model: String, match: PriceMatch, rule: PriceMatch)? {
        find(provider: provider, model: Array(model.utf8)).map { ($0.provider, $0.model, $0.match, $0.rule) }
    }

    // MARK: listing

    /// A line of `hopspan prices`.
    public struct Listing: Sendable, Hashable {
        public var provider: String
        public var model: String
        /// The entry as it stands in its file: JSON.
        public var text: [UInt8]
        public var origin: String
    }

    /// All models whose id holds `text` (any case; all models where it is empty), by provider and id.
    public func listings(containing text: String = "") -> [Listing] {
        var found: [String: Listing] = [:]
        let needle = Array(text.lowercased().utf8)
        for layer in layers {
            let names = Dictionary(uniqueKeysWithValues: layer.providers.map { ($1, $0) })
            for entry in layer.entries where entry.kind != .alias && (needle.isEmpty || layer.id(entry).contains(needle)) {
                guard let provider = names[Int(entry.provider)] else { continue }
                let key = provider + "\0" + String(decoding: layer.id(entry), as: UTF8.self)
                found[key] = entry.kind == .removed ? nil : Listing(provider: provider, model: layer.name(entry), text: layer.text(entry), origin: "\(layer.origin)")
            }
        }
        return found.sorted { $0.key < $1.key }.map(\.value)
    }
}

extension ArraySlice<UInt8> {
    fileprivate func contains(_ needle: [UInt8]) -> Bool {
        guard count >= needle.count else { return false }
        return (startIndex...endIndex - needle.count).contains { self[$0..<$0 + needle.count].elementsEqual(needle) }
    }
}

/// A provider of the configuration, as far as prices go.
public struct ConfiguredPrices: Sendable {
    /// As configured; it also is `gen_ai.provider.name`.
    public var provider: String
    /// The list that prices it where `models` does not.
    public var priceAs: String?
    /// `llama3: { input: "0.10", output: "0.20" }`: USD per million tokens, by the catalogue's field names.
    public var models: [String: [String: String]]

    public init(provider: String, priceAs: String? = nil, models: [String: [String: String]] = [:]) {
        self.provider = provider
        self.priceAs = priceAs
        self.models = models
    }

    /// The same as a price file.
    static func file(_ providers: [ConfiguredPrices]) -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.key("providers")
        json.beginObject()
        for provider in providers where !provider.models.isEmpty {
            json.key(provider.provider)
            json.beginObject()
            json.key("models")
            json.beginObject()
            for (model, rates) in provider.models.sorted(by: { $0.key < $1.key }) {
                json.key(model)
                json.beginObject()
                for (rate, price) in rates.sorted(by: { $0.key < $1.key }) {
                    json.key(rate)
                    json.string(price)
                }
                json.endObject()
            }
            json.endObject()
            json.endObject()
        }
        json.endObject()
        json.endObject()
        return json.bytes
    }
}
