import Commands
import Foundation
import JSON
import Terminal
import Testing

/// What the api answered, `Fixtures/*.json`, and beside it what is printed, `*.txt`. `RECORD=1` writes the texts anew; the diff is
/// the review.
@Suite struct `An answer of the api` {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")

    static func json(_ name: String) throws -> JSONValue {
        try JSONValue(String(contentsOf: folder.appending(path: name + ".json"), encoding: .utf8))
    }

    static func lines(_ name: String, on screen: Screen) throws -> [String] {
        let json = try json(name)
        return switch name {
        case "runs": try RunsTable.lines(json, on: screen)
        case "cost": try CostTable.lines(json, by: ["model"], on: screen)
        case "cost-two-keys": try CostTable.lines(json, by: ["day", "model"], on: screen)
        default: try RunTree.lines(json.bytes, on: screen)
        }
    }

    static let cases: [(name: String, width: Int?, color: Bool)] = [
        ("run", nil, false), ("run", 100, false), ("run", 72, false), ("run", nil, true), ("run-suspect", nil, false), ("run-suspect", 120, true),
        ("runs", nil, false), ("runs", 100, false), ("runs", 80, false), ("cost", nil, false), ("cost", 50, false), ("cost-two-keys", nil, false),
    ]

    @Test(arguments: cases.indices) func `is printed as it was recorded`(index: Int) throws {
        let (name, width, color) = Self.cases[index]
        let text = try Self.lines(name, on: Screen(width: width, hasColor: color)).map { $0 + "\n" }.joined()
        let place = name + (width.map { "-\($0)" } ?? "") + (color ? "-color" : "") + ".txt"
        let expected = Self.folder.appending(path: place)
        if ProcessInfo.processInfo.environment["RECORD"] == "1" { try text.write(to: expected, atomically: true, encoding: .utf8) }
        #expect(text == (try? String(contentsOf: expected, encoding: .utf8)))
        for line in text.split(separator: "\n") { #expect(line.last != " ") }
    }

    @Test(arguments: ["run", "runs", "cost"]) func `fits a terminal of 120 columns`(name: String) throws {
        for line in try Self.lines(name, on: Screen(width: 120, hasColor: false)) {
            #expect(TextWidth.columns(line) <= 120, "\(line)")
        }
    }

    @Test(arguments: ["{}", "[]", #"{"runs":[{}]}"#, #"{"rows":3}"#, #"{"run_id":"x","started_at":"y"}"#, #"{"run_id":"x","started_at":"y","root":{}}"#])
    func `of another program is refused`(text: String) throws {
        let json = try JSONValue(text)
        #expect(throws: UnexpectedAnswer.self) { try RunTree.lines(json.bytes, on: .file) }
        #expect(throws: UnexpectedAnswer.self) { try RunsTable.lines(json, on: .file) }
        #expect(throws: UnexpectedAnswer.self) { try CostTable.lines(json, by: ["model"], on: .file) }
    }

    @Test func `with nothing in it says so`() throws {
        #expect(try RunsTable.lines(JSONValue(#"{"runs":[],"next":null}"#), on: .file) == ["no runs"])
        #expect(try CostTable.lines(JSONValue(#"{"total_usd":null,"unpriced_hops":0,"rows":[]}"#), by: ["model"], on: .file) == ["no calls"])
    }

    @Test func `cannot speak to the terminal`() throws {
        let name = #"\u001b]0;owned\u0007\u001b[2J"#
        let text = #"{"run_id":"x","started_at":"y","name":"\#(name)","aliases":["\#(name)"],"state":"\#(name)","root":{"kind":"\#(name)","name":"\#(name)","error_type":"\#(name)","status":"error","finish_reasons":[]},"suspect":{"type":"\#(name)","summary":"\#(name)"}}"#
        let printed = try RunTree.lines(Array(text.utf8), on: Screen(width: 200, hasColor: false)).joined()
        #expect(!printed.unicodeScalars.contains { $0.value < 0x20 })
        #expect(printed.contains("owned"))
    }

    @Test func `nests deeply without harm`() throws {
        let lines = try RunTree.lines(Self.chain(9_999), on: Screen(width: 80, hasColor: false))
        #expect(lines.count == 4 + 10_000)
        let wide = try RunTree.lines(Self.chain(62), on: .file)
        #expect(wide.count == 4 + 63)
        #expect(wide[wide.count - 1].contains("└─ 62: hop 62"))
        #expect(wide[4 + 40].contains("└─ hop 40") && !wide[4 + 40].contains("40: "))
        #expect(throws: UnexpectedAnswer.self) { try RunTree.lines(Self.chain(10_000), on: .file) }
    }

    /// A run whose hops stand below each other.
    private static func chain(_ levels: Int) -> [UInt8] {
        var text = #"{"run_id":"x","started_at":"y","root":"#
        for level in 0...levels { text += #"{"kind":"agent","name":"hop \#(level)","attributes":{"children":[{"a":"]}\""}]},"children":["# }
        return Array((text + String(repeating: "]}", count: levels + 1) + "}").utf8)
    }

    @Test func `shows who is below whom, and who comes last`() throws {
        func node(_ name: String, _ children: String...) -> String { #"{"children":[\#(children.joined(separator: " , "))],"kind":"agent","name":"\#(name)"}"# }
        let root = node("a", node("b", node("c"), node("d", node("e"))), node("f"), node("g", node("h")))
        let lines = try RunTree.lines(Array(#"{"root": \#(root), "run_id":"x","started_at":"y"}"#.utf8), on: .file)
        #expect(lines.dropFirst(4).map { $0.split(separator: " agent")[0].replacing(/[ ]+$/, with: "") } == ["a", "├─ b", "│  ├─ c", "│  └─ d", "│     └─ e", "├─ f", "└─ g", "   └─ h"])
    }

    @Test(arguments: [#"{"run_id":"x","started_at":"y","root":{"kind":"a","name":"b","children":[3]}}"#, #"{"run_id":"x","started_at":"y","root":{"kind":"a","name":"b","children":[{}]}}"#,
        #"{"run_id":"x","started_at":"y","root":{"kind":"a","name":"b","children":[}]}"#, #"{"run_id":"x","started_at":"y","root":{"kind":"a","name":"b"}"#,
        #"{"run_id":"x","started_at":"y","root":{"kind":"a","name":"b"}}}"#, #"{"run_id":"x"#, "", "\\"])
    func `whose brackets are wrong is refused`(text: String) {
        #expect(throws: UnexpectedAnswer.self) { try RunTree.lines(Array(text.utf8), on: .file) }
    }
}

@Suite struct `Finding a run by the beginning of its id` {
    @Test func `looks at ids, aliases and traces`() throws {
        let answer = try JSONValue(#"{"runs":[{"run_id":"abcd1","aliases":["nightly-1"],"trace_ids":["ffff1"]},{"run_id":"abcd2","aliases":[],"trace_ids":[]}],"next":"c"}"#)
        func found(_ beginning: String) throws -> [String] {
            var search = try #require(RunSearch(beginning))
            try search.look(through: answer)
            #expect(search.next == "c")
            return search.found
        }
        #expect(try found("abcd1") == ["abcd1"])
        #expect(try found("abcd") == ["abcd1", "abcd2"])
        #expect(try found("nightly") == ["abcd1"])
        #expect(try found("ffff") == ["abcd1"])
        #expect(try found("bcd1") == [])
        #expect(RunSearch("abc") == nil)
        #expect(try RunSearch.latest(in: answer) == "abcd1")
        #expect(try RunSearch.latest(in: JSONValue(#"{"runs":[]}"#)) == nil)
    }
}
