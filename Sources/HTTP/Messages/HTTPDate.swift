/// A date in a header field (RFC 9110 §5.6.7).
public enum HTTPDate {
    /// Reads all three forms that a recipient must accept; nil for anything else.
    /// - Parameter now: Unix seconds; decides the century of a two-digit year.
    /// - Returns: Unix seconds.
    public static func parse(_ text: String, now: Int64) -> Int64? {
        let parts = text.split { $0 == " " || $0 == "," }.map(String.init)
        switch parts.count {
        // IMF-fixdate: Sun, 06 Nov 1994 08:49:37 GMT
        case 6 where parts[5] == "GMT" && parts[3].utf8.count == 4:
            return seconds(year: number(parts[3], 4), month: parts[2], day: number(parts[1], 2), time: parts[4])
        // rfc850-date: Sunday, 06-Nov-94 08:49:37 GMT
        case 4 where parts[3] == "GMT":
            let date = parts[1].split(separator: "-", omittingEmptySubsequences: false).map(String.init)
            guard date.count == 3, let short = number(date[2], 2) else { return nil }
            func read(century: Int64) -> Int64? { seconds(year: century * 100 + short, month: date[1], day: number(date[0], 2), time: parts[2]) }
            let century = year(of: now / 86_400) / 100
            // "that appears to be more than 50 years in the future" is of the century before.
            guard let time = read(century: century), time > now + 50 * 31_556_952 else { return read(century: century) }
            return read(century: century - 1)
        // asctime-date: Sun Nov  6 08:49:37 1994
        case 5: return seconds(year: number(parts[4], 4), month: parts[1], day: number(parts[2], 1...2), time: parts[3])
        default: return nil
        }
    }

    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    private static func number(_ text: String, _ digits: Int) -> Int64? { number(text, digits...digits) }

    private static func number(_ text: String, _ digits: ClosedRange<Int>) -> Int64? {
        guard digits.contains(text.utf8.count), text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
        return Int64(text)
    }

    private static func seconds(year: Int64?, month: String, day: Int64?, time: String) -> Int64? {
        let clock = time.split(separator: ":", omittingEmptySubsequences: false).map { number(String($0), 2) }
        guard let year, let day, let index = months.firstIndex(of: month), clock.count == 3, let hour = clock[0], let minute = clock[1],
            let second = clock[2], hour < 24, minute < 60, second <= 60
        else { return nil }
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let lengths: [Int64] = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard (1...lengths[index]).contains(day) else { return nil }
        return days(year: year, month: Int64(index) + 1, day: day) * 86_400 + hour * 3600 + minute * 60 + second
    }

    /// Days since 1970-01-01 of a date of the Gregorian calendar; years are counted from March, so that the leap day is the last.
    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month > 2 ? year : year - 1
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 719_468
    }

    /// The year that a day, counted from 1970-01-01, is in.
    private static func year(of day: Int64) -> Int64 {
        var year = 1970 + day / 366
        while days(year: year + 1, month: 1, day: 1) <= day { year += 1 }
        return year
    }
}
