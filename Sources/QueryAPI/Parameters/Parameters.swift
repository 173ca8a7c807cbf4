import Tracing

/// A query string being read: each parameter is asked for once, by its name; `finish` refuses what was left over or could not be
/// read, all of it at once.
struct Parameters {
    private let items: [(name: String, value: String)]
    private var known: [String] = []
    private var mistakes: [Problem.Parameter] = []

    /// - Parameter query: as it came; pairs of `application/x-www-form-urlencoded` (WHATWG URL §5.1).
    init(_ query: String?) {
        items = (query ?? "").utf8.split(separator: UInt8(ascii: "&")).map { pair in
            let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            return (Self.decoded(parts[0]), parts.count > 1 ? Self.decoded(parts[1]) : "")
        }
    }

    private static func decoded(_ text: some Sequence<UInt8>) -> String {
        let bytes = text.map { $0 == UInt8(ascii: "+") ? UInt8(ascii: " ") : $0 }
        var decoded: [UInt8] = []
        PercentEncoding.decode(unsafe bytes.span.bytes, into: &decoded)  // sound: a UInt8 has no padding
        return String(decoding: decoded, as: UTF8.self)
    }

    // MARK: asking

    /// A parameter that may be given once.
    /// - Parameters:
    ///   - expected: completes "must be".
    ///   - parse: nil where the value is none.
    mutating func one<Value>(_ name: String, _ expected: String, _ parse: (String) -> Value?) -> Value? {
        let values = values(name)
        if values.count > 1 { mistakes.append(.init(name: name, detail: "is given more than once")) }
        guard values.count == 1 else { return nil }
        return read(name, values[0], expected, parse)
    }

    /// A parameter that may be given more than once.
    mutating func many<Value>(_ name: String, _ expected: String, _ parse: (String) -> Value?) -> [Value] {
        values(name).compactMap { read(name, $0, expected, parse) }
    }

    /// Names to compare with, exactly.
    mutating func names(_ name: String) -> [String] { many(name, "a name, not empty") { $0.isEmpty ? nil : $0 } }

    /// A parameter of the contract that this build does not act on.
    mutating func notYet(_ name: String) {
        if !values(name).isEmpty { mistakes.append(.init(name: name, detail: "is not in this build yet")) }
    }

    mutating func refuse(_ name: String, _ detail: String) { mistakes.append(.init(name: name, detail: detail)) }

    private mutating func values(_ name: String) -> [String] {
        known.append(name)
        return items.filter { $0.name == name }.map(\.value)
    }

    private mutating func read<Value>(_ name: String, _ text: String, _ expected: String, _ parse: (String) -> Value?) -> Value? {
        if let value = parse(text) { return value }
        let mistake = Problem.Parameter(name: name, detail: "must be \(expected)")
        if !mistakes.contains(mistake) { mistakes.append(mistake) }
        return nil
    }

    /// To be called when all has been asked for.
    func finish() throws(Problem) {
        var all = mistakes
        for item in items where !known.contains(item.name) {
            let list = known.isEmpty ? "none is taken here" : "those taken here are \(known.joined(separator: ", "))"
            let mistake = Problem.Parameter(name: String(item.name.prefix(100)), detail: "is no parameter; " + list)
            if !all.contains(mistake) { all.append(mistake) }
        }
        if !all.isEmpty { throw Problem(all) }
    }
}
