import HTTP
import JSON
import Testing
import Tracing

@testable import QueryAPI

@Suite struct `The api refuses` {
    static let time = "must be a time such as 2026-08-18T12:00:00Z, or so long ago such as 15m, 1h or 7d"
    static let mistakes: [(target: String, parameter: String, detail: String)] = [
        ("/api/runs?since=yesterday", "since", time),
        ("/api/runs?since=1w", "since", time),
        ("/api/runs?since=-1h", "since", time),
        ("/api/runs?since=", "since", time),
        ("/api/runs?until=2026-02-30T00:00:00Z", "until", time),
        ("/api/runs?since=1h&since=2h", "since", "is given more than once"),
        ("/api/runs?agent=", "agent", "must be a name, not empty"),
        ("/api/runs?model", "model", "must be a name, not empty"),
        ("/api/runs?status=OK", "status", "must be ok or error"),
        ("/api/runs?status=ok&status=bad", "status", "must be ok or error"),
        ("/api/runs?state=running", "state", "must be open or closed"),
        ("/api/runs?finding=truncated", "finding", "is not in this build yet"),
        ("/api/runs?min_cost_usd=1e3", "min_cost_usd", "must be an amount of US dollars such as 0.25"),
        ("/api/runs?min_cost_usd=-1", "min_cost_usd", "must be an amount of US dollars such as 0.25"),
        ("/api/runs?sort=name", "sort", "must be started_at, cost_usd, duration_ms, hops or tokens, with - before it for descending"),
        ("/api/runs?sort=%2Bhops", "sort", "must be started_at, cost_usd, duration_ms, hops or tokens, with - before it for descending"),
        ("/api/runs?limit=0", "limit", "must be a whole number from 1 to 1000"),
        ("/api/runs?limit=1001", "limit", "must be a whole number from 1 to 1000"),
        ("/api/runs?limit=%2B5", "limit", "must be a whole number from 1 to 1000"),
        ("/api/runs?limit=5.0", "limit", "must be a whole number from 1 to 1000"),
        ("/api/runs?limit=99999999999999999999", "limit", "must be a whole number from 1 to 1000"),
        ("/api/runs?cursor=abc", "cursor", "must be the next of an earlier answer"),
        ("/api/runs?sort=hops&cursor=-started_at~1~1", "cursor", "comes from a list in another order; leave sort as it was"),
        ("/api/runs?Agent=a", "Agent", "is no parameter; those taken here are since, until, agent, workspace, model, provider, tool, status, state, finding, min_cost_usd, q, sort, limit, cursor"),
        ("/api/runs/nightly-42?depth=1", "depth", "is no parameter; none is taken here"),
        ("/api/runs/nightly-42/cost?by=day", "by", "must be hop, model, provider, tool or agent"),
        ("/api/runs/nightly-42/cost?by=hop,model", "by", "must be hop, model, provider, tool or agent"),
        ("/api/runs/nightly-42/otlp?format=json", "format", "is no parameter; none is taken here"),
        ("/api/cost?by=hop", "by", "must be one or two, with a comma between them, of day, hour, agent, workspace, model, provider or tool"),
        ("/api/cost?by=day,", "by", "must be one or two, with a comma between them, of day, hour, agent, workspace, model, provider or tool"),
        ("/api/cost?by=day,day", "by", "must be one or two, with a comma between them, of day, hour, agent, workspace, model, provider or tool"),
        ("/api/cost?by=day,model,tool", "by", "must be one or two, with a comma between them, of day, hour, agent, workspace, model, provider or tool"),
        ("/api/cost?limit=5", "limit", "is no parameter; those taken here are by, since, until"),
        ("/api/health?x=1", "x", "is no parameter; none is taken here"),
        ("/api/config?x=1", "x", "is no parameter; none is taken here"),
        ("/api/openapi.json?x=1", "x", "is no parameter; none is taken here"),
        ("/metrics?x=1", "x", "is no parameter; none is taken here"),
    ]

    @Test(arguments: mistakes) func `a parameter it cannot read, naming it and what it must be`(target: String, parameter: String, detail: String) async throws {
        let seed = try await Scenario.seeded()
        let response = await seed.get(target)
        #expect(response.status == 400)
        #expect(response.fields.contains(HTTPField("content-type", "application/problem+json")))
        let problem = try response.json()
        #expect(problem["errors"] == .array([.object([.init("parameter", .string(parameter)), .init("detail", .string(detail))])]))
        #expect(problem["detail"]?.string == "\(parameter) \(detail).")
    }

    @Test func `the token of before, once there is another`() async throws {
        var settings = Seed.settings
        settings.token = "old-token"
        let seed = try Seed(settings)
        func status(_ token: String) async -> Int { await seed.get("/api/runs", [HTTPField("host", "127.0.0.1"), HTTPField("authorization", "Bearer \(token)")]).status }
        #expect(await status("old-token") == 200)
        settings.token = "new-token"
        seed.responder.authorization.change(to: settings)
        #expect(await status("old-token") == 401)
        #expect(await status("new-token") == 200)
    }

    @Test func `to change a run when several callers' runs have its name`() async throws {
        let seed = try await Scenario.seeded()
        try await seed.write(Scenario.named.map { hop in hop.with { ($0.scope, $0.trace, $0.ago) = (8, TraceID(high: 8, low: 8), 10 * Scenario.minute) } })
        for (method, target) in [(HTTP.Method.delete, "/api/runs/nightly-42"), (.post, "/api/runs/nightly-42/end")] {
            let answer = await seed.ask(method, target)
            #expect(answer.status == 409)
            #expect(answer.fields.contains(HTTPField("content-type", "application/problem+json")))
            let traces = try #require(try answer.json()["trace_ids"]?.elements).compactMap(\.string)
            #expect(traces == [TraceID(high: 8, low: 8), TraceID(high: 5, low: 5), TraceID(high: 6, low: 6)].map(\.description))
        }
        #expect(try await seed.json("/api/runs/nightly-42")["trace_ids"]?[0]?.string == TraceID(high: 8, low: 8).description, "the one that started last")
        #expect(await seed.ask(.post, "/api/runs/\(TraceID(high: 5, low: 5))/end").status == 200)
        #expect(await seed.ask(.delete, "/api/runs/\(TraceID(high: 8, low: 8))").status == 204)
        #expect(await seed.ask(.delete, "/api/runs/nightly-42").status == 204, "one is left")
    }

    @Test func `to take another's run for the one whose id it is`() async throws {
        let seed = try await Scenario.seeded()
        let id = Scenario.callersTrace.description
        try await seed.write(Scenario.named.map { hop in hop.with { ($0.scope, $0.runName, $0.trace, $0.ago) = (8, id, TraceID(high: 8, low: 8), Scenario.minute) } })
        #expect(try await seed.json("/api/runs/\(id)")["trace_ids"]?[0]?.string == id)
        #expect(await seed.ask(.delete, "/api/runs/\(id)").status == 204)
        #expect(try await seed.json("/api/runs/\(id)")["trace_ids"]?[0]?.string == TraceID(high: 8, low: 8).description)
    }

    @Test(arguments: [(true, "127.0.0.1, [::1] or localhost"), (false, "api.hosts")]) func `a foreign host, with advice that helps`(isLoopback: Bool, advice: String) async throws {
        var settings = Seed.settings
        settings.isLoopback = isLoopback
        settings.hosts = ["hopspan.example.com"]
        let seed = try Seed(settings)
        let answer = await seed.get("/api/runs", [HTTPField("host", "elsewhere.example")])
        #expect(answer.status == 403)
        let detail = try #require(try answer.json()["detail"]?.string)
        #expect(detail.contains(advice) && detail.contains("api.hosts") == !isLoopback)
    }

    @Test func `a parameter on calls that change something before anything is changed`() async throws {
        let seed = try await Scenario.seeded()
        #expect(await seed.ask(.delete, "/api/runs/nightly-42?force=1").status == 400)
        #expect(await seed.ask(.post, "/api/runs/\(Scenario.openTrace)/end?now=1").status == 400)
        #expect(try await seed.json("/api/runs/nightly-42")["run_id"]?.string == "nightly-42")
        #expect(try await seed.json("/api/runs/\(Scenario.openTrace)")["state"]?.string == "open")
    }

    static let unknown = [
        "/nothing", "/api", "/api/", "/api/runs/", "/api/runs/nightly-42/", "/api/runs/nightly-42/tree", "/api/runs/nightly-42/cost/x", "/API/runs",
        "//api/runs", "/api/runs/nightly-42%2Fcost", "/api/live", "/api/runs/nightly-42/diff?with=x",
    ]

    @Test(arguments: unknown) func `paths that name nothing, or nothing yet`(target: String) async throws {
        let response = try await Scenario.seeded().get(target)
        #expect(response.status == 404)
        #expect(response.fields.contains(HTTPField("content-type", "application/problem+json")))
        let isLater = target.contains("live") || target.contains("diff")
        #expect(try response.json()["detail"]?.string?.contains("not in this build yet") == isLater)
    }

    static let methods: [(method: HTTP.Method, target: String, allowed: String)] = [
        (.post, "/api/runs", "GET, HEAD"), (.put, "/api/runs/x", "GET, HEAD, DELETE"), (.get, "/api/runs/x/end", "POST"), (.head, "/api/runs/x/end", "POST"),
        (.delete, "/api/cost", "GET, HEAD"), (.options, "/api/runs", "GET, HEAD"), (.post, "/metrics", "GET, HEAD"), (.other, "/healthz", "GET, HEAD"),
    ]

    @Test(arguments: methods) func `methods a path does not take, and says which it takes`(method: HTTP.Method, target: String, allowed: String) async throws {
        let response = try await Seed().ask(method, target)
        #expect(response.status == 405)
        #expect(response.fields.contains(HTTPField("allow", allowed)))
    }

    // MARK: who asks

    struct Caller: Sendable, CustomTestStringConvertible {
        var fields: [HTTPField]
        /// With a token asked for, on loopback, on /api/runs.
        var status: Int
        /// The same on /healthz.
        var probe: Int
        var testDescription: String { fields.map { "\($0.name): \($0.value)" }.joined(separator: ", ") }
    }

    static let home = HTTPField("host", "localhost:8701")
    static let callers = [
        Caller(fields: [home], status: 401, probe: 200),
        Caller(fields: [home, HTTPField("Authorization", "Bearer s3cret-token")], status: 200, probe: 200),
        Caller(fields: [home, HTTPField("authorization", "bearer  s3cret-token")], status: 200, probe: 200),
        Caller(fields: [home, HTTPField("authorization", "Bearer s3cret-tokem")], status: 401, probe: 200),
        Caller(fields: [home, HTTPField("authorization", "Bearer s3cret-token2")], status: 401, probe: 200),
        Caller(fields: [home, HTTPField("authorization", "Bearer s3cret-tokens3cret-token")], status: 401, probe: 200),
        Caller(fields: [home, HTTPField("authorization", "Bearer")], status: 401, probe: 200),
        Caller(fields: [home, HTTPField("authorization", "Bearer ")], status: 401, probe: 200),
        Caller(fields: [home, HTTPField("authorization", "Basic czNjcmV0LXRva2Vu")], status: 401, probe: 200),
        Caller(fields: [HTTPField("host", "evil.example"), HTTPField("authorization", "Bearer s3cret-token")], status: 403, probe: 403),
        Caller(fields: [home, HTTPField("origin", "https://evil.example"), HTTPField("authorization", "Bearer s3cret-token")], status: 403, probe: 403),
        Caller(fields: [home, HTTPField("origin", "http://localhost:8701"), HTTPField("authorization", "Bearer s3cret-token")], status: 200, probe: 200),
        Caller(fields: [home, HTTPField("origin", "null"), HTTPField("authorization", "Bearer s3cret-token")], status: 403, probe: 403),
    ]

    @Test(arguments: callers) func `callers without the token or from elsewhere`(caller: Caller) async throws {
        var settings = Seed.settings
        settings.token = "s3cret-token"
        let seed = try Seed(settings)
        let response = await seed.ask(.get, "/api/runs", caller.fields)
        #expect(response.status == caller.status)
        #expect(response.fields.contains { $0.name == "www-authenticate" && $0.value.hasPrefix(#"Bearer realm="hopspan""#) } == (caller.status == 401))
        for target in ["/metrics", "/api/openapi.json", "/", "/nothing", "/api/runs/x"] where caller.status != 200 {
            #expect(await seed.ask(.get, target, caller.fields).status == caller.status)
        }
        #expect(await seed.ask(.get, "/healthz", caller.fields).status == caller.probe)
        #expect(await seed.ask(.get, "/readyz", caller.fields).status == caller.probe)
    }

    @Test func `a name that is not configured, beyond loopback, but no probe`() async throws {
        var settings = Seed.settings
        settings.isLoopback = false
        settings.hosts = ["hopspan.example.com"]
        let seed = try Seed(settings)
        #expect(await seed.ask(.get, "/api/runs", [HTTPField("host", "hopspan.example.com")]).status == 200)
        #expect(await seed.ask(.get, "/api/runs", [HTTPField("host", "10.0.0.7:8701")]).status == 403)
        #expect(await seed.ask(.get, "/healthz", [HTTPField("host", "10.0.0.7:8701")]).status == 200)
    }

    @Test func `nothing of a token's bytes to guess from`() {
        let token = Array("s3cret".utf8)
        #expect(Authorization.areEqual(token, token))
        for given in ["", "s3cre", "s3cret0", "S3cret", "s3cres3cret"] { #expect(!Authorization.areEqual(Array(given.utf8), token)) }
    }

    static let accepts: [(field: String?, isProtobuf: Bool)] = [
        (nil, false), ("*/*", false), ("application/json", false), ("application/x-protobuf", true), ("Application/X-Protobuf ; q=1", true),
        ("application/json, application/x-protobuf;q=0.9", false), ("application/json;q=0.5, application/x-protobuf;q=0.9", true),
        ("application/x-protobuf;q=0", false), ("text/html,application/x-protobuf,*/*;q=0.1", true),
    ]

    @Test(arguments: accepts) func `no form of OTLP that is asked for`(field: String?, isProtobuf: Bool) {
        #expect(Accept.prefersProtobuf(field) == isProtobuf)
    }
}
