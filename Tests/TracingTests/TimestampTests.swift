import Testing
import Tracing

@Suite struct `A timestamp` {
    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000000000Z"),
        (1, "1970-01-01T00:00:00.000000001Z"),
        (951_782_400_000_000_000, "2000-02-29T00:00:00.000000000Z"),
        (951_868_799_999_999_999, "2000-02-29T23:59:59.999999999Z"),
        (1_700_000_000_000_000_000, "2023-11-14T22:13:20.000000000Z"),
        (1_709_251_199_123_456_789, "2024-02-29T23:59:59.123456789Z"),
        (1_735_689_599_000_000_000, "2024-12-31T23:59:59.000000000Z"),
        (4_107_542_400_000_000_000, "2100-03-01T00:00:00.000000000Z"),
        (UInt64.max, "2554-07-21T23:34:33.709551615Z"),
    ] as [(UInt64, String)])
    func `is RFC 3339 in UTC with nanoseconds`(nanoseconds: UInt64, text: String) {
        #expect(Timestamp(nanoseconds: nanoseconds).description == text)
        #expect(Timestamp(text) == Timestamp(nanoseconds: nanoseconds))
    }

    @Test(arguments: [
        ("2023-11-14T22:13:20Z", 1_700_000_000_000_000_000),
        ("2023-11-14t22:13:20z", 1_700_000_000_000_000_000),
        ("2023-11-14T22:13:20.5Z", 1_700_000_000_500_000_000),
        ("2023-11-14T22:13:20.1234567899Z", 1_700_000_000_123_456_789),
        ("2023-11-15T00:13:20+02:00", 1_700_000_000_000_000_000),
        ("2023-11-14T16:43:20-05:30", 1_700_000_000_000_000_000),
        ("2023-11-14T22:13:20-00:00", 1_700_000_000_000_000_000),
        ("2016-12-31T23:59:60Z", 1_483_228_800_000_000_000),
        ("1969-12-31T23:30:00-01:00", 1_800_000_000_000),
    ] as [(String, UInt64)])
    func `is read with any offset and fraction`(text: String, nanoseconds: UInt64) {
        #expect(Timestamp(text)?.nanoseconds == nanoseconds)
    }

    @Test(arguments: [
        "", "2023", "2023-11-14", "2023-11-14T22:13Z", "2023-11-14T22:13:20", "2023-11-14 22:13:20Z", "2023-11-14T22:13:20.Z",
        "2023-11-14T22:13:20ZZ", "2023-11-14T24:00:00Z", "2023-11-14T22:60:00Z", "2023-11-14T22:13:61Z", "2023-13-14T22:13:20Z",
        "2023-00-14T22:13:20Z", "2023-11-31T22:13:20Z", "2023-02-29T22:13:20Z", "2100-02-29T00:00:00Z", "2023-11-00T22:13:20Z",
        "2023-11-14T22:13:20+2:00", "2023-11-14T22:13:20+02", "2023-11-14T22:13:20+24:00", "1969-12-31T23:59:59Z",
        "2554-07-21T23:34:34Z", "9999-12-31T23:59:59Z", "1968-01-01T00:00:00Z", "２023-11-14T22:13:20Z", "-023-11-14T22:13:20Z",
    ])
    func `is nil when the text is anything else`(text: String) {
        #expect(Timestamp(text) == nil)
    }

    @Test func `follows the calendar day by day`() {
        let lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        var day: UInt64 = 0
        for year in 1970..<2410 {
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            for month in 1...12 {
                let length = lengths[month - 1] + (month == 2 && isLeap ? 1 : 0)
                for date in [1, length] {
                    let text = "\(year)-\(month < 10 ? "0" : "")\(month)-\(date < 10 ? "0" : "")\(date)T00:00:00.000000000Z"
                    let timestamp = Timestamp(nanoseconds: (day + UInt64(date - 1)) * 86_400_000_000_000)
                    #expect(timestamp.description == text)
                    #expect(Timestamp(text) == timestamp)
                }
                day += UInt64(length)
            }
        }
    }
}

@Suite struct `A duration in milliseconds` {
    @Test(arguments: [
        (0, "0"), (1, "0.000001"), (1_000_000, "1"), (1_500_000, "1.5"), (12_345_678, "12.345678"), (12_000_010, "12.00001"),
        (86_400_000_000_000, "86400000"), (-1_500_000, "-1.5"), (Int64.max, "9223372036854.775807"), (Int64.min, "-9223372036854.775808"),
    ] as [(Int64, String)])
    func `is shown exactly, without exponent or trailing zeros`(nanoseconds: Int64, text: String) {
        #expect(Milliseconds(nanoseconds: nanoseconds).description == text)
    }
}
