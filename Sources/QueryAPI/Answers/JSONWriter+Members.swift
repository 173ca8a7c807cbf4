import JSON
import Tracing

// Members as the api's contract spells their values (design, "Query API").
extension JSONWriter {
    /// Null where there is none.
    mutating func text(_ name: StaticString, _ value: String?) {
        key(name)
        if let value { string(value) } else { null() }
    }

    mutating func number(_ name: StaticString, _ value: some BinaryInteger) {
        key(name)
        int(value)
    }

    mutating func flag(_ name: StaticString, _ value: Bool) {
        key(name)
        bool(value)
    }

    mutating func strings(_ name: StaticString, _ values: [String]) {
        key(name)
        beginArray()
        for value in values { string(value) }
        endArray()
    }

    /// RFC 3339 in UTC with nanoseconds.
    /// - Parameter time: Unix nanoseconds; nil is null.
    mutating func time(_ name: StaticString, _ time: UInt64?) { text(name, time.map { Timestamp(nanoseconds: $0).description }) }

    /// Fractional milliseconds; nil is null.
    mutating func duration(_ name: StaticString, _ nanoseconds: UInt64?) {
        key(name)
        if let nanoseconds { raw(Milliseconds(nanoseconds: Int64(clamping: nanoseconds)).description) } else { null() }
    }

    /// An exact decimal as a string; null where no price is known.
    mutating func usd(_ name: StaticString, _ amount: USD?) { text(name, amount?.description) }

    /// Counts that nobody reported are 0; the spans tell them apart.
    mutating func tokens(input: Int64, output: Int64, cacheRead: Int64, cacheWrite: Int64, reasoning: Int64) {
        key("tokens")
        beginObject()
        number("input", max(input, 0))
        number("output", max(output, 0))
        number("cache_read", max(cacheRead, 0))
        number("cache_write", max(cacheWrite, 0))
        number("reasoning", max(reasoning, 0))
        let (total, overflow) = max(input, 0).addingReportingOverflow(max(output, 0))
        number("total", overflow ? .max : total)
        endObject()
    }
}
