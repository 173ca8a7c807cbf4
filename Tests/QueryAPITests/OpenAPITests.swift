import Foundation
import HTTP
import JSON
import Testing

@testable import QueryAPI

@Suite struct `The api's description` {
    static let document: JSONValue = {
        let bytes = OpenAPI.document
        return (try? JSONValue(unsafe bytes.span.bytes)) ?? .null
    }()

    @Test func `is the file in the sources`() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        #expect(try Data(OpenAPI.document) == Data(contentsOf: root.appending(path: "Sources/C/OpenAPI/openapi.json")))
    }

    /// Whether the document itself is well-formed is what Tests/EndToEnd/test_openapi.py finds out.
    @Test func `names every call, and none that is not there`() async throws {
        let seed = try Seed()
        for path in Self.document["paths"]?.members ?? [] {
            let target = path.name.replacing("{run}", with: "x")
            let route = try #require(Route(path: target))
            let described = (path.value.members ?? []).map(\.name).filter { $0 != "parameters" }
            #expect(Set(described) == Set(route.methods.filter { $0 != .head }.map { "\($0.name)".lowercased() }))
        }
        let described = Set(Self.document["paths"]?.members?.map(\.name) ?? [])
        let all = ["/", "/healthz", "/readyz", "/metrics", "/api/runs", "/api/runs/{run}", "/api/runs/{run}/cost", "/api/runs/{run}/otlp", "/api/runs/{run}/end",
            "/api/cost", "/api/health", "/api/config", "/api/openapi.json"]
        #expect(described == Set(all))
        #expect(try await seed.json("/api/openapi.json") == Self.document)
    }

    @Test(arguments: ["/api/runs", "/api/cost", "/api/runs/{run}/cost"]) func `names every parameter a call takes`(path: String) async throws {
        let seed = try await Scenario.seeded()
        let answer = try await seed.json(path.replacing("{run}", with: "nightly-42") + "?zzz=1")
        let detail = try #require(answer["errors"]?[0]?["detail"]?.string)
        let taken = detail.split(separator: "taken here are ").last?.split(separator: ", ").map(String.init) ?? []
        let described = Self.document["paths"]?[path]?["get"]?["parameters"]?.elements?.compactMap { $0["name"]?.string } ?? []
        #expect(Set(described) == Set(taken).subtracting(["finding"]))
    }

    /// The members of an answer stand in the schema in the same order, all of them required.
    static let shapes: [(file: String, schema: String, path: [String])] = [
        ("runs", "RunPage", []), ("runs", "RunSummary", ["runs"]), ("runs", "Tokens", ["runs", "tokens"]), ("run-callers", "Node", ["root"]),
        ("cost-day", "Cost", []), ("cost-day", "CostRow", ["rows"]), ("run-cost-hop", "RunCost", []), ("run-cost-hop", "CostRow", ["rows"]),
        ("health", "Health", []), ("health", "Exporter", ["exporters"]), ("health", "Upstream", ["upstreams"]), ("problem-parameters", "Problem", []),
    ]

    @Test(arguments: shapes) func `has the shape of the answers`(file: String, schema: String, path: [String]) throws {
        let text = try String(contentsOf: `The api's answers`.fixtures.appending(path: file + ".json"), encoding: .utf8)
        var value = try JSONValue(text)
        for name in path {
            value = try #require(value[name])
            if let first = value.elements?.first { value = first }
        }
        let properties = Self.document["components"]?["schemas"]?[schema]?["properties"]?.members?.map(\.name)
        #expect(value.members?.map(\.name) == properties)
    }
}
