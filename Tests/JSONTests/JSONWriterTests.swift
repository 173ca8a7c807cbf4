import JSON
import Testing

@Suite struct `A JSON writer` {
    @Test func `puts commas where they belong`() {
        var json = JSONWriter(appendingTo: Array("data: ".utf8))
        json.beginObject()
        json.key("a"); json.int(1)
        json.key("b"); json.beginArray(); json.null(); json.bool(true); json.beginObject(); json.endObject(); json.string("x"); json.endArray()
        json.key("c"); json.raw("{\"d\":0.10}")
        json.key("e"); json.double(0.5)
        json.endObject()
        #expect(String(decoding: json.bytes, as: UTF8.self) == #"data: {"a":1,"b":[null,true,{},"x"],"c":{"d":0.10},"e":0.5}"#)
    }

    @Test func `escapes what a string cannot hold`() {
        var json = JSONWriter()
        json.string("\"\\\u{8}\u{C}\n\r\t\u{0}\u{1F}/é😀\u{7F}")
        #expect(String(decoding: json.bytes, as: UTF8.self) == #""\"\\\b\f\n\r\t\u0000\u001f/é😀"# + "\u{7F}\"")
    }

    @Test(arguments: [
        [0x61, 0xFF, 0x62], [0xC3], [0xC3, 0x28], [0xE2, 0x82], [0xE2, 0x82, 0x41], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xF0, 0x9F, 0x98], [0xF0, 0x9F, 0x98, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xF4, 0x90, 0x80, 0x80],
        [0xC0, 0xAF], [0x80, 0xBF], [0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0xE9, 0x69],
    ] as [[UInt8]]) func `mends bytes that are no UTF-8`(bytes: [UInt8]) {
        var json = JSONWriter()
        json.string(utf8: unsafe bytes.span.bytes)
        #expect(String(decoding: json.bytes, as: UTF8.self) == "\"" + String(decoding: bytes, as: UTF8.self) + "\"")
        #expect(String(validating: json.bytes, as: UTF8.self) != nil)
    }

    @Test(arguments: [(0.1, "0.1"), (1e300, "1e+300"), (-0.0, "-0.0"), (5, "5.0"), (.nan, "null"), (.infinity, "null"), (-.infinity, "null")])
    func `writes doubles that read back, and null where there is no number`(value: Double, expected: String) throws {
        var json = JSONWriter()
        json.double(value)
        #expect(String(decoding: json.bytes, as: UTF8.self) == expected)
        if value.isFinite { #expect(try JSONValue(unsafe json.bytes.span.bytes).double == value) }
    }

    @Test func `writes whole numbers of every width`() {
        var json = JSONWriter()
        json.beginArray()
        json.int(UInt64.max)
        json.int(Int64.min)
        json.int(Int8(-1))
        json.endArray()
        #expect(String(decoding: json.bytes, as: UTF8.self) == "[18446744073709551615,-9223372036854775808,-1]")
    }
}

@Suite struct `A JSON tree` {
    @Test(arguments: JSONTexts.accepted) func `reads back as what it was written from`(text: String) throws {
        let tree = try JSONValue(text)
        #expect(try JSONValue(unsafe tree.bytes.span.bytes) == tree)
    }

    @Test(arguments: JSONTexts.rejected) func `refuses what is no JSON`(text: String, error: JSONError) {
        #expect(throws: error) { try JSONValue(text) }
    }

    @Test func `keeps order, numbers and repeated names`() throws {
        let text = #"{"b":1.50,"a":[12345678901234567890.10,-0],"b":2}"#
        let tree = try JSONValue(text)
        #expect(String(decoding: tree.bytes, as: UTF8.self) == text)
        #expect(tree["b"]?.int == 2)
        #expect(tree["a"]?[0] == .number("12345678901234567890.10"))
        #expect(tree["a"]?[2] == nil)
        #expect(tree["c"] == nil)
        #expect(tree["a"]?["b"] == nil)
    }
}
