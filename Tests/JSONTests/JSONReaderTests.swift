import JSON
import Testing

/// Reads all of `text` in one way and returns the error, if any.
private func verdict(_ text: String, _ read: (inout JSONReader) throws(JSONError) -> Void) -> JSONError? {
    let bytes = Array(text.utf8)
    var reader = JSONReader(unsafe bytes.span.bytes)
    do throws(JSONError) {
        try read(&reader)
        try reader.finish()
        return nil
    } catch {
        return error
    }
}

/// Pulls every value by the function for its kind, so that the pulling side is held to the grammar as well as the skipping one.
private func pullAll(_ reader: inout JSONReader) throws(JSONError) {
    switch try reader.peek() {
    case .object:
        #expect(try reader.enterObject())
        while try reader.nextMember() != nil { try pullAll(&reader) }
    case .array:
        #expect(try reader.enterArray())
        while try reader.nextElement() { try pullAll(&reader) }
    case .string: #expect(try reader.string() != nil)
    case .number: #expect(try reader.number() != nil)
    case .bool: #expect(try reader.bool() != nil)
    case .null: #expect(try reader.null())
    }
}

@Suite struct `A JSON reader` {
    @Test(arguments: JSONTexts.accepted) func `accepts what the grammar allows`(text: String) {
        #expect(verdict(text) { reader throws(JSONError) in try reader.skip() } == nil)
        #expect(verdict(text) { reader throws(JSONError) in try pullAll(&reader) } == nil)
        #expect(verdict(text) { reader throws(JSONError) in _ = try reader.rawValue() } == nil)
        #expect(verdict(text) { _ in } == nil)
    }

    @Test(arguments: JSONTexts.rejected) func `refuses everything else and says why`(text: String, error: JSONError) {
        #expect(verdict(text) { reader throws(JSONError) in try reader.skip() } == error)
        #expect(verdict(text) { reader throws(JSONError) in try pullAll(&reader) } == error)
        #expect(verdict(text) { _ in } == error)
    }

    @Test func `finds what is asked for and skips the rest`() throws {
        let text = Array(#"{"id":"x","usage":{"n":{"a":[1,{"b":2}]},"total":7},"model":"gpt-4o","n":null,"stream":true,"t":0.25}"#.utf8)
        var reader = JSONReader(unsafe text.span.bytes)
        var (total, model, stream, temperature, isNull) = (Int64?.none, String?.none, Bool?.none, Double?.none, false)
        #expect(try reader.enterObject())
        while let key = try reader.nextMember() {
            if key.is("model"), let value = try reader.string() {
                model = String(value)
            } else if key.is("usage"), try reader.enterObject() {
                while let key = try reader.nextMember() { if key.is("total") { total = try reader.int64() } }
            } else if key.is("stream") {
                stream = try reader.bool()
            } else if key.is("t") {
                temperature = try reader.double()
            } else if key.is("n") {
                isNull = try reader.null()
            }
        }
        try reader.finish()
        #expect(total == 7)
        #expect(model == "gpt-4o")
        #expect(stream == true)
        #expect(temperature == 0.25)
        #expect(isNull)
    }

    @Test func `leaves a value of another kind pending, so that the next kind can be tried`() throws {
        let text = Array(#"["a",1,{"b":2},[3]]"#.utf8)
        var reader = JSONReader(unsafe text.span.bytes)
        #expect(try reader.enterObject() == false)
        #expect(try reader.string() == nil)
        #expect(try reader.enterArray())
        #expect(try reader.nextElement())
        #expect(try reader.int64() == nil)
        #expect(try reader.bool() == nil)
        #expect(try reader.null() == false)
        #expect(try reader.string()?.is("a") == true)
        #expect(try reader.nextElement())
        #expect(try reader.string() == nil)
        #expect(try reader.int64() == 1)
        #expect(try reader.nextElement())
        #expect(try reader.nextElement())
        #expect(try reader.enterArray())
        try reader.finish()
    }

    @Test func `leaves a container early without losing its place`() throws {
        let text = Array(#"{"a":{"x":1,"y":[1,2,{"z":3}],"w":4},"b":[1,2,3],"c":5}"#.utf8)
        var reader = JSONReader(unsafe text.span.bytes)
        #expect(try reader.enterObject())
        #expect(try reader.nextMember()?.is("a") == true)
        #expect(try reader.enterObject())
        #expect(try reader.nextMember()?.is("x") == true)
        try reader.leave()
        #expect(try reader.nextMember()?.is("b") == true)
        #expect(try reader.enterArray())
        #expect(try reader.nextElement())
        try reader.leave()
        #expect(try reader.nextMember()?.is("c") == true)
        #expect(try reader.int64() == 5)
        #expect(try reader.nextMember() == nil)
        #expect(reader.depth == 0)
        try reader.finish()
    }

    @Test func `tells where values stand`() throws {
        let text = Array(#" { "a" : [ 1 , 2 ] , "b" : "xy" } "#.utf8)
        var reader = JSONReader(unsafe text.span.bytes)
        #expect(try reader.enterObject())
        #expect(try reader.nextMember()?.range == 4..<5)
        #expect(try reader.rawValue() == 9..<18)
        _ = try reader.nextMember()
        let string = try reader.string()
        #expect(string?.range == 28..<30)
        try reader.finish()
        #expect(reader.offset == text.count)
    }

    @Test(arguments: [
        ("model", "model", true), ("model", "mode", false), ("model", "models", false), ("model", "modem", false), (#"mod\u0065l"#, "model", true), (#"mod\u0066l"#, "model", false),
        (#"a\/b"#, "a/b", true), ("", "", true), ("prompt_tokens", "prompt_tokens", true), ("prompt_tokens", "prompt_tokenz", false), ("prompt_tokens", "Prompt_tokens", false),
        ("completion_tokens_details", "completion_tokens_details", true), ("completion_tokens_details", "completion-tokens_details", false), ("id", "id", true), ("id", "ie", false), ("été", "été", true),
    ]) func `compares names, escaped or not`(raw: String, other: String, expected: Bool) throws {
        let text = Array("{\"\(raw)\":1}".utf8)
        let others = Array(other.utf8)
        var reader = JSONReader(unsafe text.span.bytes)
        #expect(try reader.enterObject())
        let key = try reader.nextMember()
        #expect(key?.is(unsafe others.span.bytes) == expected)
    }

    @Test func `compares names with literals of every length`() throws {
        func read(_ name: String, _ body: (borrowing JSONString) -> Bool) throws -> Bool {
            let text = Array("\"\(name)\"".utf8)
            var reader = JSONReader(unsafe text.span.bytes)
            guard let string = try reader.string() else { return false }
            return body(string)
        }
        #expect(try read("") { $0.is("") })
        #expect(try read("a") { $0.is("a") && !$0.is("b") && !$0.is("ab") && !$0.is("") })
        #expect(try read("abc") { $0.is("abc") && !$0.is("abd") && !$0.is("xbc") })
        #expect(try read("abcd") { $0.is("abcd") && !$0.is("abce") && !$0.is("xbcd") })
        #expect(try read("abcdefg") { $0.is("abcdefg") && !$0.is("abcdefx") && !$0.is("xbcdefg") && !$0.is("abcxefg") })
        #expect(try read("abcdefgh") { $0.is("abcdefgh") && !$0.is("abcdefgx") && !$0.is("xbcdefgh") })
        #expect(try read("abcdefghijklmnopqrst") { $0.is("abcdefghijklmnopqrst") && !$0.is("abcdefghijkxmnopqrst") && !$0.is("abcdefghijklmnopqrsx") })
        #expect(try read("a\\nb") { $0.is("a\nb") && !$0.is("a\\nb") })
    }

    @Test(arguments: [
        (#""plain""#, "plain"), (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"), (#""a\u0041b""#, "aAb"), (#""\u00e9\u20AC""#, "é€"), (#""x\ud83d\ude00y""#, "x😀y"),
        (#""\ud83d""#, "\u{FFFD}"), (#""\ude00\ud83d""#, "\u{FFFD}\u{FFFD}"), (#""\ud83dx\ude00""#, "\u{FFFD}x\u{FFFD}"), (#""\ud83d\ud83d\ude00""#, "\u{FFFD}😀"), (#""\ud83d\n""#, "\u{FFFD}\n"), (#""é\n""#, "é\n"),
    ]) func `decodes escapes`(text: String, expected: String) throws {
        #expect(try JSONValue(text) == .string(expected))
    }

    @Test(arguments: [
        ("0", 0), ("-0", 0), ("12", 12), ("-12", -12), ("9223372036854775807", .max), ("-9223372036854775808", .min), ("9223372036854775808", nil), ("-9223372036854775809", nil),
        ("18446744073709551616", nil), ("12.0", 12), ("12.50", nil), ("1.2e1", 12), ("1.25e1", nil), ("120e-1", 12), ("1e18", 1_000_000_000_000_000_000), ("1e19", nil), ("-1e2", -100), ("0e999999", 0), ("1e999999", nil), ("0.0", 0),
    ] as [(String, Int64?)]) func `reads whole numbers exactly`(text: String, expected: Int64?) throws {
        let bytes = Array(text.utf8)
        var reader = JSONReader(unsafe bytes.span.bytes)
        #expect(try reader.int64() == expected)
        try reader.finish()
    }

    @Test(arguments: [
        "0", "-0", "0.1", "0.7", "1e22", "1e23", "123456789.125", "1.7976931348623157e308", "5e-324", "2.2250738585072011e-308", "9007199254740993", "0.000001", "3.14159265358979323846264338327950288",
        "1e400", "-1e400", "1e-400", "123456789012345678901234567890", "8.5e-7",
    ]) func `reads the nearest double`(text: String) throws {
        let bytes = Array(text.utf8)
        var reader = JSONReader(unsafe bytes.span.bytes)
        let value = try reader.double()
        #expect(value == Double(text))
        #expect(value?.sign == Double(text)?.sign)
    }

    @Test func `says where the text is wrong`() {
        let text = Array("{\"a\": [1, 2, \"x\ty\"]}".utf8)
        var reader = JSONReader(unsafe text.span.bytes)
        #expect(throws: JSONError.controlCharacter) { try reader.skip() }
        #expect(reader.offset == 15)
    }

    @Test func `never reads beyond its end, wherever a text is cut`() {
        let text = Array(#" {"a\u00e9b" : [1.5e-3, true, null, "\ud83d\ude00 long enough for words"], "b":{"c":false}} "#.utf8)
        for end in 0..<text.count - 1 {
            let cut = Array(text[..<end])
            var reader = JSONReader(unsafe cut.span.bytes)
            #expect(throws: JSONError.endOfInput) {
                try reader.skip()
                try reader.finish()
            }
        }
    }
}
