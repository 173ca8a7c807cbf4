import Testing
import Tracing

@Suite struct `An amount of dollars` {
    @Test(arguments: [
        ("0", "0"), ("0.0", "0"), ("12", "12"), ("12.", "12"), (".5", "0.5"), ("-1.50", "-1.5"), ("007", "7"), ("-0", "0"),
        ("0.0001625", "0.0001625"), ("0.00000000000000000001", "0.00000000000000000001"), ("10.000000000100", "10.0000000001"),
        ("1234567890.12345678901234567890", "1234567890.1234567890123456789"), ("0.1000000000000000000000000", "0.1"),
        ("1000000000000000000", "1000000000000000000"), ("0.00000000010000000000", "0.0000000001"),
    ])
    func `is a plain decimal number, exact`(text: String, expected: String) {
        #expect(USD(text)?.description == expected)
    }

    @Test(arguments: ["", "-", ".", "+1", "1e3", "1,5", "1.2.3", " 1", "1 ", "$1", "--1", "1-", "0.000000000000000000001", "2000000000000000000"])
    func `is nil for anything else`(text: String) {
        #expect(USD(text) == nil)
    }

    @Test func `adds and compares exactly where doubles do not`() throws {
        let tenth = try #require(USD("0.1"))
        var sum = USD.zero
        for _ in 0..<10 { sum += tenth }
        #expect(sum == USD("1"))
        #expect(sum - tenth < sum)
        #expect(sum.double == 1)
        #expect(try #require(USD("0.3")).double == 0.3)
    }

    @Test func `survives its description`() {
        var ids = IDGenerator(seed: (5, 6, 7, 8))
        for shift in 0..<120 as Range<Int128> {
            let id = ids.traceID()
            let amount = USD(units: (Int128(id.high) << 64 | Int128(id.low)) >> shift)
            #expect(USD(amount.description) == amount)
            #expect(USD(USD(units: -amount.units).description)?.units == -amount.units)
        }
    }
}
