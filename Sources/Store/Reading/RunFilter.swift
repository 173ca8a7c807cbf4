import Runs

/// A query's conditions, ready to be tested against rows without an allocation.
struct RunFilter {
    private let query: RunQuery
    private let agents: [[UInt8]]
    private let workspaces: [[UInt8]]
    private let models: [[UInt8]]
    private let providers: [[UInt8]]
    private let tools: [[UInt8]]
    private let words: [[UInt8]]
    private let now: UInt64
    private let times: (idle: UInt64, wait: UInt64?)

    init(_ query: RunQuery, now: UInt64, times: (idle: UInt64, wait: UInt64?)) {
        self.query = query
        self.now = now
        self.times = times
        agents = query.agents.map { Array($0.utf8) }
        workspaces = query.workspaces.map { Array($0.utf8) }
        models = query.models.map { Array($0.utf8) }
        providers = query.providers.map { Array($0.utf8) }
        tools = query.tools.map { Array($0.utf8) }
        words = query.text.split(whereSeparator: \.isWhitespace).map { $0.utf8.map(Self.lowered) }
    }

    func state(_ head: RunHead, _ stored: StoredState) -> RunState {
        head.state(stored, now: now, idle: times.idle, wait: times.wait)
    }

    /// - Parameter details: the run's texts (`RunDetails`).
    func accepts(_ head: RunHead, _ stored: StoredState, _ details: RawSpan) -> Bool {
        guard head.isListed else { return false }
        if let since = query.since, head.startedAt < since { return false }
        if let until = query.until, head.startedAt >= until { return false }
        if !query.statuses.isEmpty, !query.statuses.contains(head.isError ? .error : .ok) { return false }
        if !query.states.isEmpty, !query.states.contains(state(head, stored)) { return false }
        if let least = query.minCost {
            guard let cost = head.totals.cost, cost >= least else { return false }
        }
        func has(_ kind: RunDetails.Kind, _ wanted: [[UInt8]]) -> Bool {
            wanted.isEmpty || RunDetails.contains(kind, wanted, in: details)
        }
        guard has(.agent, agents), has(.workspace, workspaces), has(.provider, providers), has(.tool, tools) else { return false }
        if !models.isEmpty, !has(.model, models), !has(.responseModel, models) { return false }
        return words.allSatisfy { occurs($0, in: details) }
    }

    private func occurs(_ word: [UInt8], in details: RawSpan) -> Bool {
        var found = false
        RunDetails.forEach(in: details) { kind, text in
            switch kind {
            case .runID, .runName, .firstHop, .agent, .participant, .model, .responseModel, .provider, .tool, .alias:
                found = Self.contains(word, in: text)
            case .workspace, .conversation, .session: break
            }
            return !found
        }
        return found
    }

    private static func contains(_ word: [UInt8], in text: RawSpan) -> Bool {
        guard word.count <= text.byteCount else { return false }
        for start in 0...(text.byteCount - word.count) {
            var length = 0
            // Sound: start + length stays below the text's length.
            while length < word.count,
                lowered(unsafe text.unsafeLoad(fromUncheckedByteOffset: start + length, as: UInt8.self)) == word[length]
            {
                length += 1
            }
            if length == word.count { return true }
        }
        return false
    }

    private static func lowered(_ byte: UInt8) -> UInt8 {
        byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
    }
}
