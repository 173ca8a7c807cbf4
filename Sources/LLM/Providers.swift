/// A provider the gateway knows without configuration: what `/{provider}/…` leads to. Plain values, no reference counts.
public struct Provider: Sendable {
    /// The API an understood path of it speaks, where the path alone does not say.
    public enum Dialect: UInt8, Sendable { case openai, anthropic, other }

    /// The field a provider's key goes in.
    public enum CredentialField: UInt8, Sendable {
        /// `authorization: Bearer …`
        case bearer
        /// `x-api-key`: Anthropic's.
        case apiKey
        /// `x-goog-api-key`: Gemini's, save for its OpenAI-compatible paths, which take Bearer.
        case googAPIKey
        /// `api-key`: Azure's; its tokens are Bearer.
        case azureAPIKey
    }

    /// `gen_ai.provider.name`, and the provider's name in the price catalogue.
    public let name: StaticString
    public let dialect: Dialect
    /// How its native answers count.
    public let usage: UsageShape
    /// False for local ones.
    public let isTLS: Bool
    /// Empty where there is no one public host: see `needs`.
    public let host: StaticString
    public let port: UInt16
    /// What its OpenAI-compatible API has in place of OpenAI's `/v1`; nil where it has no such API.
    public let v1: StaticString?
    /// There are other things of its own under `/v1`, so that only OpenAI's endpoints are mapped.
    public let hasOwnV1: Bool
    /// Its Chat Completions streams are known to take `stream_options.include_usage`. The others send usage unasked, or refuse the
    /// member (Mistral, with a 422), or nobody has said.
    public let takesStreamUsage: Bool
    /// The field its key goes in.
    public let credentialField: CredentialField
    /// What must be configured before it can be used, in words for the caller; nil where nothing.
    public let needs: StaticString?

    /// How a path under `/{provider}` goes upstream: without its first `dropping` bytes and behind `prefix`.
    public struct PathMapping: Sendable {
        public var dropping: Int
        public var prefix: StaticString

        static let unchanged = PathMapping(dropping: 0, prefix: "")
    }

    /// Maps OpenAI's `/v1/…` to the provider's own prefix; everything else is the provider's own path and stays.
    /// - Parameter path: what follows the provider's name, from its `/` on; a query may follow.
    public func upstreamPath(_ path: RawSpan) -> PathMapping {
        guard let v1, !Self.isV1(v1), path.begins(with: "/v1/") else { return .unchanged }
        // `/v1/openai/…` of a provider whose own prefix that is.
        if v1.utf8CodeUnitCount > 0, path.begins(with: v1), path.byteCount == v1.utf8CodeUnitCount || path.byte(v1.utf8CodeUnitCount) == UInt8(ascii: "/") {
            return .unchanged
        }
        if hasOwnV1, !Self.openAIEndpoints.contains(where: { path.begins(with: $0) }) { return .unchanged }
        return PathMapping(dropping: 3, prefix: v1)
    }

    /// No other prefix has three bytes; a test looks.
    private static func isV1(_ prefix: StaticString) -> Bool { prefix.utf8CodeUnitCount == 3 }

    private static let openAIEndpoints: [StaticString] = [
        "/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/responses", "/v1/images/", "/v1/audio/", "/v1/moderations",
    ]

    // MARK: finding one

    /// The provider of that name, `gen_ai.provider.name` or alias, spelled exactly so. Allocates nothing; any thread.
    public static func named(_ name: RawSpan) -> Provider? {
        guard let index = ProviderIndex.shared.index(of: name) else { return nil }
        return table[index]
    }

    public static func named(_ name: String) -> Provider? {
        let bytes = Array(name.utf8)
        return named(unsafe bytes.span.bytes)
    }

    /// All of them, in the order of the documentation.
    public static var all: [Provider] { table }

    /// The names a provider can be called by in paths, its own first.
    public static func names(of provider: Provider) -> [String] {
        [provider.name.description] + aliases.filter { $0.provider.description == provider.name.description }.map(\.alias.description)
    }
}

/// The names of the table by hash: a look-up compares with one name as a rule.
private struct ProviderIndex: Sendable {
    static let shared = ProviderIndex()

    private let names: [(name: StaticString, index: Int)]
    /// Places in `names`, from 1; 0 is empty.
    private let slots: [UInt16]

    private init() {
        var names: [(StaticString, Int)] = []
        for (index, provider) in Provider.table.enumerated() { names.append((provider.name, index)) }
        for alias in Provider.aliases {
            guard let index = Provider.table.firstIndex(where: { $0.name.description == alias.provider.description }) else { continue }
            names.append((alias.alias, index))
        }
        var slots = [UInt16](repeating: 0, count: 1024)
        for (place, entry) in names.enumerated() {
            // Sound: a static string's bytes live for ever.
            let bytes = unsafe UnsafeRawBufferPointer(start: entry.0.utf8Start, count: entry.0.utf8CodeUnitCount)
            var slot = Self.hash(unsafe bytes.bytes)
            while slots[slot] != 0 { slot = (slot + 1) & 1023 }
            slots[slot] = UInt16(place + 1)
        }
        self.names = names
        self.slots = slots
    }

    func index(of name: RawSpan) -> Int? {
        guard name.byteCount > 0, name.byteCount <= 64 else { return nil }
        var slot = Self.hash(name)
        while slots[slot] != 0 {
            let entry = names[Int(slots[slot]) - 1]
            if name.byteCount == entry.name.utf8CodeUnitCount, name.begins(with: entry.name) { return entry.index }
            slot = (slot + 1) & 1023
        }
        return nil
    }

    /// FNV-1a, folded to the table's size.
    private static func hash(_ bytes: RawSpan) -> Int {
        var hash: UInt32 = 0x811C_9DC5
        for at in 0..<bytes.byteCount { hash = (hash ^ UInt32(bytes.byte(at))) &* 0x0100_0193 }
        return Int((hash ^ hash >> 16) & 1023)
    }
}
