// What the api is asked: paths and queries (design, "Query API").

extension RunsSettings {
    public var target: String {
        var query = Query()
        query.add("since", since)
        query.add("until", until)
        for agent in agents { query.add("agent", agent) }
        for workspace in workspaces { query.add("workspace", workspace) }
        for model in models { query.add("model", model) }
        for provider in providers { query.add("provider", provider) }
        for tool in tools { query.add("tool", tool) }
        query.add("status", status)
        query.add("state", state)
        query.add("min_cost_usd", leastCost)
        query.add("q", text)
        query.add("sort", sort)
        query.add("limit", limit.map(String.init))
        query.add("cursor", cursor)
        return "/api/runs" + query.text
    }

    /// The runs that the beginning of an id is looked for in, a page of them.
    public static func page(after cursor: String?) -> String {
        var settings = RunsSettings()
        settings.limit = 1000
        settings.cursor = cursor
        return settings.target
    }
}

extension RunSettings {
    /// Of a run whose id is known.
    public func target(of id: String) -> String { "/api/runs/" + percentEncoded(id) + (otlp ? "/otlp" : "") }
}

extension CostSettings {
    public var keys: [String] { (by ?? "model").split(separator: ",").map(String.init) }

    public var target: String {
        var query = Query()
        query.add("by", by ?? "model")
        query.add("since", since)
        query.add("until", until)
        return "/api/cost" + query.text
    }
}

private struct Query {
    var text = ""

    mutating func add(_ name: String, _ value: String?) {
        guard let value else { return }
        text += (text.isEmpty ? "?" : "&") + name + "=" + percentEncoded(value)
    }
}

/// RFC 3986 §2.1: everything but unreserved characters, and the comma that joins keys, as `%41`.
func percentEncoded(_ text: String) -> String {
    var encoded: [UInt8] = []
    let digits = Array("0123456789ABCDEF".utf8)
    for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: ","):
            encoded.append(byte)
        default: encoded += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }
    return String(decoding: encoded, as: UTF8.self)
}
