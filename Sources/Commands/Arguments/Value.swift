public import Configuration
import Tracing

/// How the words behind an option are read, and what to say of them: one value for parser and documentation.
struct Value<Parsed>: Sendable {
    /// In the usage line: `TIME`.
    let placeholder: String
    /// What it must be: `15m, 1h or 7d ago, or a time such as 2026-11-22T10:00:00Z`.
    let expected: String
    /// `expected` says no more than the placeholder does; for a mistake only, not for the page.
    var isPlain = false
    /// Nil where the word is none.
    let parse: @Sendable (String) -> Parsed?
}

extension Value<String> {
    /// Any text but none.
    static func text(_ placeholder: String, _ expected: String) -> Value {
        Value(placeholder: placeholder, expected: expected, isPlain: true) { $0.isEmpty ? nil : $0 }
    }

    static func word(_ placeholder: String, _ words: [String]) -> Value {
        Value(placeholder: placeholder, expected: words.joined(separator: " or ")) { words.contains($0) ? $0 : nil }
    }

    /// What runs are sorted by.
    static let order = Value(placeholder: "KEY", expected: "one of \(sortKeys.joined(separator: ", ")), with - before it for descending") { word in
        sortKeys.contains(word.hasPrefix("-") ? String(word.dropFirst()) : word) ? word : nil
    }

    private static let sortKeys = ["started_at", "cost_usd", "duration_ms", "hops", "tokens"]

    static let path = text("FILE", "the path of a file")
    static let name = text("NAME", "a name")

    /// RFC 3339, or so long ago. The api reads it again; here only its form is looked at.
    static let time = Value(placeholder: "TIME", expected: "15m, 1h or 7d ago, or a time such as 2026-11-22T10:00:00Z") { word in
        if Timestamp(word) != nil { return word }
        guard let unit = word.last, "smhd".contains(unit), (1...9).contains(word.utf8.count - 1), word.dropLast().utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        return word
    }

    static let dollars = Value(placeholder: "USD", expected: "an amount of US dollars such as 0.25") { word in
        USD(word).flatMap { $0 >= .zero ? word : nil }
    }

    /// One key of `/api/cost`, or two with a comma between them.
    static let costKeys = Value(placeholder: "KEY", expected: "one or two, with a comma, of \(costKeyNames.joined(separator: ", "))") { word in
        let keys = word.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        return keys.count <= 2 && keys.allSatisfy(costKeyNames.contains) && Set(keys).count == keys.count ? word : nil
    }

    private static let costKeyNames = ["day", "hour", "agent", "workspace", "model", "provider", "tool"]
}

extension Value<Int> {
    static func number(_ placeholder: String, _ range: ClosedRange<Int>) -> Value {
        Value(placeholder: placeholder, expected: "a number from \(range.lowerBound) to \(range.upperBound)") { word in
            word.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } ? Int(word).flatMap { range.contains($0) ? $0 : nil } : nil
        }
    }
}

extension Value<UInt16> {
    static let port = Value(placeholder: "PORT", expected: "a port from 0 to 65535; 0 takes a free one") { word in
        word.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } ? UInt16(word) : nil
    }
}

extension Value<HTTPURL> {
    /// A base URL; without a scheme it is `http`.
    static let url = Value(placeholder: "URL", expected: "a URL such as \(defaultAPI)") { apiURL($0) }
}

/// Where the api listens unless it is told otherwise.
let defaultAPI = "http://127.0.0.1:8701"

/// `http://127.0.0.1:8701`, `127.0.0.1:8701`; nil for what is neither.
public func apiURL(_ text: String) -> HTTPURL? {
    let url = HTTPURL(text) ?? HTTPURL("http://" + text)
    return url.flatMap { $0.query == nil ? $0 : nil }
}
