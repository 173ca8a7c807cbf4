import CPriceCatalogue
public import JSON

/// Why a price file cannot be taken. Price files hold nothing secret, so the place is named.
public enum PriceFileError: Error, Sendable, Equatable {
    /// No JSON; the byte it stops being it.
    case notJSON(JSONError, offset: Int)
    /// JSON, but no `providers` object as the catalogue has it.
    case notAPriceFile
    /// A model whose field is no price.
    case badPrice(provider: String, model: String, field: String)
    /// A pattern of `match.cut` this program cannot follow.
    case badPattern(provider: String, pattern: String)
}

/// One price file, indexed: where in its bytes each model's entry stands. Entries are read when they are asked for.
/// Immutable; shared by all threads.
final class PriceFile: Sendable {
    /// What a model found here says of its price.
    enum Origin: UInt8, Sendable { case catalogue, overlay, configured }

    /// A provider's rules for finding a model.
    struct Rules: Sendable {
        var usage: UsageShape?
        var cut: [CutPattern]?
        var fallback: [String] = []
        /// Lower case, and the model meant.
        var prefix: [(key: [UInt8], target: [UInt8])] = []
    }

    enum Kind: UInt8, Sendable { case model, removed, alias }

    struct Entry: Sendable {
        /// Lower case, in `ids`.
        var idStart: UInt32
        var idLength: UInt16
        var provider: UInt16
        var kind: Kind
        /// Where the id stands in the file, at its opening quote.
        var name: UInt32
        /// Where the entry, or an alias' target, stands in the file.
        var value: UInt32
    }

    let origin: Origin
    /// `2026-11-22`; empty where the file does not say.
    let updated: String
    let providers: [String: Int]
    let aliases: [String: String]
    let stopWords: [[UInt8]]
    let rules: [Rules]
    let entries: [Entry]
    private let bytes: Bytes
    private let ids: [UInt8]
    private let table: [UInt32]

    private enum Bytes: Sendable {
        /// The catalogue inside the binary.
        case bundled
        case owned([UInt8])
    }

    /// The catalogue inside the binary.
    static func bundled() throws(PriceFileError) -> PriceFile { try PriceFile(.bundled, .catalogue) }

    convenience init(_ bytes: [UInt8], _ origin: Origin) throws(PriceFileError) { try self.init(.owned(bytes), origin) }

    private init(_ bytes: Bytes, _ origin: Origin) throws(PriceFileError) {
        var builder = Builder()
        try Self.withBytes(of: bytes) { (span) throws(PriceFileError) in try builder.read(span) }
        self.bytes = bytes
        self.origin = origin
        updated = builder.updated
        providers = builder.providers
        aliases = builder.aliases
        stopWords = builder.stopWords
        rules = builder.rules
        entries = builder.entries
        ids = builder.ids
        table = Self.table(builder.entries, builder.ids)
    }

    private static func withBytes<Result, Failure: Error>(of bytes: Bytes, _ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result {
        switch bytes {
        // Sound: the catalogue's bytes are constant data of the binary.
        case .bundled: try body(unsafe UnsafeRawBufferPointer(start: hopspan_price_catalogue(), count: hopspan_price_catalogue_size()).bytes)
        case .owned(let array): try body(unsafe array.span.bytes)
        }
    }

    /// Calls `body` with the file.
    func withBytes<Result, Failure: Error>(_ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result {
        try Self.withBytes(of: bytes, body)
    }

    // MARK: looking up

    /// The entry of that kind (a removed model counts as one) for an id in lower case.
    func entry(_ kind: Kind, provider: Int, id: some Collection<UInt8>) -> Entry? {
        let mask = UInt32(table.count - 1)
        var slot = Self.hash(provider, kind == .alias, id) & mask
        while table[Int(slot)] != 0 {
            let entry = entries[Int(table[Int(slot)]) - 1]
            if Int(entry.provider) == provider, (entry.kind == .alias) == (kind == .alias), self.id(entry).elementsEqual(id) { return entry }
            slot = (slot + 1) & mask
        }
        return nil
    }

    /// The entry's id in lower case.
    func id(_ entry: Entry) -> ArraySlice<UInt8> { ids[Int(entry.idStart)..<Int(entry.idStart) + Int(entry.idLength)] }

    /// The entry's id as the file spells it.
    func name(_ entry: Entry) -> String { string(at: entry.name) }

    /// The id an alias stands for, as the file spells it.
    func target(_ entry: Entry) -> String { string(at: entry.value) }

    private func string(at offset: UInt32) -> String {
        withBytes { bytes in
            var reader = JSONReader(bytes.extracting(Int(offset)..<bytes.byteCount))
            guard let string = try? reader.string() else { return "" }
            return String(string)
        }
    }

    /// The entry's prices, read.
    func prices(_ entry: Entry) throws -> ModelPrices {
        try withBytes { bytes in
            var reader = JSONReader(bytes.extracting(Int(entry.value)..<bytes.byteCount))
            return try ModelPrices(&reader)
        }
    }

    /// The entry's text, as it stands in the file.
    func text(_ entry: Entry) -> [UInt8] {
        withBytes { bytes in
            let rest = bytes.extracting(Int(entry.value)..<bytes.byteCount)
            var reader = JSONReader(rest)
            guard let range = try? reader.rawValue() else { return [] }
            return unsafe rest.extracting(range).withUnsafeBytes { unsafe Array($0) }
        }
    }

    private static func table(_ entries: [Entry], _ ids: [UInt8]) -> [UInt32] {
        var size = 16
        while size < entries.count * 2 { size *= 2 }
        var table = [UInt32](repeating: 0, count: size)
        // From the end, so that the later of two equal ids is met first.
        for (index, entry) in entries.enumerated().reversed() {
            let id = ids[Int(entry.idStart)..<Int(entry.idStart) + Int(entry.idLength)]
            var slot = hash(Int(entry.provider), entry.kind == .alias, id) & UInt32(size - 1)
            while table[Int(slot)] != 0 { slot = (slot + 1) & UInt32(size - 1) }
            table[Int(slot)] = UInt32(index + 1)
        }
        return table
    }

    /// FNV-1a, which is enough for a table that no caller can fill.
    private static func hash(_ provider: Int, _ isAlias: Bool, _ id: some Sequence<UInt8>) -> UInt32 {
        var hash: UInt32 = 0x811C_9DC5 ^ UInt32(truncatingIfNeeded: provider &* 2 &+ (isAlias ? 1 : 0)) &* 0x9E37_79B1
        for byte in id { hash = (hash ^ UInt32(byte)) &* 0x0100_0193 }
        return hash ^ hash >> 15
    }
}
