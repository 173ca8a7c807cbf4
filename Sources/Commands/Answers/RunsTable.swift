public import JSON
public import Terminal

/// `hopspan runs`: recent runs, one a line.
public enum RunsTable {
    /// - Parameter json: what `GET /api/runs` answered.
    public static func lines(_ json: JSONValue, on screen: Screen) throws(UnexpectedAnswer) -> [String] {
        guard let elements = json["runs"]?.elements else { throw UnexpectedAnswer() }
        var runs: [Run] = []
        for element in elements { runs.append(try Run(element)) }
        guard !runs.isEmpty else { return ["no runs"] }

        let whole = table(runs, idWidth: nil)
        // A beginning of an id is enough for hopspan run; ids are cut only where the line would not fit.
        let fits = screen.width.map { width in whole.lines(width: nil, inColor: false).allSatisfy { TextWidth.columns($0) <= width } } ?? true
        var lines = (fits ? whole : table(runs, idWidth: shortID)).lines(width: screen.width, inColor: screen.hasColor)
        if let cursor = json["next"]?.string {
            lines += ["", Styled("more: --cursor \(cursor)", .dim).shown(inColor: screen.hasColor)]
        }
        return lines
    }

    private static let shortID = 12

    private static func table(_ runs: [Run], idWidth: Int?) -> Table {
        var table = Table([
            .init("STARTED (UTC)"), .init("RUN", leastWidth: idWidth), .init("NAME", leastWidth: 12), .init("MODELS", leastWidth: 12, dropRank: 3),
            .init("HOPS", .right), .init("IN", .right, dropRank: 1), .init("OUT", .right, dropRank: 2), .init("COST $", .right), .init("TIME", .right), .init("STATUS"),
        ])
        for (run, cost) in zip(runs, Amounts.money(runs.map(\.cost))) {
            let id = idWidth.map { isTraceID(run.id) ? String(run.id.prefix($0)) : run.id } ?? run.id
            table.add([
                Styled(Amounts.time(run.startedAt), .dim),
                Styled(id, .cyan),
                Styled(run.name == run.id ? run.agent ?? "" : run.name),
                Styled(models(run), .dim),
                Styled(Amounts.count(run.hops)),
                Styled(run.tokens.map { Amounts.count($0.input) } ?? ""),
                Styled(run.tokens.map { Amounts.count($0.output) } ?? ""),
                cost.map { Styled($0) } ?? (run.unpricedHops > 0 ? Styled("no price", .yellow) : ""),
                Styled(run.milliseconds.map { Amounts.duration(milliseconds: $0) } ?? ""),
                status(run),
            ])
        }
        return table
    }

    /// The first few.
    private static func models(_ run: Run) -> String {
        let more = run.models.count - 2
        return more > 1 ? run.models.prefix(2).joined(separator: ", ") + " and \(more) more" : run.models.joined(separator: ", ")
    }

    /// 32 hexadecimal digits, of which the first are told apart as well.
    private static func isTraceID(_ id: String) -> Bool { id.utf8.count == 32 && id.allSatisfy(\.isHexDigit) }

    private static func status(_ run: Run) -> Styled {
        let outcome =
            run.errors > 0 ? Styled(Amounts.count(run.errors, "error"), .red) : run.status == "error" ? Styled("error", .red) : Styled("ok", .green)
        return run.state == "open" ? outcome + Styled(", open", .dim) : outcome
    }
}
