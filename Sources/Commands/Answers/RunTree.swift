import JSON
public import Terminal
import Tracing

/// `hopspan run`: one run's tree, a hop a line.
public enum RunTree {
    /// - Parameter bytes: what `GET /api/runs/{run}` answered.
    public static func lines(_ bytes: [UInt8], on screen: Screen) throws(UnexpectedAnswer) -> [String] {
        let answer = try RunAnswer(bytes)
        let json = answer.run
        let run = try Run(json)
        let nodes = try Node.all(answer)
        guard !nodes.isEmpty else { throw UnexpectedAnswer() }
        let suspect = Finding(json["suspect"])
        func name(of span: String) -> String { nodes.first { $0.spanID == span }?.name ?? span }

        var head: [Styled] = []
        if let suspect { head.append(Styled("suspect: ", .red) + sentence(suspect, name(of: suspect.spanID))) }
        head.append(run.name == run.id ? Styled("run \(run.id)", .bold) : Styled(run.name, .bold) + Styled("  run \(run.id)", .dim))
        if !run.aliases.isEmpty { head.append(Styled("also " + run.aliases.joined(separator: ", "), .dim)) }
        head += summary(run, width: screen.width)

        var lines = head.map { $0.shown(inColor: screen.hasColor) } + [""]
        lines += table(nodes, suspect: suspect?.spanID, startOfRun: Timestamp(run.startedAt)).lines(width: screen.width, inColor: screen.hasColor)

        let findings = (json["findings"]?.elements ?? []).compactMap { Finding($0) }.filter { $0.spanID != suspect?.spanID || $0.type != suspect?.type }
        if !findings.isEmpty {
            lines += ["", "findings:"]
            lines += findings.map { (Styled("  \($0.severity): ", style(of: $0.severity)) + sentence($0, name(of: $0.spanID))).shown(inColor: screen.hasColor) }
        }
        let notes = (json["cut"]?.bool == true ? ["the run is longer than a tree may be: its earliest hops are not shown"] : []) + notes(run, nodes)
        return lines + (notes.isEmpty ? [] : [""] + notes.map { Styled($0, .dim).shown(inColor: screen.hasColor) })
    }

    // MARK: what stands above the tree

    /// One line, or more where it would not fit.
    private static func summary(_ run: Run, width: Int?) -> [Styled] {
        var parts = [Styled(run.state)]
        parts.append(run.errors > 0 ? Styled(Amounts.count(run.errors, "error"), .red) : run.status == "error" ? Styled("error", .red) : Styled("ok", .green))
        let calls = [(run.llmCalls, "LLM call"), (run.toolCalls, "tool call"), (run.agentCalls, "agent call")].filter { $0.0 > 0 }
        parts.append(Styled(([Amounts.count(run.hops, "hop")] + calls.map { Amounts.count($0.0, $0.1) }).joined(separator: ", ")))
        if let tokens = run.tokens { parts.append(Styled("\(Amounts.count(tokens.input)) tokens in, \(Amounts.count(tokens.output)) out")) }
        parts.append(run.cost.map { Styled(Amounts.dollars($0), .bold) } ?? Styled("cost unknown", .yellow))
        if let milliseconds = run.milliseconds { parts.append(Styled(Amounts.duration(milliseconds: milliseconds))) }
        parts.append(Styled(Amounts.time(run.startedAt, withYear: true) + " UTC", .dim))
        var lines = [parts[0]]
        for part in parts.dropFirst() {
            let longer = lines[lines.count - 1] + Styled(" · ", .dim) + part
            if let width, longer.width > width { lines.append(part) } else { lines[lines.count - 1] = longer }
        }
        return lines
    }

    private static func sentence(_ finding: Finding, _ name: String) -> Styled {
        var text = "\(name): \(finding.type)"
        if !finding.summary.isEmpty { text += ", \(finding.summary)" }
        if finding.readers > 0 { text += "; read by " + Amounts.count(finding.readers, "hop") }
        if let cost = finding.costAfter, cost > .zero { text += "; \(Amounts.dollars(cost)) spent after it" }
        return Styled(text)
    }

    private static func style(of severity: String) -> Style { severity == "error" ? .red : severity == "warning" ? .yellow : .plain }

    // MARK: the tree

    /// Levels that are drawn; further down the number of the level stands before the name.
    private static let drawn = 40

    /// What stands before each node's name.
    private static func guides(_ nodes: [Node]) -> [String] {
        // By level, what leads past it to the levels below; the root's is empty.
        var past: [String] = []
        return nodes.map { node in
            guard node.depth > 0 else {
                past = [""]
                return ""
            }
            let level = min(node.depth, drawn)
            past.removeLast(past.count - min(past.count, level))
            let guide = past.joined() + (node.isLast ? "└─ " : "├─ ")
            if node.depth < drawn { past.append(node.isLast ? "   " : "│  ") }
            return guide + (node.depth > drawn ? "\(node.depth): " : "")
        }
    }

    private static func table(_ nodes: [Node], suspect: String?, startOfRun: Timestamp?) -> Table {
        let rows = Array(zip(guides(nodes), nodes))
        let costs = Amounts.money(nodes.map(\.cost))
        var table = Table([
            .init("HOP", leastWidth: 14, goodWidth: 24), .init("KIND", dropRank: 1), .init("MODEL", leastWidth: 12, dropRank: 4), .init("AT", .right, dropRank: 3), .init("IN", .right),
            .init("OUT", .right), .init("COST $", .right), .init("TIME", .right), .init("FIRST", .right, dropRank: 2), .init("OUTCOME"),
        ])
        for (row, cost) in zip(rows, costs) {
            let (guide, node) = row
            // A span that is known only by its id has no name of its own.
            let isUnknown = node.kind == "external" && node.name == "external"
            let name = Styled(guide, .dim) + (isUnknown ? Styled("the caller's span", .dim) : Styled(node.name, node.status == "error" ? .red : .plain))
            table.add([
                name,
                Styled(node.kind, .dim),
                model(node),
                offset(node, startOfRun),
                Styled(node.tokens.map { Amounts.count($0.input) } ?? ""),
                Styled(node.tokens.map { Amounts.count($0.output) } ?? ""),
                self.cost(node, cost),
                Styled(node.milliseconds.map { (node.isInferred && isHop(node) ? "~" : "") + Amounts.duration(milliseconds: $0) } ?? ""),
                Styled(node.firstTokenMilliseconds.map { Amounts.duration(milliseconds: $0) } ?? ""),
                outcome(node) + (node.spanID == suspect ? Styled(" ◀ suspect", .red) : ""),
            ])
        }
        return table
    }

    private static func model(_ node: Node) -> Styled {
        guard let model = node.model else { return Styled(node.provider ?? "", .dim) }
        return Styled((node.provider.map { $0 + "/" } ?? ""), .dim) + Styled(model)
    }

    private static func offset(_ node: Node, _ start: Timestamp?) -> Styled {
        guard let start, let at = node.startedAt, at >= start else { return "" }
        return Styled("+" + Amounts.duration(milliseconds: Double(at.nanoseconds - start.nanoseconds) / 1e6), .dim)
    }

    /// Of a hop with tokens and no price, that it is not known; never 0.
    private static func cost(_ node: Node, _ text: String?) -> Styled {
        if let text { return Styled((node.costIsEstimated ? "~" : "") + text) }
        if node.tokens != nil, isHop(node) { return Styled("no price", .yellow) }
        return node.kind == "llm" && node.status == "ok" && node.isLeaf ? Styled("no usage", .yellow) : ""
    }

    /// Neither the run's own root nor somebody else's span.
    private static func isHop(_ node: Node) -> Bool { node.kind != "run" && node.kind != "external" }

    private static func outcome(_ node: Node) -> Styled {
        if node.status == "error" { return Styled(node.errorType ?? "error", .red) }
        guard node.finishReasons.isEmpty else {
            let isWhole = node.finishReasons.allSatisfy { whole.contains($0) }
            return Styled(node.finishReasons.joined(separator: ", "), isWhole ? .plain : .yellow)
        }
        return isHop(node) ? Styled("ok") : ""
    }

    /// Finish reasons of an answer that is all there.
    private static let whole: Set<String> = ["stop", "tool_calls", "function_call", "end_turn", "tool_use", "stop_sequence", "completed"]

    // MARK: what stands below it

    private static func notes(_ run: Run, _ nodes: [Node]) -> [String] {
        var notes: [String] = []
        if nodes.contains(where: { $0.costIsEstimated || $0.isInferred && isHop($0) }) { notes.append("~ estimated or inferred, not measured") }
        if run.unpricedHops > 0 {
            notes.append("\(Amounts.count(run.unpricedHops, "hop")) without a price, not in the sum: hopspan help prices")
        }
        if run.unmeteredHops > 0 { notes.append("\(Amounts.count(run.unmeteredHops, "hop")) whose usage never came, not in the sum") }
        if run.state == "open" { notes.append("the run is open: more may come") }
        return notes
    }
}
