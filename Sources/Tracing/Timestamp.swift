/// A moment: Unix time in nanoseconds, as OTLP has it. Up to the year 2554.
@frozen public struct Timestamp: Sendable, Hashable, Comparable {
    public var nanoseconds: UInt64

    @inlinable public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    @inlinable public static func < (left: Timestamp, right: Timestamp) -> Bool { left.nanoseconds < right.nanoseconds }
}

extension Timestamp: CustomStringConvertible {
    /// RFC 3339 in UTC with all nine decimals: `2026-08-18T12:34:56.000000000Z`, always 30 characters, so that text sorts as time.
    public var description: String {
        var text: [UInt8] = []
        text.reserveCapacity(30)
        write(into: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// Appends the 30 characters of `description`.
    public func write(into text: inout [UInt8]) {
        let seconds = nanoseconds / 1_000_000_000
        let date = CivilDate(daysSince1970: Int(seconds / 86_400))
        let ofDay = Int(seconds % 86_400)
        text.appendDecimal(date.year, digits: 4)
        text.append(UInt8(ascii: "-"))
        text.appendDecimal(date.month, digits: 2)
        text.append(UInt8(ascii: "-"))
        text.appendDecimal(date.day, digits: 2)
        text.append(UInt8(ascii: "T"))
        text.appendDecimal(ofDay / 3600, digits: 2)
        text.append(UInt8(ascii: ":"))
        text.appendDecimal(ofDay / 60 % 60, digits: 2)
        text.append(UInt8(ascii: ":"))
        text.appendDecimal(ofDay % 60, digits: 2)
        text.append(UInt8(ascii: "."))
        text.appendDecimal(Int(nanoseconds % 1_000_000_000), digits: 9)
        text.append(UInt8(ascii: "Z"))
    }

    /// RFC 3339 `date-time` (§5.6): any offset, `t` and `z` in either case, a fraction of any length of which nine digits count,
    /// second 60 as the first of the next minute. Nil for anything else, and before 1970 or after 2554.
    public init?(_ text: some StringProtocol) {
        var reader = Reader(text: Array(text.utf8))
        guard let year = reader.number(4), reader.skip("-"), let month = reader.number(2), reader.skip("-"), let day = reader.number(2),
            let date = CivilDate(year: year, month: month, day: day),
            reader.skip("T") || reader.skip("t"),
            let hour = reader.number(2), hour < 24, reader.skip(":"), let minute = reader.number(2), minute < 60,
            reader.skip(":"), let second = reader.number(2), second <= 60,
            let fraction = reader.fraction(), let offset = reader.offsetSeconds(), reader.isAtEnd
        else { return nil }
        let seconds = date.daysSince1970 * 86_400 + hour * 3600 + minute * 60 + second - offset
        guard seconds >= 0 else { return nil }
        let (whole, tooLate) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carry) = whole.addingReportingOverflow(UInt64(fraction))
        guard !tooLate, !carry else { return nil }
        nanoseconds = sum
    }

    private struct Reader {
        let text: [UInt8]
        var offset = 0

        var isAtEnd: Bool { offset == text.count }

        mutating func skip(_ character: Unicode.Scalar) -> Bool {
            guard offset < text.count, text[offset] == UInt8(ascii: character) else { return false }
            offset += 1
            return true
        }

        mutating func digit() -> Int? {
            guard offset < text.count, UInt8(ascii: "0")...UInt8(ascii: "9") ~= text[offset] else { return nil }
            offset += 1
            return Int(text[offset - 1] - UInt8(ascii: "0"))
        }

        mutating func number(_ digits: Int) -> Int? {
            var value = 0
            for _ in 0..<digits {
                guard let digit = digit() else { return nil }
                value = value * 10 + digit
            }
            return value
        }

        /// Nanoseconds; 0 without a fraction.
        mutating func fraction() -> Int? {
            guard skip(".") else { return 0 }
            var value = 0
            var unit = 100_000_000
            guard var next = digit() else { return nil }
            while true {
                value += next * unit
                unit /= 10
                guard let digit = digit() else { return value }
                next = digit
            }
        }

        mutating func offsetSeconds() -> Int? {
            if skip("Z") || skip("z") { return 0 }
            let sign = skip("+") ? 1 : skip("-") ? -1 : 0
            guard sign != 0, let hour = number(2), hour < 24, skip(":"), let minute = number(2), minute < 60 else { return nil }
            return sign * (hour * 3600 + minute * 60)
        }
    }
}

/// A day of the Gregorian calendar, from 1970 on. Years are counted from March, so that the leap day is a year's last.
private struct CivilDate {
    var year: Int
    var month: Int
    var day: Int

    private static let daysPerEra = 146_097  // 400 years
    /// From the first of March of year 0 to the first of January 1970.
    private static let daysBefore1970 = 719_468

    init(daysSince1970: Int) {
        let days = daysSince1970 + Self.daysBefore1970
        let era = days / Self.daysPerEra
        let dayOfEra = days % Self.daysPerEra
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
    }

    /// Nil for a day that the calendar does not have, and before 1970 by more than a day (an offset may still lift that one).
    init?(year: Int, month: Int, day: Int) {
        guard year >= 1969, 1...12 ~= month, day >= 1 else { return nil }
        (self.year, self.month, self.day) = (year, month, day)
        let round = CivilDate(daysSince1970: daysSince1970)
        guard round.month == month, round.day == day else { return nil }
    }

    var daysSince1970: Int {
        let fromMarch = month <= 2 ? year - 1 : year
        let yearOfEra = fromMarch % 400
        let monthFromMarch = month > 2 ? month - 3 : month + 9
        let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return fromMarch / 400 * Self.daysPerEra + dayOfEra - Self.daysBefore1970
    }
}

extension [UInt8] {
    /// The lowest `digits` decimals of a number that is not negative, with leading zeros.
    mutating func appendDecimal(_ value: Int, digits: Int) {
        let start = count
        append(contentsOf: repeatElement(UInt8(ascii: "0"), count: digits))
        var text = mutableSpan
        var rest = value.magnitude
        var index = start + digits - 1
        while rest > 0, index >= start {
            text[index] &+= UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
            index -= 1
        }
    }
}
