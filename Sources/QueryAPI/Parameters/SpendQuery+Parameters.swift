import Store

extension SpendQuery {
    /// Reads the parameters of `GET /api/cost`; by day where nothing is said.
    /// - Parameter now: Unix nanoseconds.
    init(_ parameters: inout Parameters, now: UInt64) {
        let keys = RunQuery.words(SpendKey.allCases.map(\.rawValue))
        self.init(by: parameters.one("by", "one or two, with a comma between them, of \(keys)", Self.keys) ?? [.day])
        since = parameters.one("since", TimeParameter.expected) { TimeParameter.parse($0, now: now) }
        until = parameters.one("until", TimeParameter.expected) { TimeParameter.parse($0, now: now) }
    }

    private static func keys(_ text: String) -> [SpendKey]? {
        let words = text.split(separator: ",", omittingEmptySubsequences: false)
        let keys = words.compactMap { SpendKey(rawValue: String($0)) }
        guard keys.count == words.count, (1...2).contains(keys.count), Set(keys).count == keys.count else { return nil }
        return keys
    }
}
