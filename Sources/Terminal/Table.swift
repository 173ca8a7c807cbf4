/// Rows in aligned columns.
///
/// Where the lines are to fit a width and do not, columns that may go are left out first, the highest `dropRank` first, until those
/// that may be cut have a good width; then these are, the widest first, down to their least width. A table that still does not fit is
/// wider than asked for: figures are never cut.
public struct Table: Sendable {
    public struct Column: Sendable {
        public enum Alignment: Sendable { case left, right }

        var title: String
        var alignment: Alignment
        /// The columns of it that must stay when it is cut; nil: it is never cut.
        var leastWidth: Int?
        /// The columns of it for which others are left out.
        var goodWidth: Int?
        /// Left out in a narrow place, the highest first; nil: never.
        var dropRank: Int?

        public init(_ title: String, _ alignment: Alignment = .left, leastWidth: Int? = nil, goodWidth: Int? = nil, dropRank: Int? = nil) {
            self.title = title
            self.alignment = alignment
            self.leastWidth = leastWidth
            self.goodWidth = goodWidth ?? leastWidth
            self.dropRank = dropRank
        }
    }

    private let columns: [Column]
    private var rows: [[Styled]] = []
    private static let gap = 2

    public init(_ columns: [Column]) { self.columns = columns }

    /// Adds a row; cells that are missing at its end are empty.
    public mutating func add(_ cells: [Styled]) {
        precondition(cells.count <= columns.count)
        rows.append(cells + Array(repeating: Styled(""), count: columns.count - cells.count))
    }

    /// A column that is empty in every row is not shown at all.
    public func lines(width: Int?, inColor: Bool) -> [String] {
        var widths = columns.indices.map { column in rows.map { $0[column].width }.max() ?? 0 }
        var shown = columns.indices.filter { rows.isEmpty || widths[$0] > 0 }
        for column in columns.indices { widths[column] = max(widths[column], TextWidth.columns(columns[column].title)) }
        if let width { fit(&shown, &widths, width) }

        let titles = columns.map { Styled($0.title, .dim) }
        return ([titles] + rows).map { row in
            var line = ""
            var blanks = 0
            for column in shown {
                let cell = row[column].cut(to: widths[column])
                let free = widths[column] - cell.width
                blanks += columns[column].alignment == .right ? free : 0
                if !cell.isEmpty {
                    line += String(repeating: " ", count: blanks) + cell.shown(inColor: inColor)
                    blanks = 0
                }
                blanks += (columns[column].alignment == .left ? free : 0) + Self.gap
            }
            return line
        }
    }

    private func fit(_ shown: inout [Int], _ widths: inout [Int], _ width: Int) {
        func bound(_ column: Int, _ bound: Int?) -> Int { bound.map { min(max($0, TextWidth.columns(columns[column].title)), widths[column]) } ?? widths[column] }
        func least(_ column: Int) -> Int { bound(column, columns[column].leastWidth) }
        func good(_ column: Int) -> Int { bound(column, columns[column].goodWidth) }
        func total(_ count: (Int) -> Int) -> Int { shown.reduce(0) { $0 + count($1) } + Self.gap * (shown.count - 1) }

        while total(good) > width, let dropped = shown.filter({ columns[$0].dropRank != nil }).max(by: { columns[$0].dropRank! < columns[$1].dropRank! }) {
            shown.removeAll { $0 == dropped }
        }
        while total({ widths[$0] }) > width, let widest = shown.filter({ widths[$0] > least($0) }).max(by: { widths[$0] < widths[$1] }) {
            widths[widest] -= 1
        }
    }
}
