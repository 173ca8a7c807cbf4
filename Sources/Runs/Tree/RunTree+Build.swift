public import OTLP
import Tracing

extension RunTree {
    /// - Parameters:
    ///   - spans: in the order they were stored; of a span that comes twice the later counts.
    public init(_ run: RunSummary, _ spans: [OTLPSpan]) {
        self.init(nodes: [])
        var places: [Place: Int] = [:]
        for span in spans {
            let node = Node(span)
            if let known = places[Place(node)] {
                nodes[known] = node
            } else {
                places[Place(node)] = nodes.count
                nodes.append(node)
            }
        }
        addOwnRoot(of: run, &places)
        addExternals(&places)
        let tops = tie(places)
        root = findRoot(of: run, among: tops)
        sortChildren()
    }

    /// A span's id within its trace.
    private struct Place: Hashable {
        let trace: TraceID
        let span: SpanID

        init(trace: TraceID, span: SpanID) {
            self.trace = trace
            self.span = span
        }

        init(_ node: Node) { self.init(trace: node.traceID, span: node.spanID) }
    }

    /// The root that is ours and is written when the run closes: until then as far as it is known.
    private mutating func addOwnRoot(of run: RunSummary, _ places: inout [Place: Int]) {
        let head = run.head
        let place = Place(trace: head.rootTrace, span: SpanID(head.root))
        guard head.root != 0, places[place] == nil else { return }
        places[place] = nodes.count
        nodes.append(
            Node(
                traceID: head.rootTrace, spanID: place.span, kind: .run, name: run.agent.map { "invoke_agent \($0)" } ?? "invoke_agent",
                startedAt: head.rootStartedAt, endedAt: max(head.endedAt, head.rootStartedAt), isError: head.isError, agent: run.agent,
                linkedBy: run.linkedBy.first ?? .new))
    }

    /// A node for each parent that is known only by its id.
    private mutating func addExternals(_ places: inout [Place: Int]) {
        for node in nodes {
            guard let parent = node.parentSpanID, parent.isValid else { continue }
            let place = Place(trace: node.traceID, span: parent)
            if let known = places[place] {
                guard nodes[known].isStandIn else { continue }
                nodes[known].startedAt = min(nodes[known].startedAt, node.startedAt)
                nodes[known].endedAt = max(nodes[known].endedAt, node.endedAt)
            } else {
                places[place] = nodes.count
                nodes.append(
                    Node(
                        traceID: place.trace, spanID: place.span, kind: .external, name: "external", startedAt: node.startedAt,
                        endedAt: node.endedAt, isInferred: true))
            }
        }
    }

    /// Hangs each node below its parent.
    /// - Returns: those that have none.
    private mutating func tie(_ places: [Place: Int]) -> [Int] {
        var tops: [Int] = []
        var parents = [Int](repeating: -1, count: nodes.count)
        for index in nodes.indices {
            let parent = nodes[index].parentSpanID.flatMap { places[Place(trace: nodes[index].traceID, span: $0)] }
            if let parent, parent != index { parents[index] = parent } else { tops.append(index) }
        }
        tops += breakCycles(&parents)
        for (index, parent) in parents.enumerated() where parent >= 0 { nodes[parent].children.append(index) }
        return tops
    }

    /// Spans of others can name each other as parents; one of each such ring is taken for a top.
    private func breakCycles(_ parents: inout [Int]) -> [Int] {
        var cut: [Int] = []
        var seen = [Int](repeating: -1, count: parents.count)
        for start in parents.indices {
            var index = start
            while index >= 0, seen[index] < 0 {
                seen[index] = start
                index = parents[index]
            }
            // Back at a node of this walk: it is on a ring.
            if index >= 0, seen[index] == start {
                parents[index] = -1
                cut.append(index)
            }
        }
        return cut
    }

    private mutating func findRoot(of run: RunSummary, among tops: [Int]) -> Int {
        let own = tops.first { nodes[$0].kind == .run && nodes[$0].spanID.value == run.head.root } ?? tops.first { nodes[$0].kind == .run }
        if let own {
            nodes[own].children += tops.filter { $0 != own }
            return own
        }
        if tops.count == 1 { return tops[0] }
        let head = run.head
        nodes.append(
            Node(
                traceID: run.traceIDs.first ?? TraceID(high: 0, low: 0), spanID: SpanID(0), kind: .run, name: run.name, startedAt: head.startedAt,
                endedAt: head.endedAt, isError: head.isError, linkedBy: run.linkedBy.first ?? .new, isInferred: true, children: tops))
        return nodes.count - 1
    }

    private mutating func sortChildren() {
        for index in nodes.indices where nodes[index].children.count > 1 {
            let sorted = nodes[index].children.sorted { (nodes[$0].startedAt, $0) < (nodes[$1].startedAt, $1) }
            nodes[index].children = sorted
        }
    }
}

extension RunTree.Node {
    /// Known only by its id.
    fileprivate var isStandIn: Bool { kind == .external && isInferred && attributes.isEmpty }
}
