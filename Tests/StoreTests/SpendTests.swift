import Runs
import Testing
import Tracing

@testable import Store

@Suite struct `Spend` {
    private let day: UInt64 = 86_400_000_000_000

    private func filled() async throws -> StoreFixture {
        let fixture = StoreFixture()
        fixture.now = day * 20_000
        try fixture.start()
        let hour: Int64 = 3_600_000_000_000
        try await fixture.write([
            Hop(trace: .test(1), span: 1, start: 0, tokens: (100, 10), cost: "0.1", agent: "planner", model: "gpt-4o", workspace: "team-a"),
            Hop(trace: .test(1), span: 2, start: hour, tokens: (200, 20), cost: "0.2", agent: "planner", model: "o3", workspace: "team-a"),
            Hop(trace: .test(2), span: 3, start: hour + 5, tokens: (1, 1), cost: "0.0000001625", model: "gpt-4o"),
            Hop(trace: .test(2), span: 4, start: 25 * hour, tokens: (7, 3), cost: nil, model: "local", provider: "ollama"),
            Hop(trace: .test(3), span: 5, start: 26 * hour, tokens: nil, cost: nil, isError: true, model: "gpt-4o"),
            Hop(kind: .tool, trace: .test(3), span: 6, start: 26 * hour, tokens: nil, cost: "0.001", operation: "execute_tool", model: nil, provider: "mcp", tool: "search"),
            Hop(kind: .attempt, trace: .test(3), span: 7, parent: 5, start: 26 * hour, tokens: (5, 0), cost: "0.003", model: "gpt-4o"),
            Hop(kind: .run, trace: .test(3), span: 8, start: 0, tokens: (999, 999), cost: "99"),
        ])
        return fixture
    }

    private func rows(_ fixture: StoreFixture, _ query: SpendQuery) throws -> [String] {
        try fixture.store.makeReader().spend(query).rows.map { row in
            let keys = row.keys.map { key in
                switch key {
                case .time(let time): "\(Int64(time / 3_600_000_000_000) - 480_000)h"
                case .text(let text): text
                case .none: "-"
                }
            }
            return "\(keys.joined(separator: "/")) \(row.sums.cost?.description ?? "null") \(row.sums.inputTokens)+\(row.sums.outputTokens) \(row.sums.calls)"
        }
    }

    @Test(arguments: [
        ([SpendKey.model], ["gpt-4o 0.1030001625 106+11 3", "o3 0.2 200+20 1", "local null 7+3 1", "- 0.001 0+0 1"]),
        ([.provider], ["openai 0.3030001625 306+31 4", "mcp 0.001 0+0 1", "ollama null 7+3 1"]),
        ([.agent], ["planner 0.3 300+30 2", "- 0.0040001625 13+4 4"]),
        ([.workspace], ["team-a 0.3 300+30 2", "- 0.0040001625 13+4 4"]),
        ([.tool], ["- 0.3030001625 313+34 5", "search 0.001 0+0 1"]),
        ([.day], ["0h 0.3000001625 301+31 3", "24h 0.004 12+3 3"]),
        ([.hour], ["0h 0.1 100+10 1", "1h 0.2000001625 201+21 2", "25h null 7+3 1", "26h 0.004 5+0 2"]),
        ([.day, .model], ["0h/o3 0.2 200+20 1", "0h/gpt-4o 0.1000001625 101+11 2", "24h/gpt-4o 0.003 5+0 1", "24h/- 0.001 0+0 1", "24h/local null 7+3 1"]),
        ([.model, .day], ["o3/0h 0.2 200+20 1", "gpt-4o/0h 0.1000001625 101+11 2", "gpt-4o/24h 0.003 5+0 1", "-/24h 0.001 0+0 1", "local/24h null 7+3 1"]),
    ])
    func `is summed exactly, by any key or two`(by: [SpendKey], expected: [String]) async throws {
        let fixture = try await filled()
        let rows = try rows(fixture, SpendQuery(by: by))
        if by == [.model] {
            #expect(Set(rows) == Set(expected))
            #expect(rows.first == "o3 0.2 200+20 1")
        } else {
            #expect(rows == expected)
        }
    }

    @Test func `has a total, and counts what it does not know`() async throws {
        let fixture = try await filled()
        let total = try fixture.store.makeReader().spend(SpendQuery(by: [.model])).total
        #expect(total.cost == USD("0.3040001625"))
        #expect(total.calls == 6)
        #expect(total.unpricedHops == 1)
        #expect(total.unmeteredHops == 1)
    }

    @Test func `is bounded to the nanosecond`() async throws {
        let fixture = try await filled()
        var query = SpendQuery(by: [.model])
        query.since = fixture.now + 3_600_000_000_000 + 5
        query.until = fixture.now + 3_600_000_000_000 + 6
        #expect(try rows(fixture, query) == ["gpt-4o 0.0000001625 1+1 1"])
        query.until = query.since
        #expect(try rows(fixture, query).isEmpty)
        #expect(try fixture.store.makeReader().spend(query).total.cost == nil)
    }

    @Test func `finds what lies behind blocks from a clock that was set back`() async throws {
        let fixture = StoreFixture()
        fixture.now = day * 20_000
        try fixture.start()
        let now = fixture.now
        try await fixture.write(Hop(span: 1, cost: "0.5"))
        fixture.now = now - 2 * day
        for number in 0..<100 {
            try await fixture.onThread { $0.sealTail() }
            try await fixture.write(Hop(span: UInt64(number + 2)))
        }
        var query = SpendQuery(by: [.model])
        query.since = now
        #expect(try fixture.store.makeReader().spend(query).total.cost == USD("0.5"))
    }

    @Test func `agrees with the runs it is the sum of`() async throws {
        let fixture = StoreFixture()
        try fixture.start()
        var hops: [Hop] = []
        for number in 0..<3_000 {
            hops.append(Hop(trace: .test(number % 171), span: UInt64(number + 1), cost: number % 5 == 0 ? nil : "0.000000000\(number)", model: "m\(number % 13)"))
        }
        try await fixture.write(hops)
        let reader = try fixture.store.makeReader()
        var query = RunQuery()
        query.limit = 1_000
        let runs = try reader.runs(query).runs
        let sum = runs.compactMap(\.summary.head.totals.cost).reduce(.zero, +)
        let spend = try reader.spend(SpendQuery(by: [.model]))
        #expect(spend.total.cost == sum)
        #expect(spend.rows.compactMap(\.sums.cost).reduce(.zero, +) == sum)
        #expect(spend.rows.count == 13)
        #expect(spend.total.calls == runs.reduce(0) { $0 + $1.summary.head.totals.hops })
    }
}
