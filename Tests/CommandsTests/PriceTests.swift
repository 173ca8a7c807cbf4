import LLM
import Terminal
import Testing
import JSON

@testable import Commands

@Suite struct `Asking for prices` {
    static let catalogue = try! PriceCatalogue.bundled.overlaid(with: Array(#"""
        {"schema":1,"updated":"2026-12-01","providers":{"openai":{"models":{
          "demo-x":{"input":"1.5","output":"12","cache_read":"0.15","context_window":128000,"max_output":16384,"retires":"2027-05-01",
            "tiers":[{"above":200000,"input":"3"}],"variants":{"batch":{"input":"0.75","output":"6"}},"per_1k":{"web_search":"10"},"regional":{"eu":"1.1","*":"1.2"},
            "scheduled":[{"from":"2027-01-01","input":"1"}]},
          "demo-x-voice":{"kind":"speech","characters":"15"}}},
        "mistral_ai":{"models":{"vendor/demo-x":{"input":"0.00000000001"}}}}}
        """#.utf8))

    static func lines(_ text: String?, provider: String? = nil, width: Int? = nil) -> [String] {
        let screen = Screen(width: width, hasColor: false)
        return switch PriceQuery(text, provider: provider, in: catalogue) {
        case .model(let listing, let rule): PriceTable.lines(listing, rule: rule, updated: catalogue.updated, on: screen)
        case .models(let listings, let more): PriceTable.lines(listings, of: text, more: more, updated: catalogue.updated, on: screen)
        case .nothing(let sentence): [sentence]
        }
    }

    @Test func `by a name gives the models that are called so, and says how to see more`() {
        #expect(Self.lines("DEMO-X") == [
            "PROVIDER  MODEL   INPUT  OUTPUT  CACHE READ  CONTEXT  ALSO                 FROM",
            "openai    demo-x    1.5      12        0.15  128,000  long prompts, batch  imported",
            "",
            "1 model; US dollars per million tokens; prices of 2026-12-01",
            "from the catalogue unless FROM says otherwise",
            "all rates of one: hopspan prices openai/demo-x",
            "2 more with it in the name: hopspan prices 'DEMO-X*'",
        ])
        let lines = Self.lines("gpt-4o")
        #expect(lines.count < 20)
        #expect(lines.dropFirst().prefix { !$0.isEmpty }.allSatisfy { $0.split(separator: " ")[1] == "gpt-4o" })
        #expect(lines.contains { $0.contains("from the catalogue") })
    }

    @Test func `by a part of the name lists what has it`() {
        #expect(Self.lines("emo-X") == Self.lines("DEMO-X*"))
        #expect(Self.lines("DEMO-X*") == [
            "PROVIDER    MODEL                  INPUT  OUTPUT  CACHE READ  CONTEXT  ALSO                               FROM",
            "mistral_ai  vendor/demo-x  0.00000000001                                                                  imported",
            "openai      demo-x                   1.5      12        0.15  128,000  long prompts, batch                imported",
            "openai      demo-x-voice                                               speech, 15 per million characters  imported",
            "",
            "3 models; US dollars per million tokens; prices of 2026-12-01",
            "from the catalogue unless FROM says otherwise",
            "all rates of one: hopspan prices mistral_ai/vendor/demo-x",
        ])
    }

    @Test func `of one model shows all its rates`() {
        let expected = [
            "openai/demo-x  chat; US dollars per million tokens; imported, prices of 2026-12-01", "",
            "RATE        STANDARD  >200,000  BATCH",
            "input            1.5         3   0.75",
            "output            12                6",
            "cache_read      0.15", "",
            "per 1,000: web search 10",
            "pinned to a region: eu × 1.1, elsewhere × 1.2",
            "from 2027-01-01: input 1",
            "context 128,000 tokens, at most 16,384 out",
            "retires 2027-05-01",
        ]
        #expect(Self.lines("openai/demo-x") == expected)
        #expect(Self.lines("demo-x", provider: "openai") == expected)
        #expect(Self.lines("openai/demo-x", provider: "openai") == expected)
    }

    @Test func `by another name of it says how it was found`() {
        let lines = Self.lines("openai/demo-x-2026-10-10")
        #expect(lines.first?.hasPrefix("openai/demo-x ") == true)
        #expect(lines.dropFirst().first == #"found by the rule "cut": hopspan help prices"#)
        #expect(Self.lines("mistral/vendor/demo-x").first?.hasPrefix("mistral_ai/vendor/demo-x") == true)
        #expect(Self.lines("vendor/demo-x").first?.hasPrefix("mistral_ai/vendor/demo-x") == true)
    }

    @Test func `that are not known says so`() {
        #expect(Self.lines("gpt-4oo-minii") == [#"no model has "gpt-4oo-minii" in its name; did you mean gpt-4o-mini?"#])
        #expect(Self.lines(nil, provider: "opnai") == [#"the catalogue has no provider "opnai"; did you mean openai?"#])
    }

    @Test func `of everything lists everything`() {
        #expect(Self.lines(nil).count > 5000)
        #expect(Self.lines(nil, provider: "gemini").allSatisfy { !$0.contains("openai ") })
        for line in Self.lines("sonnet", width: 80) { #expect(TextWidth.columns(line) <= 80, "\(line)") }
    }

    @Test func `as JSON gives the entries as they stand`() throws {
        guard case .model(let listing, _) = PriceQuery("openai/demo-x-voice", provider: nil, in: Self.catalogue) else {
            Issue.record("not found")
            return
        }
        let text = String(decoding: PriceTable.json([listing], updated: "2026-12-01"), as: UTF8.self)
        #expect(text == #"{"updated":"2026-12-01","models":[{"provider":"openai","model":"demo-x-voice","origin":"imported","prices":{"kind":"speech","characters":"15"}}]}"# + "\n")
    }
}
