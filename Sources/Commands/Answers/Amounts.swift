import Terminal
import Tracing

/// Figures as people read them. Money stays exact.
enum Amounts {
    /// `12,345`
    static func count(_ value: Int) -> String {
        let digits = String(value.magnitude)
        var text = value < 0 ? "-" : ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.utf8.count - index) % 3 == 0 { text += "," }
            text.append(digit)
        }
        return text
    }

    /// `4 hops`, `1 hop`
    static func count(_ value: Int, _ noun: String) -> String { count(value) + " " + noun + (value == 1 ? "" : "s") }

    /// `0.4ms`, `812ms`, `4.21s`, `2m 05s`, `3h 07m`.
    static func duration(milliseconds: Double) -> String {
        guard milliseconds.isFinite, milliseconds >= 0 else { return "" }
        if milliseconds < 9.95 { return decimal(milliseconds, decimals: 1) + "ms" }
        if milliseconds < 999.5 { return "\(Int(milliseconds.rounded()))ms" }
        if milliseconds < 9_995 { return decimal(milliseconds / 1000, decimals: 2) + "s" }
        if milliseconds < 59_950 { return decimal(milliseconds / 1000, decimals: 1) + "s" }
        let seconds = Int(min(milliseconds / 1000, 1e12).rounded())
        if seconds < 3600 { return "\(seconds / 60)m " + twoDigits(seconds % 60) + "s" }
        return "\(seconds / 3600)h " + twoDigits(seconds / 60 % 60) + "m"
    }

    /// `42%`, `0.3%`
    static func share(_ part: USD, of whole: USD) -> String {
        guard whole > .zero else { return "" }
        let percent = part.double / whole.double * 100
        if percent == 0 { return "0%" }
        return percent < 0.05 ? "<0.1%" : percent < 9.95 ? decimal(percent, decimals: 1) + "%" : "\(Int(percent.rounded()))%"
    }

    /// `2026-11-22T14:03:05.123456789Z` as `11-22 14:03:05`, or `2026-11-22 14:03:05`; what is no time, as it is.
    static func time(_ text: String, withYear: Bool = false) -> String {
        guard Timestamp(text) != nil, text.utf8.count >= 19 else { return text }
        return String(text.prefix(10).dropFirst(withYear ? 0 : 5)) + " " + String(text.dropFirst(11).prefix(8))
    }

    /// All with as many decimals as the longest has, at least two, so that points stand below each other and nothing is rounded.
    static func money(_ amounts: [USD?]) -> [String?] {
        let texts = amounts.map { $0?.description }
        let decimals = texts.compactMap { $0 }.map { decimalCount($0) }.max() ?? 0
        return texts.map { $0.map { money($0, decimals: max(decimals, 2)) } }
    }

    /// `$0.0123`, `$12.00`
    static func dollars(_ amount: USD) -> String { "$" + money(amount.description, decimals: max(decimalCount(amount.description), 2)) }

    private static func money(_ text: String, decimals: Int) -> String {
        let have = decimalCount(text)
        return have >= decimals ? text : text + (have == 0 ? "." : "") + String(repeating: "0", count: decimals - have)
    }

    private static func decimalCount(_ text: String) -> Int {
        guard let point = text.utf8.firstIndex(of: UInt8(ascii: ".")) else { return 0 }
        return text.utf8.distance(from: point, to: text.utf8.endIndex) - 1
    }

    /// Rounded half up; for values of at most some billions.
    private static func decimal(_ value: Double, decimals: Int) -> String {
        let scale = decimals == 1 ? 10 : 100
        let scaled = Int((value * Double(scale)).rounded())
        let fraction = String(scaled % scale)
        return "\(scaled / scale)." + String(repeating: "0", count: decimals - fraction.utf8.count) + fraction
    }

    private static func twoDigits(_ value: Int) -> String { value < 10 ? "0\(value)" : String(value) }
}
