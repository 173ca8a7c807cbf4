import JSON
import Runs
import Store
import Tracing

extension Spend {
    /// `{"total_usd":…,"unpriced_hops":…,"rows":[{"key":…,"cost_usd":…,"tokens":{…},"calls":…}]}`; a key is an array where two were
    /// asked for.
    func json(by keys: [SpendKey]) -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.usd("total_usd", total.costOrNothing)
        json.number("unpriced_hops", total.unpricedHops)
        json.key("rows")
        json.beginArray()
        for row in rows {
            json.beginObject()
            json.key("key")
            if keys.count > 1 { json.beginArray() }
            for (key, value) in zip(keys, row.keys) { value.write(to: &json, key) }
            if keys.count > 1 { json.endArray() }
            row.sums.write(to: &json)
            json.endObject()
        }
        json.endArray()
        json.endObject()
        return json.bytes
    }
}

extension RunCost {
    /// The same for one run, where a key is one text, and whether there would be more rows.
    var json: [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.usd("total_usd", total ?? (calls == 0 ? .zero : nil))
        json.number("unpriced_hops", unpricedHops)
        json.flag("cut", isCut)
        json.key("rows")
        json.beginArray()
        for row in rows {
            json.beginObject()
            json.text("key", row.key)
            json.usd("cost_usd", row.cost)
            json.tokens(
                input: row.inputTokens, output: row.outputTokens, cacheRead: row.cacheReadTokens, cacheWrite: row.cacheWriteTokens,
                reasoning: row.reasoningTokens)
            json.number("calls", row.calls)
            json.endObject()
        }
        json.endArray()
        json.endObject()
        return json.bytes
    }
}

extension SpendSums {
    func write(to json: inout JSONWriter) {
        json.usd("cost_usd", cost)
        json.tokens(input: inputTokens, output: outputTokens, cacheRead: cacheReadTokens, cacheWrite: cacheWriteTokens, reasoning: reasoningTokens)
        json.number("calls", calls)
    }

    /// No calls cost nothing; calls without a known price cost nobody knows what.
    var costOrNothing: USD? { cost ?? (calls == 0 ? .zero : nil) }
}

extension SpendValue {
    /// A day as its date, an hour as the time it begins; null where hops have no such thing.
    func write(to json: inout JSONWriter, _ key: SpendKey) {
        switch self {
        case .time(let time):
            let text = Timestamp(nanoseconds: time).description
            json.string(key == .day ? String(text.prefix(10)) : text)
        case .text(let text): json.string(text)
        case .none: json.null()
        }
    }
}
