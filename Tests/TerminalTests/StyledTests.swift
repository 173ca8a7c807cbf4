import Terminal
import Testing

@Suite struct `The width of a text` {
    @Test(arguments: [
        ("", 0), ("chat gpt-4o", 11), ("├─ chat", 7), ("naïve", 5), ("e\u{301}", 1), ("模型", 4), ("ﾃ", 1), ("한글", 4), ("🙂", 2), ("❤\u{FE0F}", 2), ("a\u{200B}b", 2),
    ]) func `is what a terminal gives it`(text: String, columns: Int) {
        #expect(TextWidth.columns(text) == columns)
    }
}

@Suite struct `A styled text` {
    @Test func `shows its codes only in colour`() {
        let text = Styled("cost ", .dim) + "0.12" + Styled(" high", .red)
        #expect(text.shown(inColor: false) == "cost 0.12 high")
        #expect(text.shown(inColor: true) == "\u{1B}[2mcost \u{1B}[0m0.12\u{1B}[31m high\u{1B}[0m")
    }

    @Test(arguments: [(20, "├─ chat gpt-4o"), (14, "├─ chat gpt-4o"), (13, "├─ chat gpt-…"), (4, "├─ …"), (1, "…"), (0, "")])
    func `is cut at a width, with a sign that it was`(width: Int, expected: String) {
        let text = (Styled("├─ ", .dim) + "chat gpt-4o").cut(to: width)
        #expect(text.text == expected)
        #expect(text.width <= width)
    }

    @Test func `is never cut through a wide character`() {
        #expect(Styled("模型模型").cut(to: 4).text == "模…")
        #expect(Styled("模型模型").cut(to: 4).width == 3)
    }

    @Test(arguments: ["a\u{1B}[2Jb", "a\rb", "a\nb", "a\u{9B}31mb", "a\u{202E}b", "a\u{7F}b"])
    func `holds nothing that a terminal would obey`(text: String) {
        let shown = Styled(text).shown(inColor: true)
        #expect(shown.hasPrefix("a\u{FFFD}"))
        #expect(shown.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F..<0xA0).contains($0.value) && $0 != "\u{202E}" })
    }

    @Test func `keeps what is plain`() {
        #expect("模型 – naïve 🙂".printable == "模型 – naïve 🙂")
    }
}
