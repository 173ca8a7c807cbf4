import Configuration
import EventLoop
import JSON
import LLM

extension Configuration {
    /// The configuration in a file, with the process's environment; nil: with no file.
    /// - Parameter isReload: a running program asks: an empty file is then one that is being written, not a configuration of defaults.
    /// - Returns: also the warnings.
    /// - Throws: every mistake, a line each.
    static func read(_ path: String?, environment: [String: String], isReload: Bool = false) throws(Failure) -> Loaded {
        var file: [UInt8]?
        if let path {
            do { file = try Files.read(path) } catch { throw Failure("the configuration cannot be read: \(error)") }
            if isReload, file?.allSatisfy({ $0 <= 0x20 }) == true { throw Failure("\(path): the file is empty") }
        }
        let name = path ?? "hopspan.yaml"
        // Where prices have been imported, their providers can be named too. The store's path says where that is.
        let unchecked = try? load(file: file, path: name, environment: environment, read: { try? Files.read($0) }).configuration
        let imported = unchecked.flatMap { try? $0.importedPrices() }
        let catalogue = imported.flatMap { try? PriceCatalogue.bundled.overlaid(with: $0) } ?? .bundled
        do {
            return try load(file: file, path: name, environment: environment, providers: .known(catalogue), read: { try? Files.read($0) })
        } catch {
            throw Failure(lines: error.mistakes.map(\.description) + error.warnings.map { "warning: \($0)" })
        }
    }

    /// The prices that were imported beside the store; nil where none were.
    func importedPrices() throws(Failure) -> [UInt8]? {
        guard let path = store.importedPrices else { return nil }
        do {
            return try Files.read(path)
        } catch {
            if error.isNoSuchFile { return nil }
            throw Failure("the imported prices cannot be read: \(error)")
        }
    }

    /// All prices that hold with this configuration.
    func catalogue() throws(Failure) -> PriceCatalogue {
        let imported = try importedPrices()
        do { return try PriceCatalogue.of(self, imported: imported) } catch {
            throw Failure((imported == nil ? "" : "\(store.importedPrices ?? ""): ") + error.sentence)
        }
    }
}

extension KnownProviders {
    /// What this program knows: its table of providers, and prices.
    static func known(_ catalogue: PriceCatalogue) -> KnownProviders {
        KnownProviders(
            havePublicHost: { name in Provider.named(name).map { $0.host.utf8CodeUnitCount > 0 } ?? false },
            havePrices: { catalogue.hasProvider($0) },
            apiPath: { name in
                guard let known = Provider.named(name) else { return "/v1" }
                return known.v1.map { "\($0)" } ?? (known.dialect == .anthropic ? "/v1" : nil)
            },
            havePriceOfOutput: { provider, model in
                guard let found = catalogue.entry(provider: Provider.named(provider)?.name.description ?? provider, model: model), found.rule != .prefix,
                    let listing = catalogue.listings(containing: found.model).first(where: { $0.provider == found.provider && $0.model == found.model })
                else { return false }
                // What an embedding writes costs nothing.
                let price = (try? JSONValue(String(decoding: listing.text, as: UTF8.self)))?["output"]?.string
                return price != nil && price != "0"
            },
            names: Provider.all.flatMap(Provider.names(of:)))
    }
}

extension SystemError {
    var isNoSuchFile: Bool { code == 2 }  // ENOENT
}
