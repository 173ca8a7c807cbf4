import JSON
import Tracing

/// A day of the proleptic Gregorian calendar.
struct Day {
    /// Days since 1970-01-01.
    var sinceEpoch: Int

    /// `2027-01-01`; nil for a day there is not, and before 1970.
    init?(_ text: borrowing JSONString) {
        guard let midnight = Timestamp(String(text) + "T00:00:00Z") else { return nil }
        sinceEpoch = Int(midnight.nanoseconds / 86_400_000_000_000)
    }
}
