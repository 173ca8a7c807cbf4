import JSON
public import LLM
public import Terminal

/// `hopspan prices`: models and what they cost, in US dollars per million tokens.
public enum PriceTable {
    /// Many models, one a line.
    /// - Parameters:
    ///   - text: what was asked for; nil: everything.
    ///   - more: how many others have it in their names.
    public static func lines(_ listings: [PriceCatalogue.Listing], of text: String? = nil, more: Int = 0, updated: String, on screen: Screen) -> [String] {
        var table = Table([
            .init("PROVIDER"), .init("MODEL", leastWidth: 16, goodWidth: 32), .init("INPUT", .right), .init("OUTPUT", .right), .init("CACHE READ", .right, dropRank: 2),
            .init("CACHE WRITE", .right, dropRank: 3), .init("CONTEXT", .right, dropRank: 1), .init("ALSO", leastWidth: 8, dropRank: 4), .init("FROM", dropRank: 0),
        ])
        for listing in listings {
            let entry = Entry(listing)
            table.add([
                Styled(listing.provider, .dim), Styled(listing.model), Styled(entry.price("input")), Styled(entry.price("output")),
                Styled(entry.price("cache_read")), Styled(entry.price("cache_write_5m")),
                Styled(entry.json["context_window"]?.int.map { Amounts.count($0) } ?? "", .dim), Styled(entry.also.joined(separator: ", "), .dim),
                listing.origin == "catalogue" ? "" : Styled(origin(listing), .cyan),
            ])
        }
        let sources = Set(listings.map(origin)).subtracting(["catalogue"])
        var notes = [
            "\(Amounts.count(listings.count, "model")); US dollars per million tokens; prices of \(updated)",
            "from the catalogue" + (sources.isEmpty ? "" : " unless FROM says otherwise"),
        ]
        if let text, let first = listings.first {
            notes.append("all rates of one: hopspan prices \(first.provider)/\(first.model)")
            if more > 0 { notes.append("\(Amounts.count(more)) more with it in the name: hopspan prices '\(text)*'") }
        }
        return table.lines(width: screen.width, inColor: screen.hasColor) + [""] + notes.map { Styled($0, .dim).shown(inColor: screen.hasColor) }
    }

    /// One model, all its rates.
    /// - Parameter rule: how it was found, where another name was asked for.
    public static func lines(_ listing: PriceCatalogue.Listing, rule: String?, updated: String, on screen: Screen) -> [String] {
        let entry = Entry(listing)
        var head = Styled("\(listing.provider)/\(listing.model)", .bold)
        let kind = entry.json["kind"]?.string ?? "chat"
        head += Styled("  \(kind); US dollars per million tokens; \(origin(listing)), prices of \(updated)", .dim)
        var lines = [head.shown(inColor: screen.hasColor)]
        if let rule { lines.append(Styled("found by the rule \"\(rule)\": hopspan help prices", .dim).shown(inColor: screen.hasColor)) }

        let lists = entry.lists
        let rates = Rate.allCases.map { "\($0.name)" }.filter { rate in lists.contains { $0.rates[rate]?.string != nil } }
        if !rates.isEmpty {
            var table = Table([.init("RATE")] + lists.map { .init($0.name.uppercased(), .right) })
            for rate in rates { table.add([Styled(rate)] + lists.map { Styled($0.rates[rate]?.string ?? "", .plain) }) }
            lines += [""] + table.lines(width: nil, inColor: screen.hasColor)
        }
        return lines + (entry.remarks.isEmpty ? [] : [""] + entry.remarks)
    }

    /// The entries as they stand in their files.
    public static func json(_ listings: [PriceCatalogue.Listing], updated: String) -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.key("updated"); json.string(updated)
        json.key("models")
        json.beginArray()
        for listing in listings {
            json.beginObject()
            json.key("provider"); json.string(listing.provider)
            json.key("model"); json.string(listing.model)
            json.key("origin"); json.string(origin(listing))
            json.key("prices"); json.raw(String(decoding: listing.text, as: UTF8.self))
            json.endObject()
        }
        json.endArray()
        json.endObject()
        return json.bytes + [UInt8(ascii: "\n")]
    }

    private static func origin(_ listing: PriceCatalogue.Listing) -> String { listing.origin == "overlay" ? "imported" : listing.origin }

    /// A model's entry in a price file, to be shown: prices stay the text they are.
    private struct Entry {
        let json: JSONValue

        init(_ listing: PriceCatalogue.Listing) {
            json = (try? JSONValue(String(decoding: listing.text, as: UTF8.self))) ?? .object([])
        }

        func price(_ rate: String) -> String { json[rate]?.string ?? "" }

        /// What the line of a table has no column for, in short.
        var also: [String] {
            var also: [String] = []
            if let kind = json["kind"]?.string { also.append(kind) }
            if let minute = json["audio_minute"]?.string { also.append("\(minute) per minute") }
            if let characters = json["characters"]?.string { also.append("\(characters) per million characters") }
            if json["input"] == nil, json["output"] == nil { also += (json["per_1k"]?.members ?? []).map { "\($0.value.string ?? "") per 1,000 \(words($0.name))" } }
            if json["tiers"] != nil { also.append("long prompts") }
            also += (json["variants"]?.members ?? []).map(\.name)
            if json["off_peak"] != nil { also.append("off-peak") }
            return also
        }

        /// Price lists, the standard one first, each followed by what its long prompts change.
        var lists: [(name: String, rates: JSONValue)] {
            var lists: [(name: String, rates: JSONValue)] = []
            func add(_ name: String, _ rates: JSONValue) {
                lists.append((name, rates))
                for tier in rates["tiers"]?.elements ?? [] {
                    let bound = tier["above"]?.int.map { ">" + Amounts.count($0) } ?? tier["from"]?.int.map { "≥" + Amounts.count($0) } ?? ""
                    lists.append(((name == "standard" ? "" : name + " ") + bound, tier))
                }
            }
            add("standard", json)
            for variant in json["variants"]?.members ?? [] { add(variant.name, variant.value) }
            if let offPeak = json["off_peak"] { lists.append(("off-peak", offPeak)) }
            return lists
        }

        /// Sentences below the rates.
        var remarks: [String] {
            var remarks: [String] = []
            if let minute = json["audio_minute"]?.string { remarks.append("per minute of audio: \(minute)") }
            if let characters = json["characters"]?.string { remarks.append("per million characters: \(characters)") }
            let fees = (json["per_1k"]?.members ?? []).map { "\(words($0.name)) \($0.value.string ?? "")" }
            if !fees.isEmpty { remarks.append("per 1,000: " + fees.joined(separator: ", ")) }
            let regions = (json["regional"]?.members ?? []).map { "\($0.name == "*" ? "elsewhere" : $0.name) × \($0.value.string ?? "")" }
            if !regions.isEmpty { remarks.append("pinned to a region: " + regions.joined(separator: ", ")) }
            for phase in json["scheduled"]?.elements ?? [] {
                let rates = (phase.members ?? []).compactMap { member in member.name == "from" ? nil : member.value.string.map { "\(member.name) \($0)" } }
                remarks.append("from \(phase["from"]?.string ?? ""): " + rates.joined(separator: ", "))
            }
            let context = json["context_window"]?.int.map { "context " + Amounts.count($0, "token") }
            let output = json["max_output"]?.int.map { "at most " + Amounts.count($0) + " out" }
            let limits = [context, output].compactMap { $0 }
            if !limits.isEmpty { remarks.append(limits.joined(separator: ", ")) }
            if let day = json["retires"]?.string { remarks.append("retires \(day)") }
            return remarks.map(\.printable)
        }

        private func words(_ name: String) -> String { String(name.map { $0 == "_" ? " " : $0 }) }
    }
}
