import Testing
import Tracing

@Suite struct `Text from outside` {
    @Test(arguments: [
        [], Array("plain".utf8), Array("exactly8".utf8), Array("é, 漢字, 🎈, e\u{301}\u{0}".utf8),
        [0xF4, 0x8F, 0xBF, 0xBF], [0xED, 0x9F, 0xBF], [0xEE, 0x80, 0x80],
    ] as [[UInt8]])
    func `that is well-formed UTF-8 stays as it is`(bytes: [UInt8]) {
        #expect(withBytes(bytes) { UTF8Text.isWellFormed($0) })
        #expect(withBytes(bytes) { UTF8Text.mended($0) } == bytes)
    }

    @Test(arguments: [
        ([0xFF], "\u{FFFD}"), ([0x61, 0xFF, 0xFE, 0x62], "a\u{FFFD}\u{FFFD}b"), ([0xC3], "\u{FFFD}"),
        ([0xE2, 0x82, 0x41], "\u{FFFD}A"), ([0xC0, 0x80], "\u{FFFD}\u{FFFD}"), ([0xED, 0xA0, 0x80], "\u{FFFD}\u{FFFD}\u{FFFD}"),
        ([0xF4, 0x90, 0x80, 0x80], "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}"), (Array("12345678".utf8) + [0x80], "12345678\u{FFFD}"),
    ] as [([UInt8], String)])
    func `that is not has U+FFFD for what is wrong`(bytes: [UInt8], expected: String) {
        #expect(!withBytes(bytes) { UTF8Text.isWellFormed($0) })
        #expect(String(decoding: withBytes(bytes) { UTF8Text.mended($0) }, as: UTF8.self) == expected)
    }

    @Test(arguments: [
        ("", 0, ""), ("abc", 0, ""), ("abc", 2, "ab"), ("abc", 3, "abc"), ("abc", 9, "abc"),
        ("éé", 1, "é"), ("éé", 2, "éé"), ("éé", 3, "éé"), ("🎈x", 1, "🎈"), ("漢字x", 2, "漢字"),
    ])
    func `is cut between characters`(whole: String, limit: Int, expected: String) {
        let length = withBytes(whole) { UTF8Text.prefixLength(of: $0, codePoints: limit) }
        #expect(String(decoding: Array(whole.utf8)[..<length], as: UTF8.self) == expected)
    }
}
