import Runs
import Testing
import Tracing

@testable import OTLP

@Suite struct `A run's tree` {
    /// A span with an id, a parent (0 for none) and a start in milliseconds.
    private func span(_ id: UInt64, below parent: UInt64 = 0, at start: UInt64 = 1, kind: HopKind? = .llm, trace: TraceID = TraceID(high: 1, low: 1)) -> OTLPSpan {
        var span = OTLPSpan()
        span.traceID = trace
        span.spanID = SpanID(id)
        span.parentSpanID = parent == 0 ? nil : SpanID(parent)
        span.name = "span \(id)"
        span.startTime = Timestamp(nanoseconds: start * 1_000_000)
        span.endTime = Timestamp(nanoseconds: (start + 1) * 1_000_000)
        if let kind { span.attributes = [KeyValue("hopspan.hop.kind", .string("\(kind.name)"))] }
        return span
    }

    private func summary(root: UInt64 = 0) throws -> RunSummary {
        let bench = LedgerBench()
        var hop = Hop()
        hop.root = root
        hop.parent = root
        bench.absorb(hop)
        bench.commit()
        return try #require(bench.summary(hop.key))
    }

    /// `1(2 3(4))`: ids in hexadecimal, children in their order.
    private func shape(_ tree: RunTree, from index: Int? = nil) -> String {
        let node = tree.nodes[index ?? tree.root]
        let children = node.children.map { shape(tree, from: $0) }.joined(separator: " ")
        let letter = node.kind == .external ? "x" : node.kind == .run ? "r" : ""
        return letter + String(node.spanID.value, radix: 16) + (children.isEmpty ? "" : "(\(children))")
    }

    @Test func `hangs below the caller's span where all hops share it`() throws {
        let tree = RunTree(try summary(), [span(2, below: 9, at: 5), span(1, below: 9, at: 3)])
        #expect(shape(tree) == "x9(1 2)")
        let root = tree.nodes[tree.root]
        #expect(root.isInferred)
        #expect(root.parentSpanID == nil)
        #expect((root.startedAt, root.endedAt) == (3_000_000, 6_000_000))
    }

    @Test func `hangs below a root that is made up where hops have different callers`() throws {
        let tree = RunTree(try summary(), [span(1, below: 8, at: 1), span(2, below: 9, at: 2), span(3, below: 8, at: 3)])
        #expect(shape(tree) == "r0(x8(1 3) x9(2))")
    }

    @Test func `hangs below its own root, stored or still to come`() throws {
        let hops = [span(1, below: 7, at: 1), span(2, below: 7, at: 2)]
        #expect(shape(RunTree(try summary(root: 7), hops)) == "r7(1 2)")
        #expect(shape(RunTree(try summary(root: 7), hops + [span(7, at: 1, kind: .run)])) == "r7(1 2)")
    }

    @Test func `hangs everything below its own root, also what came with a caller's trace`() throws {
        let other = TraceID(high: 2, low: 2)
        let tree = RunTree(try summary(root: 7), [span(1, below: 7, at: 1), span(2, below: 9, at: 2, trace: other), span(3, at: 3)])
        #expect(shape(tree) == "r7(1 x9(2) 3)")
    }

    @Test func `is the one span that has nothing above it`() throws {
        #expect(shape(RunTree(try summary(), [span(1, at: 1), span(2, below: 1, at: 2), span(3, below: 2, at: 3)])) == "1(2(3))")
    }

    @Test func `takes the later of two spans with one id`() throws {
        var later = span(1, below: 9, at: 5)
        later.name = "again"
        let tree = RunTree(try summary(), [span(1, below: 9, at: 1), later])
        #expect(shape(tree) == "x9(1)")
        #expect(tree.nodes[tree.nodes[tree.root].children[0]].name == "again")
    }

    @Test func `tells the same span id in two traces apart`() throws {
        let other = TraceID(high: 2, low: 2)
        #expect(shape(RunTree(try summary(), [span(1, below: 9, at: 1), span(1, below: 9, at: 2, trace: other)])) == "r0(x9(1) x9(1))")
    }

    @Test func `holds every span once, whatever spans of others say of each other`() throws {
        // A ring, a span that is its own parent, and hops below both.
        let spans = [span(1, below: 2, kind: nil), span(2, below: 3, kind: nil), span(3, below: 1, kind: nil), span(4, below: 4, kind: nil), span(5, below: 2), span(6, below: 4)]
        let tree = RunTree(try summary(), spans)
        var seen: [UInt64] = []
        var open = [tree.root]
        while let index = open.popLast() {
            seen.append(tree.nodes[index].spanID.value)
            open += tree.nodes[index].children
        }
        #expect(seen.filter { $0 != 0 }.sorted() == [1, 2, 3, 4, 5, 6])
    }

    @Test func `may be as deep as it is long`() throws {
        let depth: UInt64 = 50_000
        let tree = RunTree(try summary(), (1...depth).map { span($0 + 1, below: $0, at: $0) })
        #expect(tree.nodes.count == Int(depth) + 1)
        var index = tree.root
        var steps = 0
        while let next = tree.nodes[index].children.first {
            index = next
            steps += 1
        }
        #expect(steps == Int(depth))
    }

    @Test func `is a root alone where all spans have been deleted`() throws {
        #expect(shape(RunTree(try summary(), [])) == "r0")
    }

    @Test func `reads of a span what the api shows`() throws {
        var hop = span(1)
        hop.status = OTLPSpan.Status(code: 2, message: "")
        hop.attributes += [
            KeyValue("error.type", .string("stream_cut")), KeyValue("gen_ai.provider.name", .string("openai")),
            KeyValue("gen_ai.usage.input_tokens", .int(7)), KeyValue("gen_ai.response.finish_reasons", .array([.string("stop"), .int(1)])),
            KeyValue("hopspan.cost.usd", .string("0.5")), KeyValue("hopspan.cost.source", .string("estimated")), KeyValue("hopspan.ttft", .double(0.25)),
            KeyValue("hopspan.linked_by", .string("content")), KeyValue("hopspan.timing", .string("inferred")), KeyValue("x.y", .bool(true)),
        ]
        let node = RunTree.Node(hop)
        #expect(node.isError)
        #expect(node.errorType == "stream_cut")
        #expect(node.provider == "openai")
        #expect((node.tokens.input, node.tokens.output) == (7, -1))
        #expect(node.finishReasons == ["stop"])
        #expect(node.cost == USD("0.5"))
        #expect(node.costSource == "estimated")
        #expect(node.timeToFirstContent == 250_000_000)
        #expect(node.linkedBy == .content)
        #expect(node.isInferred)
        #expect(node.attributes.count == 11)
    }

    @Test func `adds its cost up by one key, attempts with their hop`() throws {
        func hop(_ id: UInt64, below parent: UInt64, at start: UInt64, _ kind: HopKind, model: String?, cost: String?, tokens: Int64?) -> OTLPSpan {
            var span = span(id, below: parent, at: start, kind: kind)
            if let model { span.attributes.append(KeyValue("gen_ai.request.model", .string(model))) }
            if let cost { span.attributes.append(KeyValue("hopspan.cost.usd", .string(cost))) }
            if let tokens { span.attributes.append(KeyValue("gen_ai.usage.input_tokens", .int(tokens))) }
            return span
        }
        let hops = [
            hop(3, below: 9, at: 3, .llm, model: "b", cost: nil, tokens: 7), hop(1, below: 9, at: 1, .llm, model: "a", cost: "0.1", tokens: 10),
            hop(2, below: 1, at: 2, .attempt, model: "b", cost: "0.05", tokens: 5), hop(4, below: 9, at: 4, .http, model: nil, cost: nil, tokens: nil),
            hop(5, below: 9, at: 5, .guardrail, model: nil, cost: "1", tokens: nil),
        ]
        var (byHop, byModel) = (RunCost(by: .hop), RunCost(by: .model))
        for hop in hops {
            byHop.add(hop)
            byModel.add(hop)
        }
        #expect(byHop.total == USD("0.15"))
        #expect(byHop.calls == 3)
        #expect(byHop.unpricedHops == 1)
        #expect(byHop.rows.map(\.key) == ["0000000000000001", "0000000000000003", "0000000000000004"])
        #expect(byHop.rows.map(\.cost) == [USD("0.15"), nil, nil])
        #expect(byModel.rows.map(\.key) == ["a", "b", nil])
        #expect(byModel.rows.map(\.inputTokens) == [10, 12, 0])
        #expect(byModel.rows.map(\.calls) == [1, 1, 1])
    }
}
