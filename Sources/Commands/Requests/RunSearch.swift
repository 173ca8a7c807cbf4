public import JSON

/// Finding runs in what `GET /api/runs` answers.
public struct RunSearch: Sendable {
    /// Runs whose id, alias or trace id begins with what was asked for.
    public private(set) var found: [String] = []
    /// Where the next page begins; nil: there is none.
    public private(set) var next: String?
    private let beginning: String

    /// Shorter ones would find too much.
    public static let shortest = 4
    /// Pages of a thousand runs that are looked through.
    public static let pages = 20

    /// Nil where the text is too short for a beginning.
    public init?(_ beginning: String) {
        guard beginning.utf8.count >= Self.shortest else { return nil }
        self.beginning = beginning
    }

    public mutating func look(through answer: JSONValue) throws(UnexpectedAnswer) {
        guard let runs = answer["runs"]?.elements else { throw UnexpectedAnswer() }
        next = answer["next"]?.string
        for run in runs {
            guard let id = run["run_id"]?.string else { throw UnexpectedAnswer() }
            if ([id] + run.strings("aliases") + run.strings("trace_ids")).contains(where: { $0.hasPrefix(beginning) }) { found.append(id) }
        }
    }

    /// The latest run's id, from an answer with one run in it; nil where there is none.
    public static func latest(in answer: JSONValue) throws(UnexpectedAnswer) -> String? {
        guard let runs = answer["runs"]?.elements else { throw UnexpectedAnswer() }
        guard let first = runs.first else { return nil }
        guard let id = first["run_id"]?.string else { throw UnexpectedAnswer() }
        return id
    }
}
