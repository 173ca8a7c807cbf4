import Tracing

/// A time in a query: RFC 3339, or how long ago.
enum TimeParameter {
    static let expected = "a time such as 2026-08-18T12:00:00Z, or so long ago such as 15m, 1h or 7d"

    /// - Parameter now: Unix nanoseconds.
    /// - Returns: Unix nanoseconds; nil for what is no time.
    static func parse(_ text: String, now: UInt64) -> UInt64? {
        if let ago = duration(text) { return now > ago ? now - ago : 0 }
        if let time = Timestamp(text) { return time.nanoseconds }
        // An offset's plus sign that was not percent-encoded has become a space.
        return Timestamp(String(text.map { $0 == " " ? "+" : $0 }))?.nanoseconds
    }

    /// `90s`, `15m`, `1h`, `7d` in nanoseconds.
    private static func duration(_ text: String) -> UInt64? {
        let digits = text.utf8.dropLast()
        guard !digits.isEmpty, digits.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }), let unit = text.utf8.last else { return nil }
        let seconds: UInt64
        switch unit {
        case UInt8(ascii: "s"): seconds = 1
        case UInt8(ascii: "m"): seconds = 60
        case UInt8(ascii: "h"): seconds = 3600
        case UInt8(ascii: "d"): seconds = 86_400
        default: return nil
        }
        guard let count = UInt64(String(decoding: Array(digits), as: UTF8.self)) else { return nil }
        let (nanoseconds, overflow) = count.multipliedReportingOverflow(by: seconds * 1_000_000_000)
        return overflow ? .max : nanoseconds
    }
}
