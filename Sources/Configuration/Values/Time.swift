/// Durations: whole numbers with units, largest first: `200ms`, `30s`, `1h30m`, `30d`.
enum Time {
    private static let units: [(name: String, milliseconds: Int)] = [
        ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1),
    ]
    /// A hundred years.
    private static let longest = 36_500 * 86_400_000

    /// Nil when the text is no duration, or longer than a hundred years.
    static func duration(_ text: String) -> Duration? {
        var rest = text[...]
        var total = 0
        var allowed = units[...]
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(digits.count)
            let name = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(name.count)
            guard let number = Int(decimalDigits: digits), let index = allowed.firstIndex(where: { $0.name == name }) else { return nil }
            let (product, overflow) = number.multipliedReportingOverflow(by: allowed[index].milliseconds)
            guard !overflow, product <= longest - total else { return nil }
            total += product
            allowed = allowed[(index + 1)...]
        }
        return text.isEmpty ? nil : .milliseconds(total)
    }

    /// In the largest unit that holds it exactly; up to two minutes in seconds.
    static func text(_ duration: Duration) -> String {
        let milliseconds = duration.wholeMilliseconds
        guard milliseconds > 0 else { return "0s" }
        let fit = units.first { milliseconds % $0.milliseconds == 0 && ($0.name != "m" || milliseconds >= 120_000) }!
        return "\(milliseconds / fit.milliseconds)\(fit.name)"
    }
}

extension Duration {
    var wholeMilliseconds: Int { Int(components.seconds) * 1000 + Int(components.attoseconds / 1_000_000_000_000_000) }
}

extension Form where Value == Duration {
    static func duration(atLeast smallest: Duration = .milliseconds(1)) -> Form {
        .scalar(
            "a duration", expected: "a number with ms, s, m, h or d, such as 30s",
            parse: { (text) throws(Wrong) in
                guard let duration = Time.duration(text) else {
                    throw Wrong(expected: Int(decimalDigits: text) != nil ? "a unit is missing: \(text)s, \(text)ms, …" : nil)
                }
                guard duration >= smallest else { throw Wrong(problem: "\(quoted(text)) is too short", expected: "at least \(Time.text(smallest))") }
                return duration
            }, write: { .text(Time.text($0)) })
    }
}
