public import JSON
public import Terminal
import Tracing

/// `hopspan cost`: spend across runs.
public enum CostTable {
    /// - Parameters:
    ///   - json: what `GET /api/cost` answered.
    ///   - keys: what it was added up by: `["day", "model"]`.
    public static func lines(_ json: JSONValue, by keys: [String], on screen: Screen) throws(UnexpectedAnswer) -> [String] {
        guard let elements = json["rows"]?.elements else { throw UnexpectedAnswer() }
        let total = json.usd("total_usd")
        guard !elements.isEmpty else { return ["no calls"] }

        var table = Table(
            keys.map { .init($0.uppercased(), leastWidth: 12) } + [
                .init("CALLS", .right), .init("IN", .right, dropRank: 1), .init("OUT", .right, dropRank: 1), .init("COST $", .right), .init("SHARE", .right, dropRank: 2),
            ])
        let amounts = elements.map { $0.usd("cost_usd") }
        let costs = Amounts.money(amounts + [total])
        for (index, row) in elements.enumerated() {
            let tokens = Run.Tokens(row["tokens"])
            table.add(
                self.keys(row["key"], count: keys.count) + [
                    Styled(row["calls"]?.int.map { Amounts.count($0) } ?? ""),
                    Styled(tokens.map { Amounts.count($0.input) } ?? ""),
                    Styled(tokens.map { Amounts.count($0.output) } ?? ""),
                    costs[index].map { Styled($0) } ?? Styled("unknown", .yellow),
                    Styled(amounts[index].flatMap { part in total.map { Amounts.share(part, of: $0) } } ?? "", .dim),
                ])
        }
        let blanks = [Styled](repeating: "", count: keys.count - 1 + 3)
        table.add([Styled("total", .bold)] + blanks + [costs[elements.count].map { Styled($0, .bold) } ?? Styled("unknown", .yellow)])

        var lines = table.lines(width: screen.width, inColor: screen.hasColor)
        if let unpriced = json["unpriced_hops"]?.int, unpriced > 0 {
            let note = "\(Amounts.count(unpriced, "hop")) without a price, not in the sum: hopspan help prices"
            lines += ["", Styled(note, .yellow).shown(inColor: screen.hasColor)]
        }
        return lines
    }

    /// A string, or an array of them where there are two keys; null where a hop has no such thing.
    private static func keys(_ json: JSONValue?, count: Int) -> [Styled] {
        let texts = json?.elements.map { $0.map { $0.string } } ?? [json?.string]
        return (0..<count).map { index in
            texts.indices.contains(index) ? texts[index].map { Styled($0) } ?? Styled("none", .dim) : ""
        }
    }
}
