import Configuration
import Testing

@testable import Commands

@Suite struct `The command line` {
    static func read(_ line: String) throws(Complaint) -> Invocation {
        try Invocation.read(line.split(separator: " ", omittingEmptySubsequences: true).map { $0 == "''" ? "" : String($0) })
    }

    static func runs(_ set: (inout RunsSettings) -> Void) -> Invocation {
        var settings = RunsSettings()
        set(&settings)
        return .runs(settings)
    }

    static let right: [(String, Invocation)] = {
        var serve = ServeSettings()
        serve.config = "hopspan.yaml"
        var demo = DemoSettings()
        (demo.keeps, demo.port, demo.store) = (true, 0, "d.db")
        var check = CheckSettings()
        check.file = "-odd.yaml"
        var run = RunSettings()
        (run.id, run.json, run.api) = ("nightly-42", true, HTTPURL("http://h:1"))
        var cost = CostSettings()
        (cost.by, cost.since) = ("day,model", "7d")
        var prices = PricesSettings()
        (prices.model, prices.provider, prices.file) = ("openai/gpt-4o", "openai", "p.json")
        return [
            ("serve", .serve(ServeSettings())), ("serve --config hopspan.yaml", .serve(serve)), ("serve --config=hopspan.yaml", .serve(serve)),
            ("demo", .demo(DemoSettings())), ("demo --store d.db --port 0 --keep", .demo(demo)),
            ("check -- -odd.yaml", .check(check)),
            ("run", .run(RunSettings())), ("run nightly-42 --json --api http://h:1", .run(run)), ("run --api=h:1 --json nightly-42", .run(run)),
            ("cost --by day,model --since 7d", .cost(cost)),
            ("prices openai/gpt-4o --provider openai --import p.json", .prices(prices)),
            ("runs --model a --model b --limit 1000 --sort -cost_usd", runs { $0.models = ["a", "b"]; $0.limit = 1000; $0.sort = "-cost_usd" }),
            ("runs --since 2026-11-22T10:00:00Z --until 1h", runs { $0.since = "2026-11-22T10:00:00Z"; $0.until = "1h" }),
            ("runs --status error --state open --min-cost-usd 0.25", runs { $0.status = "error"; $0.state = "open"; $0.leastCost = "0.25" }),
            ("runs --agent a --workspace w --provider p --tool t --q x --cursor c --json",
                runs { $0.agents = ["a"]; $0.workspaces = ["w"]; $0.providers = ["p"]; $0.tools = ["t"]; $0.text = "x"; $0.cursor = "c"; $0.json = true }),
            ("runs --agent=--odd", runs { $0.agents = ["--odd"] }),
            ("--version", .show("hopspan 0.1.0\n")),
        ]
    }()

    @Test(arguments: right.indices) func `is followed where it is right`(index: Int) throws {
        let (line, invocation) = Self.right[index]
        #expect(try Self.read(line) == invocation, "\(line)")
    }

    @Test(arguments: [
        ("", "a command is needed"),
        ("rnus", "no command \"rnus\"; did you mean runs?"),
        ("srve --config x", "no command \"srve\"; did you mean serve?"),
        ("frobnicate", "no command \"frobnicate\""),
        ("--verison", "no option \"--verison\" stands before the command; did you mean --version?"),
        ("runs --sinse 1h", "runs has no option \"--sinse\"; did you mean --since?"),
        ("run -j", "run has no option \"-j\""),
        ("runs --since", "--since needs a value: TIME is 15m, 1h or 7d ago, or a time such as 2026-11-22T10:00:00Z"),
        ("runs --since --json", "--since needs a value: TIME is 15m, 1h or 7d ago, or a time such as 2026-11-22T10:00:00Z"),
        ("runs --since yesterday", "--since \"yesterday\": expected 15m, 1h or 7d ago, or a time such as 2026-11-22T10:00:00Z"),
        ("runs --since 1.5h", "--since \"1.5h\": expected 15m, 1h or 7d ago, or a time such as 2026-11-22T10:00:00Z"),
        ("runs --since h", "--since \"h\": expected 15m, 1h or 7d ago, or a time such as 2026-11-22T10:00:00Z"),
        ("runs --since 1h --since 2h", "--since is given twice"),
        ("runs --limit 0", "--limit \"0\": expected a number from 1 to 1000"),
        ("runs --limit +5", "--limit \"+5\": expected a number from 1 to 1000"),
        ("runs --limit 99999999999999999999", "--limit \"99999999999999999999\": expected a number from 1 to 1000"),
        ("runs --status bad", "--status \"bad\": expected ok or error"),
        ("runs --sort price", "--sort \"price\": expected one of started_at, cost_usd, duration_ms, hops, tokens, with - before it for descending"),
        ("runs --sort --cost_usd", "--sort needs a value: KEY is one of started_at, cost_usd, duration_ms, hops, tokens, with - before it for descending"),
        ("runs --min-cost-usd -1", "--min-cost-usd \"-1\": expected an amount of US dollars such as 0.25"),
        ("runs --agent ''", "--agent \"\": expected a name"),
        ("runs --json=yes", "--json takes no value"),
        ("runs extra", "runs takes no \"extra\""),
        ("runs --api ftp://h", "--api \"ftp://h\": expected a URL such as http://127.0.0.1:8701"),
        ("run a b", "run takes one ID, and \"b\" is a second"),
        ("run ''", "ID is empty"),
        ("run --json --otlp", "--json and --otlp are two formats: one at a time"),
        ("check", "check needs FILE: the configuration to read"),
        ("cost --by colour", "--by \"colour\": expected one or two, with a comma, of day, hour, agent, workspace, model, provider, tool"),
        ("cost --by day,day", "--by \"day,day\": expected one or two, with a comma, of day, hour, agent, workspace, model, provider, tool"),
        ("cost --by day,model,tool", "--by \"day,model,tool\": expected one or two, with a comma, of day, hour, agent, workspace, model, provider, tool"),
        ("demo --port 65535", "--port 65535 leaves no port above it for the api"),
        ("demo --port 65536", "--port \"65536\": expected a port from 0 to 65535; 0 takes a free one"),
        ("help rnus", "no help on \"rnus\"; did you mean runs?"),
        ("help enviroment", "no help on \"enviroment\"; did you mean environment?"),
        ("help runs run", "help takes one TOPIC"),
    ]) func `is refused in a sentence where it is wrong`(line: String, sentence: String) {
        do throws(Complaint) {
            _ = try Self.read(line)
            Issue.record("followed")
        } catch {
            #expect(error.lines.first == "hopspan: " + sentence)
            #expect(error.status == 2)
            #expect(error.lines.count == 2 && error.lines[1].contains("usage: hopspan"))
        }
    }

    @Test(arguments: [
        ("diff a b", "diff is not in this build yet"), ("keys list", "keys is not in this build yet"), ("runs --watch", "--watch is not in this build yet"),
        ("runs --finding cycle", "--finding is not in this build yet"),
    ]) func `is refused for what is not built yet`(line: String, sentence: String) {
        #expect(throws: Complaint.notInThisBuild(sentence)) { try Self.read(line) }
        #expect(Complaint.notInThisBuild(sentence).status == 1)
    }

    @Test func `is quoted without what a terminal would obey, and not without end`() {
        let complaint = #expect(throws: Complaint.self) { try Invocation.read(["run", "--\u{1B}[2J" + String(repeating: "x", count: 1000)]) }
        #expect(complaint?.lines.joined().contains("\u{1B}") == false)
        #expect(complaint.map { $0.lines[0].count < 120 } == true)
    }
}

@Suite struct `What the api is asked` {
    @Test func `has every filter, percent-encoded`() throws {
        guard case .runs(let settings) = try Invocation.read([
            "runs", "--since", "1h", "--until", "2026-11-22T10:00:00+01:00", "--agent", "a b", "--agent", "c&d", "--workspace", "w", "--model", "meta/llama", "--provider", "p",
            "--tool", "t", "--status", "ok", "--state", "closed", "--min-cost-usd", "0.5", "--q", "ü?", "--sort", "-tokens", "--limit", "7", "--cursor", "x==",
        ]) else {
            Issue.record("no runs")
            return
        }
        #expect(settings.target == "/api/runs?since=1h&until=2026-11-22T10%3A00%3A00%2B01%3A00&agent=a%20b&agent=c%26d&workspace=w&model=meta%2Fllama&provider=p&tool=t"
            + "&status=ok&state=closed&min_cost_usd=0.5&q=%C3%BC%3F&sort=-tokens&limit=7&cursor=x%3D%3D")
        #expect(RunsSettings().target == "/api/runs")
        #expect(RunsSettings.page(after: "a+b") == "/api/runs?limit=1000&cursor=a%2Bb")
    }

    @Test func `names a run by whatever id it has`() {
        var settings = RunSettings()
        #expect(settings.target(of: "a/../b%?#") == "/api/runs/a%2F..%2Fb%25%3F%23")
        settings.otlp = true
        #expect(settings.target(of: "x") == "/api/runs/x/otlp")
    }

    @Test func `adds up by model unless told otherwise`() {
        var settings = CostSettings()
        #expect(settings.target == "/api/cost?by=model")
        (settings.by, settings.since, settings.until) = ("day,model", "7d", "1d")
        #expect(settings.target == "/api/cost?by=day,model&since=7d&until=1d")
        #expect(settings.keys == ["day", "model"])
    }

    @Test(arguments: [("127.0.0.1:8701", "http://127.0.0.1:8701"), ("https://h/x", "https://h/x"), ("localhost:1", "http://localhost:1"), ("[::1]:8701", "http://[::1]:8701")])
    func `is at a URL, with or without its scheme`(text: String, url: String) { #expect(apiURL(text)?.description == url) }

    @Test(arguments: ["", "ftp://h", "http://u:p@h", "http://h?x", "a b"]) func `is not at what is no URL`(text: String) { #expect(apiURL(text) == nil) }
}
