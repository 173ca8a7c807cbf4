import LLM
import Runs
import Store
import Tracing

extension RunQuery {
    /// Reads the filters of `GET /api/runs`.
    /// - Parameter now: Unix nanoseconds.
    init(_ parameters: inout Parameters, now: UInt64) {
        self.init()
        since = parameters.one("since", TimeParameter.expected) { TimeParameter.parse($0, now: now) }
        until = parameters.one("until", TimeParameter.expected) { TimeParameter.parse($0, now: now) }
        agents = parameters.names("agent")
        workspaces = parameters.names("workspace")
        models = parameters.names("model")
        // Also by the names paths and configurations use.
        providers = parameters.names("provider").flatMap { name in
            let known = LLM.Provider.named(name).map { "\($0.name)" }
            return [name] + (known == name ? [] : known.map { [$0] } ?? [])
        }
        tools = parameters.names("tool")
        statuses = parameters.many("status", Self.words(RunStatus.allCases.map(\.rawValue))) { RunStatus(rawValue: $0) }
        states = parameters.many("state", Self.words(RunState.allCases.map(\.rawValue))) { RunState(rawValue: $0) }
        parameters.notYet("finding")
        minCost = parameters.one("min_cost_usd", "an amount of US dollars such as 0.25") { text in
            USD(text).flatMap { $0 >= .zero ? $0 : nil }
        }
        text = parameters.one("q", "a text") { $0 } ?? ""
        let orders = RunOrder.allCases.map(\.rawValue)
        if let sort = parameters.one("sort", Self.words(orders) + ", with - before it for descending", Self.order) {
            (order, isDescending) = sort
        }
        limit = parameters.one("limit", "a whole number from 1 to 1000") { text in
            Int(text).flatMap { (1...1000).contains($0) && text.utf8.first != UInt8(ascii: "+") ? $0 : nil }
        } ?? limit
        after = parameters.one("cursor", "the next of an earlier answer") { RunCursor($0) }
        if let after, !after.fits(self) {
            parameters.refuse("cursor", "comes from a list in another order; leave sort as it was")
            self.after = nil
        }
    }

    private static func order(_ text: String) -> (RunOrder, isDescending: Bool)? {
        let isDescending = text.hasPrefix("-")
        return RunOrder(rawValue: isDescending ? String(text.dropFirst()) : text).map { ($0, isDescending) }
    }

    static func words(_ words: [String]) -> String { words.dropLast().joined(separator: ", ") + " or " + (words.last ?? "") }
}
