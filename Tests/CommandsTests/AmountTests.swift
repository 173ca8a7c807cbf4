import Testing
import Tracing

@testable import Commands

@Suite struct `Figures for people` {
    @Test(arguments: [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567"), (-1000, "-1,000"), (Int.min, "-9,223,372,036,854,775,808")])
    func `group their digits`(value: Int, text: String) { #expect(Amounts.count(value) == text) }

    @Test(arguments: [
        (0, "0.0ms"), (0.04, "0.0ms"), (0.25, "0.3ms"), (9.94, "9.9ms"), (9.96, "10ms"), (812.4, "812ms"), (999.4, "999ms"), (999.6, "1.00s"), (1201, "1.20s"),
        (9994, "9.99s"), (9996, "10.0s"), (59_940, "59.9s"), (59_960, "1m 00s"), (65_432, "1m 05s"), (3_599_600, "1h 00m"), (3_725_000, "1h 02m"), (1e18, "277777777h 46m"),
    ]) func `say how long in the unit that fits`(milliseconds: Double, text: String) { #expect(Amounts.duration(milliseconds: milliseconds) == text) }

    @Test(arguments: [-1, .nan, .infinity]) func `leave out a duration that is none`(milliseconds: Double) { #expect(Amounts.duration(milliseconds: milliseconds) == "") }

    @Test func `keep money exact, points below each other`() {
        let amounts = ["12", "0.00000000000000000001", nil, "1.5"].map { $0.flatMap { USD($0) } }
        #expect(Amounts.money(amounts) == ["12.00000000000000000000", "0.00000000000000000001", nil, "1.50000000000000000000"])
        #expect(Amounts.money([USD("3"), USD("1.5")]) == ["3.00", "1.50"])
        #expect(Amounts.dollars(USD("0.0123")!) == "$0.0123")
        #expect(Amounts.dollars(.zero) == "$0.00")
    }

    @Test(arguments: [("1", "3", "33%"), ("0.01", "3", "0.3%"), ("0.000001", "3", "<0.1%"), ("0", "3", "0%"), ("3", "3", "100%"), ("1", "0", "")])
    func `say shares`(part: String, whole: String, text: String) { #expect(Amounts.share(USD(part)!, of: USD(whole)!) == text) }

    @Test func `show times without what nobody reads`() {
        #expect(Amounts.time("2026-11-22T14:03:05.123456789Z") == "11-22 14:03:05")
        #expect(Amounts.time("2026-11-22T14:03:05.123456789Z", withYear: true) == "2026-11-22 14:03:05")
        #expect(Amounts.time("yesterday") == "yesterday")
    }
}
