import JSON

/// Texts with the verdict RFC 8259 gives on them, in the spirit of the parser test collections: a row per trap.
enum JSONTexts {
    static let accepted: [String] = [
        "null", "true", "false", "0", "-0", "1", "-1", "123456789", "0.5", "-0.5", "1e1", "1E1", "1e+1", "1e-1", "1.25e-10", "0e0", "0E+5",
        "9223372036854775807", "123456789012345678901234567890", "1e400", "1e-400", "\"\"", "\"a\"", "[]", "{}", "[1]", "[1,2]", "[[],{}]",
        "{\"\":0}", "{\"a\":1,\"a\":2}", "{\"a\":{\"b\":[true,false,null]}}", " \t\r\n1\n ", "[ 1 , 2 ]", "{ \"a\" : 1 , \"b\" : 2 }", "\n[\n]\n",
        #""\"\\\/\b\f\n\r\t""#, #""\u0000""#, #""\u00e9\u00E9""#, #""\ud83d\ude00""#, #""\uD800""#, #""\uDC00\uD800""#, #""\ud800\n""#, "\"é\u{2028}\u{2029}😀\"", "\"\u{7F}\"",
        "\"12345678\"", "\"1234567\\\"\"", "\"/\"", "[\"a\",\"b\"]", "[0]", "[-0]", "[0,-0.0e-0]", "[1e5,1E-5]",
        String(repeating: "[", count: 128) + String(repeating: "]", count: 128), String(repeating: "{\"a\":", count: 128) + "1" + String(repeating: "}", count: 128),
    ]

    /// With the error that says why.
    static let rejected: [(String, JSONError)] = reasons.flatMap { reason in reason.texts.map { ($0, reason.error) } }

    private static let reasons: [(error: JSONError, texts: [String])] = [
        (.endOfInput, endOfInput), (.unexpectedByte, unexpectedByte), (.badNumber, badNumber), (.trailingBytes, trailingBytes), (.badEscape, badEscape), (.controlCharacter, controlCharacter), (.tooDeep, tooDeep),
    ]

    private static let endOfInput: [String] = [
        "", " ", "\n\t", "nul", "tru", "-", "1.", "1e", "1e+", "\"", "\"a", "\"\\", "\"\\\"", "\"\\u12", "[", "[1", "[1,", "{", "{\"a\"",
        "{\"a\":", "{\"a\":1", "{\"a\":1,",
    ]

    private static let unexpectedByte: [String] = [
        "nan", "NaN", "Infinity", "True", "undefined", "'a'", "a", "\u{FEFF}1", "+1", ".5", "[1a]", "[1,]", "[,1]", "[,]", "[1,,2]",
        "[1 2]", "[1;2]", "[1:2]", "[1}", "[\"a\":1]", "]", "{\"a\":1,}", "{,}", "{\"a\"}", "{\"a\" 1}", "{\"a\",1}", "{a:1}", "{1:1}",
        "{null:1}", "{\"a\"::1}", "{\"a\":}", "{\"a\":1]", "{\"a\":1 \"b\":2}", "{\"a\":1,,\"b\":2}", "}", "\u{A0}1", "\u{C}1", "/**/1",
        "[1 /*x*/]",
    ]

    private static let badNumber: [String] = [
        "-Infinity", "01", "-01", "00", "-.5", "1.]", "[1.]", "1.e1", "[1e]", "[1e+]", "1.2.3", "1e1.5", "1-2", "--1", "1e1e1",
    ]

    private static let trailingBytes: [String] = [
        "0x1", "1_000", "1a", "[]]", "{}}", "1 2", "1,2", "null null", "{} {}", "\"\"\"\"", "1\u{0}", "1\u{A0}", "1//",
    ]

    private static let badEscape: [String] = [
        "\"\\u12\"", "\"\\u12g4\"", "\"\\U1234\"", "\"\\x41\"", "\"\\a\"", "\"\\0\"", "\"\\'\"", "\"\\é\"",
    ]

    private static let controlCharacter: [String] = [
        "\"\u{0}\"", "\"\n\"", "\"\t\"", "\"\u{1F}\"", "\"12345678\u{1}\"",
    ]

    private static let tooDeep: [String] = [
        String(repeating: "[", count: 129) + String(repeating: "]", count: 129), String(repeating: "{\"a\":", count: 129) + "1",
        String(repeating: "[", count: 100_000),
    ]
}
