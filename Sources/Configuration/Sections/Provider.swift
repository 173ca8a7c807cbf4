extension Configuration {
    /// An LLM provider.
    public struct Provider: Sendable, Hashable {
        /// The first part of its path on the gateway.
        public var name = ""
        /// Scheme, host and a path prefix without a slash at its end; nil: the catalogue's. Default nil.
        public var baseURL: HTTPURL?
        /// Which API it speaks; nil: the catalogue's, or OpenAI's for a name that the catalogue does not have.
        public var dialect: Dialect?
        /// Used where the caller sends none of its own. Default none.
        public var credential: Secret?
        public var timeout = Timeout()
        /// Who signs its certificate, instead of the system's trust store.
        public var ca: PEMFile?
        /// Whether Chat Completions streams are asked for their usage; nil: where the provider is known to take it.
        public var streamUsage: Bool?
        /// The provider in the catalogue whose prices hold; nil: its own.
        public var priceAs: String?
        /// Prices that win over the catalogue's.
        public var prices: [ModelPrice] = []

        public init() {}
    }

    /// An API's shape.
    public enum Dialect: String, Sendable, CaseIterable { case openai, anthropic }

    /// How long an upstream may take; nil: no limit.
    public struct Timeout: Sendable, Hashable {
        /// For the connection, TLS included. Default 5 s.
        public var connect: Duration = .seconds(5)
        /// From the request sent to the first byte of the answer. Default 10 min.
        public var firstByte: Duration? = .seconds(600)
        /// Between two pieces of the answer. Default 5 min.
        public var idle: Duration? = .seconds(300)
        /// For the exchange as a whole. Default none.
        public var total: Duration?

        public init() {}
    }
}

extension Configuration.Provider {
    static let form = Form<Self>.section(
        "keys of a provider",
        [
            Field(
                "base_url", \.baseURL, Form.baseURL.optional, example: "https://api.openai.com",
                "Scheme, host, and a path prefix only where the provider needs one. Default: the provider's public host, where it has one."),
            Field(
                "dialect", \.dialect, Form.choice("a dialect").optional, example: "openai",
                "The API it speaks: openai or anthropic. Default: the provider's own; openai for a name that is no known provider's."),
            Field(
                "credential", \.credential, Form.secret.optional, example: "env:OPENAI_API_KEY",
                "Used where the caller sends none of its own. A reference, never the credential itself."),
            Field("timeout", \.timeout, Configuration.Timeout.form, "How long the provider may take."),
            Field("ca", \.ca, Form.pem(.certificates).optional, example: "ca.pem", "Who signs its certificate, PEM. Default: the system's trust store."),
            Field(
                "stream_usage", \.streamUsage, Form.flag.optional, example: "true",
                "Ask Chat Completions streams for their usage (stream_options.include_usage). Default: where the provider is known to take it."),
            Field(
                "price_as", \.priceAs, Form.text("a provider's name", expected: "a provider of the price catalogue such as openai", check: isName).optional,
                example: "openai", "The provider in the price catalogue whose prices hold."),
            Field(
                "prices", \.prices,
                .named(
                    Configuration.ModelPrice.form, \.model, like: "llama3", "a mapping from models to prices",
                    check: { $0.isEmpty || $0.utf8.count > 256 ? Wrong(problem: "not the name of a model") : nil }),
                "Prices by model, in US dollars per million tokens; they win over the catalogue's."),
        ], defaults: Self(),
        check: { provider, node, place, reading in
            if let priceAs = provider.priceAs, let known = reading.providers, !known.havePrices(priceAs), let entry = node["price_as"] {
                reading.mistake(entry.value.mark, place.key("price_as"), "the price catalogue has no provider \(quoted(priceAs))", "see hopspan prices")
            }
        })

    /// - Parameter entry: its place in the file.
    func checkBaseURL(_ entry: Node.Entry, _ place: Place, _ known: KnownProviders, _ reading: Reading) {
        let place = place.key("base_url")
        if let url = baseURL, let path = known.apiPath(name), !path.isEmpty, url.path.hasSuffix(path), let written = entry.value["base_url"] {
            reading.warn(
                written.value.mark, place, "\(path) comes twice: callers send /v1 themselves, and what they send goes behind \(url.path)",
                "leave \(path) out")
        } else if baseURL == nil, entry.value["base_url"] == nil, !known.havePublicHost(name) {
            let needed = "expected the URL of \(name), which has no public host that is known here"
            let near = known.names.contains(name) ? nil : Spelling.nearest(to: name, among: known.names)
            reading.mistake(entry.mark, place, "missing", near.map { "did you mean \($0)? Else " + needed } ?? needed)
        }
    }

    /// A price of its own is the whole price of a model: what it leaves out is not taken from the catalogue.
    func checkPrices(_ entry: Node.Entry, _ place: Place, _ known: KnownProviders, _ reading: Reading) {
        for price in prices where price[.output] == nil {
            guard known.havePriceOfOutput(priceAs ?? name, price.model), let written = entry.value["prices"]?.value[price.model] else { continue }
            reading.warn(
                written.mark, place.key("prices").name(price.model),
                "has no output price, so that calls which write anything have no cost; the catalogue's price of \(price.model) no longer counts",
                "see hopspan prices")
        }
    }

    static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, HTTPURL.isAlphanumeric(first), text.utf8.count <= 64 else { return false }
        return text.utf8.allSatisfy { byte in
            !(UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) && (HTTPURL.isAlphanumeric(byte) || "._-".utf8.contains(byte))
        }
    }

    /// Names are parts of paths, and some paths are the gateway's own.
    static func wrong(withName name: String) -> Wrong? {
        guard isName(name) else {
            return Wrong(problem: "not a provider's name", expected: "expected lower-case letters, digits, '.', '_' and '-', at most 64")
        }
        return ["v1", "mcp", "a2a", "api"].contains(name) ? Wrong(problem: "/\(name) is a path of the gateway itself", expected: "another name") : nil
    }
}

extension Configuration.Timeout {
    static let form = Form<Self>.section(
        "a mapping with connect, first_byte, idle or total",
        [
            Field("connect", \.connect, .duration(), "Until the connection stands, TLS included."),
            Field("first_byte", \.firstByte, Form.duration().orNone, "From the request sent to the first byte of the answer."),
            Field("idle", \.idle, Form.duration().orNone, "Between two pieces of the answer."),
            Field("total", \.total, Form.duration().orNone, "For the exchange as a whole."),
        ], defaults: Self())
}
