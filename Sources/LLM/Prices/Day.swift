import JSON

/// A day of the proleptic Gregorian calendar.
struct Day {
    /// Days since 1970-01-01.
    var sinceEpoch: Int

    /// `2027-01-01`.
    init?(_ text: borrowing JSONString) {
        let parts = String(text).split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].count == 4, parts[1].count == 2, parts[2].count == 2, let year = Int(parts[0]), let month = Int(parts[1]),
            let day = Int(parts[2]), (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        // Days from civil, counting years from March (H. Hinnant, chrono-compatible low-level date algorithms).
        let marchYear = month <= 2 ? year - 1 : year
        let era = marchYear / 400
        let yearOfEra = marchYear - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        sinceEpoch = era * 146_097 + dayOfEra - 719_468
    }
}
