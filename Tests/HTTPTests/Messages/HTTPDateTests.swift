import HTTP
import Testing

@Suite struct `A date in a header` {
    /// 2026-01-02 03:04:05
    private static let now: Int64 = 1_767_323_045

    @Test(arguments: [
        ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777), ("Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777), ("Sun Nov  6 08:49:37 1994", 784_111_777),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("Thu, 29 Feb 2024 23:59:60 GMT", 1_709_251_200), ("Fri, 02 Jan 2026 03:04:05 GMT", now),
        ("Thu, 31 Dec 2099 23:59:59 GMT", 4_102_444_799), ("Tuesday, 01-Jan-30 00:00:00 GMT", 1_893_456_000), ("Saturday, 01-Jan-77 00:00:00 GMT", 220_924_800),
    ] as [(String, Int64)]) func `is read in each of its three forms`(_ text: String, _ seconds: Int64) {
        #expect(HTTPDate.parse(text, now: Self.now) == seconds)
    }

    @Test(arguments: [
        "", "120", "tomorrow", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 31 Apr 1994 08:49:37 GMT", "Thu, 29 Feb 2023 00:00:00 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 8:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 06 Nov 94 08:49:37 GMT", "Sun, 06 Nov 1994 08:49 GMT",
        "Sunday, 06-Nov 08:49:37 GMT", "Sun, +6 Nov 1994 08:49:37 GMT",
    ]) func `is nothing where it is none`(_ text: String) {
        #expect(HTTPDate.parse(text, now: Self.now) == nil)
    }
}
