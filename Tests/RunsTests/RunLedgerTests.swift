import Runs
import Testing
import Tracing

@Suite struct `A run in the ledger` {
    @Test func `adds up its hops, exactly`() throws {
        let bench = LedgerBench()
        bench.absorb(Hop(span: 1, start: 1_000, end: 5_000, tokens: (10, 5), cost: "0.1", agent: "planner", model: "gpt-4o"))
        bench.absorb(Hop(span: 2, start: 2_000, end: 9_000, tokens: (20, 7), cost: "0.2", isError: true, model: "o3", responseModel: "o3-2025"))
        bench.absorb(Hop(span: 3, start: 500, end: 600, tokens: (1, 1), cost: nil, model: "gpt-4o"))
        bench.absorb(Hop(span: 4, tokens: nil, cost: nil))
        bench.absorb(Hop(kind: .http, span: 5, tokens: nil, cost: nil, operation: nil, model: nil, provider: "acme"))
        bench.commit()
        let run = try #require(bench.summary(RunKey(TraceID(high: 1, low: 1)), now: 0))
        #expect(run.runID == "00000000000000010000000000000001")
        #expect(run.traceIDs == [TraceID(high: 1, low: 1)])
        #expect(run.name == "invoke_agent planner")
        #expect(run.head.startedAt == 500)
        #expect(run.head.endedAt == 9_000)
        #expect(run.head.duration == 8_500)
        #expect(run.endedAt == nil)
        #expect(run.state == .open)
        #expect(run.status == .error)
        let totals = run.head.totals
        #expect(totals.hops == 5)
        #expect(totals.llmCalls == 4)
        #expect(totals.errors == 1)
        #expect(totals.unpricedHops == 1)
        #expect(totals.unmeteredHops == 1)
        #expect(totals.inputTokens == 31)
        #expect(totals.outputTokens == 13)
        #expect(totals.cost == USD("0.3"))
        #expect(run.models == ["gpt-4o", "o3"])
        #expect(run.providers == ["openai", "acme"])
        #expect(run.agent == "planner")
        #expect(run.agents == ["planner"])
        #expect(run.linkedBy == [.traceparent])
    }

    @Test func `has no cost where no price is known, and no tokens where none came`() throws {
        let bench = LedgerBench()
        bench.absorb(Hop(tokens: nil, cost: nil))
        bench.commit()
        let run = try #require(bench.summary(RunKey(TraceID(high: 1, low: 1))))
        #expect(run.head.totals.cost == nil)
        #expect(run.head.totals.totalTokens == 0)
        #expect(run.head.totals.unmeteredHops == 1)
    }

    /// Kind, operation, inferred → hops, tool calls, agent calls, listed.
    @Test(arguments: [
        (HopKind.tool, "execute_tool", false, 1, 1, 0, true), (.tool, "", false, 1, 0, 0, false), (.tool, "execute_tool", true, 0, 1, 0, true),
        (.agent, "invoke_agent", false, 1, 0, 1, true), (.agent, "", false, 1, 0, 0, false), (.llm, "chat", false, 1, 0, 0, true),
        (.http, "", false, 1, 0, 0, true), (.attempt, "chat", false, 0, 0, 0, true), (.guardrail, "", false, 0, 0, 0, false),
        (.external, "", false, 0, 0, 0, false),
    ])
    func `counts each kind of span for what it is`(
        kind: HopKind, operation: String, isInferred: Bool, hops: Int64, tools: Int64, agents: Int64, isListed: Bool
    ) throws {
        let bench = LedgerBench()
        bench.absorb(Hop(kind: kind, tokens: nil, cost: nil, operation: operation, tool: "get_weather", isInferred: isInferred))
        bench.commit()
        let head = try #require(bench.summary(RunKey(TraceID(high: 1, low: 1)))).head
        #expect(head.totals.hops == hops)
        #expect(head.totals.toolCalls == tools)
        #expect(head.totals.agentCalls == agents)
        #expect(head.isListed == isListed)
    }

    @Test func `counts what a lost attempt cost, but not the attempt`() throws {
        let bench = LedgerBench()
        bench.absorb(Hop(span: 1, cost: "0.5"))
        bench.absorb(Hop(kind: .attempt, span: 2, parent: 1, cost: "0.25", isError: true))
        bench.commit()
        let totals = try #require(bench.summary(RunKey(TraceID(high: 1, low: 1)))).head.totals
        #expect(totals.cost == USD("0.75"))
        #expect(totals.hops == 1)
        #expect(totals.errors == 0)
    }

    @Test func `does not trap on absurd counts`() throws {
        let bench = LedgerBench()
        for span in 1...3 { bench.absorb(Hop(span: UInt64(span), tokens: (.max, .max), cost: "1700000000000000000")) }
        bench.commit()
        let totals = try #require(bench.summary(RunKey(TraceID(high: 1, low: 1)))).head.totals
        #expect(totals.inputTokens == .max)
        #expect(totals.totalTokens == .max)
        #expect(totals.cost == USD(units: .max))
    }

    @Test func `tells each span which one came before it`() {
        let bench = LedgerBench()
        let other = TraceID(high: 2, low: 2)
        bench.absorb(Hop(span: 1))
        bench.absorb(Hop(trace: other, span: 2))
        bench.absorb(Hop(span: 3))
        bench.absorb(Hop(trace: other, span: 4))
        #expect(bench.previous == [0, 0, 1, 2])
    }

    @Test func `goes on from its row when it opens again`() throws {
        var limits = RunLedger.Limits()
        limits.idle = 60
        let bench = LedgerBench(limits)
        bench.absorb(Hop(span: 1, cost: "0.1", agent: "a"), now: 0)
        bench.commit()
        bench.close(now: 60)
        bench.commit()
        #expect(bench.ledger.openCount == 0)
        let again = bench.absorb(Hop(span: 2, cost: "0.2", model: "o3"), now: 100)
        #expect(!again.runIsNew)
        #expect(again.previous == 1)
        bench.commit()
        let run = try #require(bench.summary(RunKey(TraceID(high: 1, low: 1))))
        #expect(run.head.totals.hops == 2)
        #expect(run.head.totals.cost == USD("0.3"))
        #expect(run.models == ["gpt-4o", "o3"])
    }

    @Test func `is asked of the store, unless the gateway has only just made up its trace`() {
        let bench = LedgerBench(limits())
        func trace(_ number: UInt64) -> TraceID { TraceID(high: 0, low: number) }
        bench.absorb(Hop(trace: trace(1), root: 7, linkedBy: .new))
        bench.absorb(Hop(trace: trace(2)))
        #expect(bench.asked == [RunKey(trace(2))])
        bench.close(now: 60)
        bench.commit()
        // While this hop ran, runs were let go. One of them may be its own: another hop of it may have been over sooner.
        bench.absorb(Hop(trace: trace(1), root: 7, start: 1_999, end: 9_000, linkedBy: .new), now: 61)
        #expect(bench.asked.last == RunKey(trace(1)))
        #expect(bench.rows[RunKey(trace(1))]?.row == 1 && bench.ledger.nextRow == 3)
        bench.absorb(Hop(trace: trace(3), root: 8, start: 2_001, end: 9_000, linkedBy: .new), now: 61)
        #expect(bench.asked.count == 2)
    }

    @Test func `has nothing of the run that was in its place before`() throws {
        let bench = LedgerBench(limits(open: 0))
        let other = Hop(trace: TraceID(high: 2, low: 2), span: 2, start: 7_000, end: 8_000)
        bench.absorb(Hop(runName: "nightly", root: 7, isError: true, agent: "planner", tool: "search", asksFor: ["search"], workspace: "home"))
        bench.close(now: 1)
        bench.commit()
        bench.absorb(other)
        bench.commit()
        let alone = LedgerBench()
        alone.absorb(other)
        alone.commit()
        #expect(bench.rows[other.key]?.summary == alone.rows[other.key]?.summary)
    }

    @Test func `keeps the traces and the name of a run its caller named`() throws {
        let bench = LedgerBench()
        let first = bench.absorb(Hop(trace: TraceID(high: 1, low: 1), runName: "nightly", conversation: "c-1"))
        let same = bench.absorb(Hop(trace: TraceID(high: 1, low: 1), runName: "nightly"))
        let second = bench.absorb(Hop(trace: TraceID(high: 2, low: 2), runName: "nightly"))
        #expect((first.runIsNew, first.traceIsNew) == (true, true))
        #expect((same.runIsNew, same.traceIsNew) == (false, false))
        #expect((second.runIsNew, second.traceIsNew) == (false, true))
        bench.commit()
        let run = try #require(bench.summary(Hop(runName: "nightly").key))
        #expect(run.runID == "nightly")
        #expect(run.name == "nightly")
        #expect(run.traceIDs == [TraceID(high: 1, low: 1), TraceID(high: 2, low: 2)])
        #expect(run.conversationID == "c-1")
    }

    @Test func `names its tools, asked for or called, and the agents that took part`() throws {
        let bench = LedgerBench()
        bench.absorb(Hop(span: 1, agent: "planner", asksFor: ["get_weather", "search"]))
        bench.absorb(Hop(kind: .tool, span: 2, operation: "execute_tool", agent: "planner", model: nil, tool: "search"))
        bench.absorb(Hop(kind: .agent, span: 3, operation: "invoke_agent", agent: "researcher", model: nil))
        bench.commit()
        let run = try #require(bench.summary(RunKey(TraceID(high: 1, low: 1))))
        #expect(run.tools == ["get_weather", "search"])
        #expect(run.agent == "planner")
        #expect(run.agents == ["planner", "researcher"])
    }

    @Test func `bounds what callers write into it`() throws {
        let bench = LedgerBench()
        let long = String(repeating: "é", count: 200)
        for number in 0..<200 { bench.absorb(Hop(span: UInt64(number + 1), model: "\(number)-\(long)")) }
        bench.commit()
        let run = try #require(bench.summary(RunKey(TraceID(high: 1, low: 1))))
        #expect(run.models.count < 90)
        #expect(run.models.allSatisfy { $0.utf8.count <= 255 && !$0.contains("\u{FFFD}") })
        #expect(run.head.totals.hops == 200)
        #expect(bench.rows.values.allSatisfy { $0.summary.count < 22 << 10 })
        for number in 200..<3_000 { bench.absorb(Hop(span: UInt64(number + 1), model: "\(number)-\(long)")) }
        bench.commit()
        #expect(bench.rows.values.allSatisfy { $0.summary.count < 66 << 10 })
    }

    @Test func `of many hops has all that filters go by`() throws {
        let bench = LedgerBench()
        for number in 0..<500 { bench.absorb(Hop(span: UInt64(number + 1), asksFor: ["a_tool_with_a_name_\(number)"])) }
        bench.commit()
        #expect(try #require(bench.summary(RunKey(TraceID(high: 1, low: 1)))).tools.count == 500)
    }

    @Test func `is nothing a damaged row can become`() {
        let bench = LedgerBench()
        bench.absorb(Hop(runName: "nightly", root: 9, agent: "a"))
        bench.commit()
        let row = bench.rows.values.first!.summary
        for length in 0..<row.count {
            // A cut in the texts loses texts; a cut before them loses the row. Neither traps.
            Array(row[..<length]).withRaw { raw in
                if let summary = RunSummary(row: raw, state: .open) { #expect(summary.head.totals.hops == 1) }
            }
        }
        for index in row.indices {
            var damaged = row
            damaged[index] ^= 0xFF
            damaged.withRaw { raw in _ = RunSummary(row: raw, state: .open) }
        }
    }
}

@Suite struct `A run's end` {
    @Test func `comes after run_idle of quiet, not before`() {
        let bench = LedgerBench(limits())
        bench.absorb(Hop(root: 7, linkedBy: .new), now: 0)
        bench.absorb(Hop(span: 2, root: 7, linkedBy: .new), now: 30)
        bench.close(now: 89)
        #expect(bench.roots.isEmpty)
        #expect(bench.ledger.nextClosing == 90)
        bench.close(now: 90)
        #expect(bench.roots.count == 1)
        #expect(bench.ledger.openCount == 0)
        #expect(bench.ledger.nextClosing == nil)
    }

    @Test func `writes the root that is ours, with the totals`() throws {
        let bench = LedgerBench(limits())
        let trace = TraceID(high: 3, low: 4)
        bench.absorb(
            Hop(trace: trace, span: 1, parent: 7, root: 7, start: 100, end: 200, tokens: (10, 5), cost: "0.1", linkedBy: .new, agent: "planner", conversation: "c"))
        bench.absorb(Hop(trace: trace, span: 2, parent: 7, root: 7, start: 50, end: 900, tokens: (1, 2), cost: nil, isError: true, linkedBy: .new))
        bench.absorb(Hop(trace: trace, span: 3, parent: 7, root: 7, start: 300, end: 400, tokens: nil, cost: nil, linkedBy: .new))
        bench.close(now: 60)
        let root = try #require(bench.roots.first)
        #expect(root.traceID == trace)
        #expect(root.span == 7)
        #expect(root.parent == 0)
        #expect(root.kind == SpanKind.internal.rawValue)
        #expect(root.hopKind == HopKind.run.rawValue)
        #expect((root.startTime, root.endTime) == (50, 900))
        #expect(root.isError)
        #expect(root.flags == 1)
        // Totals stand under hopspan.run.* alone: what back ends add up over a trace must not meet them twice.
        #expect(!root.tokens.isKnown)
        #expect(root.cost == nil)
        let attributes = try #require(bench.rootAttributes.first)
        #expect(attributes[.operationName] == "invoke_agent")
        #expect(attributes[.agentName] == "planner")
        #expect(attributes[.conversationID] == "c")
        #expect(attributes[.hops] == "3")
        #expect(attributes[.llmCalls] == "3")
        #expect(attributes[.errors] == "1")
        #expect(attributes[.unpricedHops] == "1")
        #expect(attributes[.unmeteredHops] == "1")
        #expect(attributes[.runCostUSD] == "0.1")
        #expect(attributes[.runInputTokens] == "11")
        #expect(attributes[.runOutputTokens] == "7")
        bench.commit()
        let run = try #require(bench.summary(RunKey(trace)))
        #expect(run.state == .closed)
        #expect(run.endedAt == 900)
        #expect(run.head.totals.hops == 3)
    }

    @Test func `writes no root where the caller brought the trace`() throws {
        let bench = LedgerBench(limits())
        bench.absorb(Hop(), now: 0)
        bench.close(now: 60)
        #expect(bench.roots.isEmpty)
        bench.commit()
        #expect(bench.ledger.openCount == 0)
        // Nothing is written for it either: whether it is open, time says.
        let key = RunKey(TraceID(high: 1, low: 1))
        #expect(try #require(bench.summary(key, now: 2_059, idle: 60)).state == .open)
        #expect(try #require(bench.summary(key, now: 2_060, idle: 60)).state == .closed)
    }

    @Test func `comes by request, and undone by the next hop`() throws {
        let bench = LedgerBench(limits())
        let key = RunKey(TraceID(high: 1, low: 1))
        bench.absorb(Hop(root: 7, linkedBy: .new))
        bench.commit()
        #expect(bench.end(key))
        #expect(bench.roots.count == 1)
        bench.commit()
        #expect(try #require(bench.summary(key)).state == .closed)
        #expect(bench.end(key))
        #expect(bench.roots.count == 1)
        #expect(!bench.end(RunKey(high: 5, low: 5)))
        bench.absorb(Hop(span: 2, root: 7, linkedBy: .new), now: 1)
        bench.commit()
        #expect(try #require(bench.summary(key)).state == .open)
        bench.close(now: 61)
        // A back end that has the root would have two of them.
        #expect(bench.roots.count == 1)
    }

    @Test func `does not come while a hop is under way`() {
        let bench = LedgerBench(limits(open: 1))
        let key = Hop(runName: "nightly").key
        bench.absorb(Hop(span: 1, runName: "nightly", root: 7), now: 0)
        bench.underWay = [key]
        bench.close(now: 60)
        #expect(bench.roots.isEmpty && bench.closed.isEmpty)
        bench.close(now: 119)
        bench.underWay = []
        bench.absorb(Hop(span: 2, runName: "nightly", root: 7), now: 130)
        bench.close(now: 189)
        #expect(bench.roots.isEmpty)
        bench.close(now: 190)
        #expect(bench.rootAttributes.map { $0[.hops] } == ["2"])
        bench.commit()
        // Beyond the bound the quietest is closed all the same, and its root is not written again when the hop is over.
        bench.underWay = [key]
        bench.absorb(Hop(span: 3, runName: "nightly", root: 8), now: 200)
        bench.absorb(Hop(trace: TraceID(high: 2, low: 2)), now: 201)
        bench.close(now: 202)
        bench.commit()
        #expect(bench.roots.map(\.span) == [7, 8])
        bench.absorb(Hop(span: 4, runName: "nightly", root: 8), now: 203)
        bench.underWay = []
        bench.close(now: 1_000)
        #expect(bench.roots.map(\.span) == [7, 8])
    }

    @Test func `with a root of its own says what the caller called its session`() throws {
        let bench = LedgerBench(limits())
        bench.absorb(Hop(root: 7, linkedBy: .new, conversation: "conv_of_the_provider"))
        bench.absorb(Hop(trace: TraceID(high: 2, low: 2), root: 8, linkedBy: .new, conversation: "talk-7", session: "talk-7"))
        bench.close(now: 60)
        #expect(bench.rootAttributes.map { $0[.conversationID] } == ["conv_of_the_provider", "talk-7"])
        #expect(bench.rootAttributes.map { $0[.sessionID] } == [nil, "talk-7"])
    }

    @Test func `closes a run that is only stored`() throws {
        let bench = LedgerBench(limits())
        bench.absorb(Hop(), now: 0)
        bench.close(now: 60)
        bench.commit()
        let key = RunKey(TraceID(high: 1, low: 1))
        #expect(bench.end(key))
        bench.commit()
        #expect(try #require(bench.summary(key, now: 0)).state == .closed)
    }

    @Test func `is told for named runs only`() {
        let bench = LedgerBench(limits())
        bench.absorb(Hop(runName: "nightly"))
        bench.absorb(Hop(trace: TraceID(high: 2, low: 2)))
        bench.close(now: 60)
        #expect(bench.closed == [Hop(runName: "nightly").key])
    }

    @Test func `comes to the quietest run when there are too many`() {
        let bench = LedgerBench(limits(open: 3))
        for number in 1...4 { bench.absorb(Hop(trace: TraceID(high: 0, low: UInt64(number)), root: UInt64(number), linkedBy: .new), now: UInt64(number)) }
        bench.absorb(Hop(trace: TraceID(high: 0, low: 1), span: 9, root: 1, linkedBy: .new), now: 5)
        bench.close(now: 6)
        #expect(bench.roots.map(\.span) == [2])
        #expect(bench.ledger.openCount == 3)
    }

    @Test func `comes to the quietest run when there are too many, also to one that waits for a tool`() {
        let bench = LedgerBench(limits(open: 2, wait: 600))
        func hop(_ number: UInt64, waits: Bool) -> Hop { Hop(trace: TraceID(high: 0, low: number), runName: "run-\(number)", root: number, asksFor: waits ? ["search"] : []) }
        for number in 1...4 { bench.absorb(hop(UInt64(number), waits: number == 1 || number == 3), now: UInt64(number)) }
        bench.close(now: 6)
        #expect(bench.roots.map(\.span) == [1, 2])
        #expect(bench.ledger.openCount == 2)
    }

    @Test func `comes to as many runs at a time as there is room for`() {
        let bench = LedgerBench(limits())
        for number in 1...5 { bench.absorb(Hop(trace: TraceID(high: 0, low: UInt64(number)), root: UInt64(number), linkedBy: .new), now: UInt64(number)) }
        bench.close(now: 1_000, room: 2)
        #expect(bench.roots.map(\.span) == [1, 2])
        #expect(bench.ledger.nextClosing ?? .max <= 1_000)
        bench.close(now: 1_000, room: 2)
        #expect(bench.roots.map(\.span) == [1, 2, 3, 4])
        #expect(bench.closeOwing(room: 0))
        #expect(!bench.closeOwing(room: 1))
        #expect(bench.roots.map(\.span) == [1, 2, 3, 4, 5])
        #expect(bench.ledger.nextClosing == nil)
    }

    @Test func `leaves 100,000 runs open and no more`() {
        let bench = LedgerBench()
        for number in 1...100_250 {
            bench.absorb(Hop(trace: TraceID(high: 0, low: UInt64(number)), root: 1, linkedBy: .new), now: UInt64(number))
            if number % 1_000 == 0 {
                bench.close(now: UInt64(number))
                bench.commit()
            }
        }
        bench.close(now: 200_000)
        bench.commit()
        #expect(bench.ledger.openCount == 100_000)
        #expect(bench.roots.count == 250)
    }

    @Test func `waits for a tool's result where the run can go on`() {
        let bench = LedgerBench(limits(wait: 600))
        bench.absorb(Hop(runName: "nightly", asksFor: ["search"]), now: 0)
        // Nothing could continue this one: its next request would be another run.
        bench.absorb(Hop(trace: TraceID(high: 2, low: 2), root: 7, linkedBy: .new, asksFor: ["search"]), now: 0)
        bench.close(now: 60)
        #expect(bench.roots.map(\.span) == [7])
        bench.close(now: 599)
        #expect(bench.closed.isEmpty)
        bench.close(now: 600)
        #expect(bench.closed.count == 1)
    }

    @Test func `writes a root before another takes its place`() {
        let bench = LedgerBench(limits())
        bench.absorb(Hop(trace: TraceID(high: 1, low: 1), span: 1, runName: "nightly", root: 7), now: 0)
        bench.commit()
        // A new process gives the run another trace and root.
        bench.absorb(Hop(trace: TraceID(high: 2, low: 2), span: 2, runName: "nightly", root: 8, start: 5_000, end: 6_000), now: 1)
        #expect(bench.roots.map(\.span) == [7])
        #expect(bench.previous == [0, 1, 2])
        bench.close(now: 61)
        #expect(bench.roots.map(\.span) == [7, 8])
        #expect(bench.roots[1].traceID == TraceID(high: 2, low: 2))
        #expect(bench.roots[1].startTime == 5_000)
        #expect(bench.rootAttributes.map { $0[.hops] } == ["1", "2"])
    }

    @Test func `loses nothing when the batch is given up`() throws {
        let bench = LedgerBench(limits())
        bench.absorb(Hop(span: 1))
        bench.ledger.abandoned()
        bench.absorb(Hop(span: 2))
        bench.commit()
        #expect(try #require(bench.summary(RunKey(TraceID(high: 1, low: 1)))).head.totals.hops == 2)
    }

    @Test func `names no span that was never written`() {
        let bench = LedgerBench(limits())
        bench.absorb(Hop(span: 1))
        bench.commit()
        bench.absorb(Hop(span: 2))
        bench.absorb(Hop(span: 3))
        bench.ledger.abandoned()
        bench.absorb(Hop(span: 4))
        bench.absorb(Hop(span: 5))
        #expect(bench.previous == [0, 1, 2, 1, 4])
    }
}

private func limits(open: Int = 100_000, idle: UInt64 = 60, wait: UInt64? = nil) -> RunLedger.Limits {
    var limits = RunLedger.Limits()
    (limits.openRuns, limits.idle, limits.wait) = (open, idle, wait)
    return limits
}
