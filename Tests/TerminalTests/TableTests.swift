import Terminal
import Testing

@Suite struct `A table` {
    static let table: Table = {
        var table = Table([.init("HOP", leastWidth: 6), .init("MODEL", dropRank: 1), .init("OUT", .right), .init("COST", .right), .init("OUTCOME")])
        table.add(["invoke_agent planner"])
        table.add(["├─ chat gpt-4o", "openai/gpt-4o", "1,234", "0.0123", Styled("stop", .green)])
        table.add(["└─ 模型", "", "7", "", "timeout"])
        return table
    }()

    @Test func `aligns its columns and ends no line with blanks`() {
        #expect(Self.table.lines(width: nil, inColor: false) == [
            "HOP                   MODEL            OUT    COST  OUTCOME",
            "invoke_agent planner",
            "├─ chat gpt-4o        openai/gpt-4o  1,234  0.0123  stop",
            "└─ 模型                                  7          timeout",
        ])
    }

    @Test func `leaves out what may go, then cuts what may be cut`() {
        #expect(Self.table.lines(width: 40, inColor: false) == [
            "HOP                 OUT    COST  OUTCOME",
            "invoke_agent pl…",
            "├─ chat gpt-4o    1,234  0.0123  stop",
            "└─ 模型               7          timeout",
        ])
    }

    @Test(arguments: [100, 58, 57, 45, 40, 32]) func `fits where it can`(width: Int) {
        for line in Self.table.lines(width: width, inColor: false) { #expect(TextWidth.columns(line) <= width) }
    }

    @Test func `would rather leave out a column than cut another too short`() {
        var table = Table([.init("NAME", leastWidth: 4, goodWidth: 12), .init("EXTRA", dropRank: 1), .init("COST", .right)])
        table.add(["invoke_agent planner", "something", "0.0123"])
        #expect(table.lines(width: 32, inColor: false).last == "invoke_agent…  something  0.0123")
        #expect(table.lines(width: 30, inColor: false).last == "invoke_agent planner  0.0123")
        #expect(table.lines(width: 12, inColor: false).last == "inv…  0.0123")
    }

    @Test func `never cuts a figure`() {
        for line in Self.table.lines(width: 5, inColor: false).dropFirst(2) { #expect(line.contains("1,234") || line.contains("7")) }
    }

    @Test func `shows no column that is empty throughout`() {
        var table = Table([.init("A"), .init("B"), .init("C", .right)])
        table.add(["1", "", "2"])
        #expect(table.lines(width: nil, inColor: false) == ["A  C", "1  2"])
    }

    @Test func `colours the text and not the blanks`() {
        #expect(Self.table.lines(width: nil, inColor: true)[2].hasSuffix("0.0123  \u{1B}[32mstop\u{1B}[0m"))
    }
}
