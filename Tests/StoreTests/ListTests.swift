import Runs
import Testing
import Tracing

@testable import Store

@Suite struct `A list of runs` {
    /// Ten runs: number n starts n seconds after the fixture's now, lasts n ms, costs n/10 of a cent, and so on.
    private func filled() async throws -> StoreFixture {
        let fixture = StoreFixture()
        try fixture.start()
        var hops: [Hop] = []
        for number in 0..<10 {
            var hop = Hop(trace: .test(number), start: Int64(number) * 1_000_000_000, milliseconds: Int64(number + 1))
            hop.cost = number == 0 ? nil : "0.00\(number)"
            hop.tokens = (Int64(100 - number), 0)
            hop.agent = number % 2 == 0 ? "planner" : "Writer"
            hop.workspace = number < 5 ? "team-a" : "team-b"
            hop.model = number % 3 == 0 ? "gpt-4o" : "claude-sonnet-4-5"
            hop.responseModel = number == 4 ? "claude-sonnet-4-5-20250929" : nil
            hop.provider = number % 3 == 0 ? "openai" : "anthropic"
            hop.isError = number == 7
            if number == 3 { hop.asksFor = ["get_weather"] }
            if number == 8 { (hop.root, hop.linkedBy) = (77, .new) }
            for extra in 0..<(number % 4) { hops.append(with(hop) { $0.span = UInt64(100 + extra); $0.cost = nil; $0.tokens = (0, 0) }) }
            hops.append(hop)
        }
        // Out of order, as hops of different length end.
        try await fixture.write(hops.reversed())
        return fixture
    }

    private func with(_ hop: Hop, _ change: (inout Hop) -> Void) -> Hop {
        var hop = hop
        change(&hop)
        return hop
    }

    private func numbers(_ fixture: StoreFixture, _ query: RunQuery) throws -> [Int] {
        let reader = try fixture.store.makeReader()
        return try reader.runs(query).runs.map { run in
            try #require((0..<10).first { TraceID.test($0) == run.summary.traceIDs.first })
        }
    }

    @Test(arguments: [
        (RunOrder.startedAt, true, [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]), (.startedAt, false, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
        (.cost, true, [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]), (.cost, false, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
        (.duration, true, [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]), (.tokens, true, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
        (.tokens, false, [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]),
    ])
    func `comes in the order asked for`(order: RunOrder, isDescending: Bool, expected: [Int]) async throws {
        let fixture = try await filled()
        var query = RunQuery()
        (query.order, query.isDescending) = (order, isDescending)
        #expect(try numbers(fixture, query) == expected)
    }

    @Test func `comes by hops, equal ones in a fixed order`() async throws {
        let fixture = try await filled()
        var query = RunQuery()
        query.order = .hops
        let numbers = try numbers(fixture, query)
        #expect(numbers.map { $0 % 4 + 1 } == [4, 4, 3, 3, 3, 2, 2, 2, 1, 1] || numbers.map { $0 % 4 + 1 } == [4, 4, 3, 3, 2, 2, 2, 1, 1, 1])
        #expect(try self.numbers(fixture, query) == numbers)
    }

    struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let expected: [Int]
        let change: @Sendable (inout RunQuery, UInt64) -> Void

        init(_ name: String, _ expected: [Int], _ change: @escaping @Sendable (inout RunQuery, UInt64) -> Void) {
            (testDescription, self.expected, self.change) = (name, expected, change)
        }

        static let all = [
            Case("since", [9, 8, 7]) { $0.since = $1 + 7_000_000_000 },
            Case("until", [2, 1, 0]) { $0.until = $1 + 3_000_000_000 },
            Case("since and until", [4, 3]) { ($0.since, $0.until) = ($1 + 3_000_000_000, $1 + 5_000_000_000) },
            Case("agent", [8, 6, 4, 2, 0]) { query, _ in query.agents = ["planner"] },
            Case("agent is exact", []) { query, _ in query.agents = ["plan"] },
            Case("two agents", [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]) { query, _ in query.agents = ["planner", "Writer"] },
            Case("workspace", [4, 3, 2, 1, 0]) { query, _ in query.workspaces = ["team-a"] },
            Case("model", [9, 6, 3, 0]) { query, _ in query.models = ["gpt-4o"] },
            Case("model that answered", [4]) { query, _ in query.models = ["claude-sonnet-4-5-20250929"] },
            Case("provider", [8, 7, 5, 4, 2, 1]) { query, _ in query.providers = ["anthropic"] },
            Case("tool", [3]) { query, _ in query.tools = ["get_weather"] },
            Case("status", [7]) { query, _ in query.statuses = [.error] },
            Case("both statuses", [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]) { query, _ in query.statuses = [.error, .ok] },
            Case("min cost", [9, 8]) { query, _ in query.minCost = USD("0.008") },
            Case("agent and workspace", [4, 2, 0]) { query, _ in (query.agents, query.workspaces) = (["planner"], ["team-a"]) },
            Case("text", [9, 7, 5, 3, 1]) { query, _ in query.text = "wRiTe" },
            Case("two words", [8, 4, 2]) { query, _ in query.text = "plan sonnet" },
            Case("text of a tool", [3]) { query, _ in query.text = "weather" },
            Case("text that is nowhere", []) { query, _ in query.text = "team-a" },
        ]
    }

    @Test(arguments: Case.all) func `holds what its filters let through`(one: Case) async throws {
        let fixture = try await filled()
        var query = RunQuery()
        one.change(&query, fixture.now)
        #expect(try numbers(fixture, query) == one.expected)
    }

    @Test func `tells open runs from closed ones, whoever made their root`() async throws {
        let fixture = try await filled()
        var query = RunQuery()
        query.states = [.open]
        #expect(try numbers(fixture, query).count == 10)
        fixture.advance(seconds: 1_805)
        // Not yet written, but by time: all those whose root is not ours and that ended more than half an hour ago.
        #expect(try numbers(fixture, query) == [9, 8, 7, 6, 5].filter { $0 >= 5 })
        try await fixture.flush()
        #expect(try numbers(fixture, query) == [9, 7, 6, 5])
        query.states = [.closed]
        #expect(try numbers(fixture, query) == [8, 4, 3, 2, 1, 0])
    }

    @Test(arguments: RunOrder.allCases, [true, false]) func `can be paged through while runs are written`(order: RunOrder, isDescending: Bool) async throws {
        let fixture = try await filled()
        var query = RunQuery()
        (query.order, query.isDescending, query.limit) = (order, isDescending, 3)
        var whole = query
        whole.limit = 50
        let expected = try numbers(fixture, whole)
        let reader = try fixture.store.makeReader()
        var seen: [TraceID] = []
        repeat {
            let page = try reader.runs(query)
            seen += page.runs.compactMap(\.summary.traceIDs.first)
            query.after = try page.next.map { try #require(RunCursor($0.text)) }
            // Runs before and behind the page; not for ever, or there would always be another one.
            guard seen.count < 10 else { continue }
            try await fixture.write((0..<3).map { Hop(trace: .test(1_000 + seen.count * 10 + $0), start: 20_000_000_000 - Int64($0) * 15_000_000_000, milliseconds: 500) })
        } while query.after != nil
        let old = Set((0..<10).map { TraceID.test($0) })
        #expect(seen.filter(old.contains) == expected.map { TraceID.test($0) })
        #expect(Set(seen).count == seen.count)
    }

    @Test func `says when there is no more`() async throws {
        let fixture = try await filled()
        let reader = try fixture.store.makeReader()
        var query = RunQuery()
        query.limit = 10
        #expect(try reader.runs(query).next == nil)
        query.limit = 9
        #expect(try reader.runs(query).next != nil)
    }

    @Test(arguments: ["", "started_at", "started_at~1", "x~1~2", "started_at~a~2", "started_at~1~2~3", "--cost_usd~1~2"])
    func `takes no cursor that is not its own`(text: String) {
        #expect(RunCursor(text) == nil)
    }

    @Test func `leaves out runs of nothing but housekeeping`() async throws {
        let fixture = StoreFixture()
        try fixture.start()
        try await fixture.write([
            Hop(kind: .tool, trace: .test(1), tokens: nil, cost: nil, operation: "", tool: "x"),
            Hop(kind: .tool, trace: .test(2), tokens: nil, cost: nil, operation: "execute_tool", tool: "x"),
        ])
        let reader = try fixture.store.makeReader()
        #expect(try reader.runs(RunQuery()).runs.map(\.summary.traceIDs) == [[.test(2)]])
        #expect(try reader.run(TraceID.test(1).description) != nil)
    }

    @Test func `is right over many blocks, whatever the order of arrival`() async throws {
        let fixture = StoreFixture()
        try fixture.start()
        var random = SystemRandomNumberGenerator()
        var starts: [Int64] = []
        for batch in 0..<8 {
            var hops: [Hop] = []
            for number in 0..<250 {
                // Mostly in order, some long hops that started far earlier.
                let late = UInt8.random(in: 0..<20, using: &random) == 0
                let start = Int64(batch * 250 + number) * 1_000 - (late ? Int64.random(in: 0..<900_000, using: &random) : 0)
                starts.append(start)
                hops.append(Hop(trace: .test(batch * 250 + number), start: start))
            }
            try await fixture.write(hops)
        }
        let now = Int64(fixture.now)
        let reader = try fixture.store.makeReader()
        for isDescending in [true, false] {
            var query = RunQuery()
            (query.limit, query.isDescending) = (137, isDescending)
            var seen: [Int64] = []
            repeat {
                let page = try reader.runs(query)
                seen += page.runs.map { Int64($0.summary.head.startedAt) - now }
                query.after = page.next
            } while query.after != nil
            #expect(seen == starts.sorted(by: isDescending ? (>) : (<)))
        }
        var query = RunQuery()
        (query.since, query.until, query.limit) = (UInt64(now + 500_000), UInt64(now + 700_000), 1_000)
        #expect(try reader.runs(query).runs.count == starts.count { $0 >= 500_000 && $0 < 700_000 })
    }
}

@Suite struct `A run is found` {
    @Test func `by its id, by its trace, and by no other`() async throws {
        let fixture = StoreFixture()
        try fixture.start()
        try await fixture.write([
            Hop(trace: .test(1)), Hop(trace: .test(2), runName: "nightly"), Hop(trace: .test(3), runName: "nightly"),
        ])
        let reader = try fixture.store.makeReader()
        #expect(try reader.run(TraceID.test(1).description)?.summary.runID == TraceID.test(1).description)
        #expect(try reader.run(TraceID.test(1).description.uppercased()) != nil)
        for id in ["nightly", TraceID.test(2).description, TraceID.test(3).description] {
            let run = try #require(try reader.run(id))
            #expect(run.summary.runID == "nightly")
            #expect(run.summary.head.totals.hops == 2)
        }
        for id in ["", "night", "NIGHTLY", TraceID.test(4).description, String(repeating: "x", count: 1_000)] {
            #expect(try reader.run(id) == nil)
        }
    }

    @Test func `by its name first where another has it as its trace`() async throws {
        let fixture = StoreFixture()
        try fixture.start()
        let id = TraceID.test(5).description
        try await fixture.write([Hop(trace: .test(4), runName: id), Hop(trace: .test(5), runName: "other")])
        let reader = try fixture.store.makeReader()
        #expect(try reader.run(id)?.summary.traceIDs == [.test(4)])
    }

    @Test func `by its own trace id first, whatever others are called`() async throws {
        let fixture = StoreFixture()
        try fixture.start()
        let id = TraceID.test(5).description
        try await fixture.write([Hop(trace: .test(5)), Hop(trace: .test(4), runName: id)])
        let reader = try fixture.store.makeReader()
        #expect(try reader.runs(called: id).map(\.summary.head.isNamed) == [false])
        #expect(try reader.run(id)?.summary.traceIDs == [.test(5)])
    }

    @Test func `the latest of those with its name, by when they started`() async throws {
        let fixture = StoreFixture()
        try fixture.start()
        for (scope, start) in [(1, -10), (2, -30), (3, -20)] as [(Int, Int64)] {
            try await fixture.write(Hop(trace: .test(scope), runName: "nightly", scope: UInt64(scope), start: start * 1_000_000_000))
        }
        let reader = try fixture.store.makeReader()
        #expect(try reader.runs(called: "nightly").map(\.summary.traceIDs) == [[.test(1)], [.test(3)], [.test(2)]])
        #expect(try reader.run("nightly")?.summary.traceIDs == [.test(1)])
    }

    @Test func `the latest of those with its name`() async throws {
        let fixture = StoreFixture()
        try fixture.start()
        for scope in 1...3 { try await fixture.write(Hop(trace: .test(scope), runName: "nightly", scope: UInt64(scope))) }
        let reader = try fixture.store.makeReader()
        #expect(try reader.run("nightly")?.summary.traceIDs == [.test(3)])
        #expect(fixture.store.health().runs == 3)
    }
}
