import Foundation
import HTTP
import JSON
import Testing
import Tracing

@testable import QueryAPI

@Suite struct `The api's answers` {
    static let fixtures = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")

    /// A call, and the file with its answer.
    static let calls = [
        ("runs", "/api/runs"),
        ("runs-cheapest-first", "/api/runs?sort=cost_usd&limit=2"),
        ("runs-none", "/api/runs?agent=nobody"),
        ("run-callers", "/api/runs/\(Scenario.callersTrace)"),
        ("run-own", "/api/runs/\(Scenario.ownTrace)"),
        ("run-named", "/api/runs/nightly-42"),
        ("run-open", "/api/runs/\(Scenario.openTrace)"),
        ("run-cost-hop", "/api/runs/\(Scenario.callersTrace)/cost"),
        ("run-cost-model", "/api/runs/\(Scenario.callersTrace)/cost?by=model"),
        ("run-cost-provider", "/api/runs/\(Scenario.callersTrace)/cost?by=provider"),
        ("run-cost-agent", "/api/runs/\(Scenario.callersTrace)/cost?by=agent"),
        ("cost-day", "/api/cost"),
        ("cost-hour-model", "/api/cost?by=hour,model"),
        ("cost-provider", "/api/cost?by=provider&since=119m&until=2027-01-15T07:30:00Z"),
        ("cost-nothing", "/api/cost?by=tool&since=1s"),
        ("otlp", "/api/runs/\(Scenario.openTrace)/otlp"),
        ("problem-parameters", "/api/runs?limit=0&sort=size&foo=1&finding=truncated"),
        ("problem-unknown-run", "/api/runs/nobody"),
        ("config", "/api/config"),
    ]

    /// `RECORD=1` writes the files anew.
    @Test(arguments: calls) func `are exactly these`(name: String, call: String) async throws {
        let seed = try await Scenario.seeded()
        let response = await seed.get(call)
        guard case .bytes(let bytes) = response.body else { throw Unexpected() }
        let text = try JSONValue(unsafe bytes.span.bytes).pretty() + "\n"
        let file = Self.fixtures.appending(path: name + ".json")
        if ProcessInfo.processInfo.environment["RECORD"] == "1" { try text.write(to: file, atomically: true, encoding: .utf8) }
        #expect(try text == String(contentsOf: file, encoding: .utf8))
        let isProblem = name.hasPrefix("problem")
        #expect(response.fields.contains(HTTPField("content-type", isProblem ? "application/problem+json" : "application/json")))
        #expect(isProblem == (response.status >= 400))
    }

    struct Unexpected: Error {}

    @Test func `hold a bounded part of a long run, and say so`() async throws {
        let seed = try Seed()
        try await seed.write((1...5 as ClosedRange<UInt64>).map { number in
            Hop.chat("gpt-4o", 10, 1, cost: "0.25").with { hop in
                hop.span = number
                hop.ago = 3_600_000_000_000 - number * 1_000_000_000
            }
        })
        let trace = "\(TraceID(high: 0xAAAA, low: 1))"
        func ask(_ target: String, _ bounds: Responder.Bounds) async throws -> (json: JSONValue, isCut: Bool) {
            var responder = seed.responder
            responder.bounds = bounds
            let parts = target.split(separator: "?", maxSplits: 1).map(String.init)
            let request = HTTPRequest(.get, parts[0], query: parts.count > 1 ? parts[1] : nil, fields: [HTTPField("host", "127.0.0.1:8701")])
            let response = await responder.answer(request)
            #expect(response.status == 200)
            return (try response.json(), response.fields.contains(HTTPField("x-hopspan-cut", "true")))
        }
        func hops(_ json: JSONValue) -> Int { (json["kind"]?.string == "llm" ? 1 : 0) + (json["children"]?.elements ?? []).map(hops).reduce(0, +) }
        let wide = Responder.Bounds()
        var few = wide
        few.nodes = 3
        var small = wide
        small.bytes = 1

        let whole = try await ask("/api/runs/\(trace)", wide).json
        #expect(whole["cut"] == .bool(false))
        #expect(hops(try #require(whole["root"])) == 5)
        for (bounds, left) in [(few, 3), (small, 1)] {
            let part = try await ask("/api/runs/\(trace)", bounds).json
            #expect(part["cut"] == .bool(true))
            #expect(hops(try #require(part["root"])) == left)
            #expect(part["hops"]?.int == 5)
        }
        let cost = try await ask("/api/runs/\(trace)/cost", few).json
        #expect(cost["cut"] == .bool(true))
        #expect(cost["rows"]?.elements?.count == 3)
        #expect(cost["total_usd"]?.string == "1.25")
        #expect(try await ask("/api/runs/\(trace)/cost?by=model", few).json["cut"] == .bool(false))
        #expect(try await ask("/api/runs/\(trace)/otlp", wide).isCut == false)
        let traces = try await ask("/api/runs/\(trace)/otlp", small)
        #expect(traces.isCut)
        #expect(traces.json["resourceSpans"]?.elements?.first?["scopeSpans"]?.elements?.first?["spans"]?.elements?.count == 1)
    }

    @Test func `go on page by page, whatever is written meanwhile`() async throws {
        let seed = try await Scenario.seeded()
        let whole = try await seed.json("/api/runs")["runs"]?.elements ?? []
        #expect(whole.count == 4)
        var seen: [JSONValue] = []
        var target = "/api/runs?limit=1"
        var number: UInt64 = 1000
        while true {
            let page = try await seed.json(target)
            seen += page["runs"]?.elements ?? []
            guard let next = page["next"]?.string else { break }
            target = "/api/runs?limit=1&cursor=\(next)"
            number += 1
            // A newer run does not move the place.
            try await seed.write([Hop.chat("gpt-4o", 1, 1, cost: nil).with { ($0.trace, $0.ago) = (TraceID(high: number, low: 1), 1_000_000_000) }])
        }
        #expect(seen == whole)
    }

    @Test func `have the same totals in a run, its tree and its cost`() async throws {
        let seed = try await Scenario.seeded()
        for id in [Scenario.callersTrace.description, Scenario.ownTrace.description, "nightly-42", Scenario.openTrace.description] {
            let run = try await seed.json("/api/runs/\(id)")
            for key in ["hop", "model", "provider", "tool", "agent"] {
                let cost = try await seed.json("/api/runs/\(id)/cost?by=\(key)")
                #expect(cost["total_usd"] == run["cost_usd"])
                #expect(cost["unpriced_hops"] == run["unpriced_hops"])
                let rows = cost["rows"]?.elements ?? []
                #expect(rows.compactMap { $0["calls"]?.int }.reduce(0, +) == run["hops"]?.int)
                #expect(rows.compactMap { $0["tokens"]?["total"]?.int }.reduce(0, +) == run["tokens"]?["total"]?.int)
            }
        }
    }

    @Test func `find a run by any of its ids`() async throws {
        let seed = try await Scenario.seeded()
        for id in ["nightly-42", "nightly%2D42", TraceID(high: 5, low: 5).description, TraceID(high: 6, low: 6).description.uppercased()] {
            #expect(try await seed.json("/api/runs/\(id)")["run_id"]?.string == "nightly-42")
        }
    }

    @Test func `give a run's spans as protobuf to those who ask for it`() async throws {
        let seed = try await Scenario.seeded()
        let target = "/api/runs/\(Scenario.callersTrace)/otlp"
        let response = await seed.get(target, [HTTPField("accept", "application/x-protobuf")])
        #expect(response.fields.contains(HTTPField("content-type", "application/x-protobuf")))
        guard case .bytes(let bytes) = response.body else { throw Unexpected() }
        // TracesData.resource_spans is field 1, a message.
        #expect(bytes.first == 0x0A)
        #expect(bytes.count > 500)
    }

    @Test func `say what a run came to when it is ended, and do so again`() async throws {
        let seed = try await Scenario.seeded()
        let target = "/api/runs/\(Scenario.openTrace)"
        #expect(try await seed.json(target)["state"]?.string == "open")
        for _ in 1...2 {
            let ended = await seed.ask(.post, target + "/end")
            #expect(ended.status == 200)
            #expect(try ended.json()["state"]?.string == "closed")
            #expect(try ended.json()["ended_at"]?.string == "2027-01-15T07:59:59.234567890Z")
        }
        let run = try await seed.json(target)
        #expect(run["root"]?["span_id"]?.string == "0000000000000030")
        #expect(run["root"]?["attributes"]?["hopspan.run.hops"]?.int == 1)
    }

    @Test func `know nothing of a run once it is deleted`() async throws {
        let seed = try await Scenario.seeded()
        let deleted = await seed.ask(.delete, "/api/runs/nightly-42")
        #expect(deleted.status == 204)
        #expect(await seed.get("/api/runs/nightly-42").status == 404)
        #expect(await seed.ask(.delete, "/api/runs/nightly-42").status == 404)
        #expect(await seed.ask(.post, "/api/runs/nightly-42/end").status == 404)
        #expect(try await seed.json("/api/runs")["runs"]?.elements?.count == 3)
    }

    static let filters: [(query: String, runs: [String])] = [
        ("agent=planner", ["callers"]),
        ("agent=planner&agent=writer", ["named", "callers"]),
        ("workspace=team-a", ["named"]),
        ("model=gpt-4o", ["open", "own", "callers"]),
        ("model=gpt-4o-2024-08-06&state=closed", ["own", "callers"]),
        ("provider=anthropic", ["callers"]),
        ("provider=openai&model=gpt-4o-mini", ["named"]),
        ("tool=get_weather", ["callers"]),
        ("status=error", ["own", "callers"]),
        ("status=ok&status=error", ["open", "named", "own", "callers"]),
        ("state=open", ["open"]),
        ("min_cost_usd=0.001", ["callers"]),
        ("q=CLAUDE", ["callers"]),
        ("q=gpt+4o-mini", ["named"]),
        ("q=", ["open", "named", "own", "callers"]),
        ("since=1h", ["open", "named", "own"]),
        ("since=2027-01-15T07:00:00Z", ["open", "named", "own"]),
        ("since=2027-01-15T09:00:00%2B02:00", ["open", "named", "own"]),
        ("since=2027-01-15T09:00:00+02:00", ["open", "named", "own"]),
        ("until=1h", ["callers"]),
        ("since=7d&until=30s", ["named", "own", "callers"]),
        ("sort=started_at", ["callers", "own", "named", "open"]),
        ("sort=-hops&limit=1", ["callers"]),
        ("sort=tokens", ["open", "own", "named", "callers"]),
        ("sort=-duration_ms&limit=2", ["callers", "named"]),
    ]

    @Test(arguments: filters) func `hold the runs a filter takes`(query: String, runs: [String]) async throws {
        let seed = try await Scenario.seeded()
        let names = ["nightly-42": "named", Scenario.callersTrace.description: "callers", Scenario.ownTrace.description: "own", Scenario.openTrace.description: "open"]
        let found = try await seed.json("/api/runs?" + query)["runs"]?.elements ?? []
        #expect(found.compactMap { $0["run_id"]?.string.flatMap { names[$0] } } == runs)
    }

    @Test func `also take a provider by its alias`() async throws {
        let seed = try Seed()
        try await seed.write([Hop.chat("gemini-2.5-pro", provider: "gcp.gemini", 1, 1, cost: nil)])
        #expect(try await seed.json("/api/runs?provider=gemini")["runs"]?.elements?.count == 1)
        #expect(try await seed.json("/api/runs?provider=gcp.gemini")["runs"]?.elements?.count == 1)
        #expect(try await seed.json("/api/runs?provider=openai")["runs"]?.elements?.count == 0)
    }
}

extension Seed {
    func json(_ target: String) async throws -> JSONValue { try await get(target).json() }
}

extension HTTPResponse {
    func json() throws -> JSONValue {
        guard case .bytes(let bytes) = body else { return .null }
        return try JSONValue(unsafe bytes.span.bytes)
    }
}

extension JSONValue {
    /// Indented, members in their order, numbers as they are.
    func pretty(_ indent: String = "") -> String {
        let inner = indent + "  "
        switch self {
        case .array(let elements) where !elements.isEmpty:
            return "[\n" + elements.map { inner + $0.pretty(inner) }.joined(separator: ",\n") + "\n\(indent)]"
        case .object(let members) where !members.isEmpty:
            return "{\n" + members.map { "\(inner)\(JSONValue.string($0.name).pretty()): \($0.value.pretty(inner))" }.joined(separator: ",\n") + "\n\(indent)}"
        default: return String(decoding: bytes, as: UTF8.self)
        }
    }
}
