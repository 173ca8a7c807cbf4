internal import Synchronization

/// What the operator is told of hosted servers. Nothing of any message is in it; what a server writes to its standard error is.
public enum HostNotice: Sendable, Hashable {
    /// A line on a server's standard error.
    case said(server: String, line: String)
    /// Lines that were left out, because there were too many at once.
    case leftOut(server: String, lines: Int)
    case started(server: String, process: Int32)
    /// A server's process is over; how it ended, as the end of a sentence. `asked`: it was meant to.
    case ended(server: String, how: String, asked: Bool)
    /// It could not be started.
    case notStarted(server: String, why: String)
    case trouble(server: String, HostTrouble, count: Int)
}

/// What a server, or a client of it, does that it should not.
public enum HostTrouble: Sendable, Hashable, CaseIterable {
    /// Lines on standard output that are no messages.
    case junk
    /// Answers to no request, or a second one.
    case unknownAnswer
    /// Messages longer than is taken.
    case tooLong
    /// Clients that did not read what they had asked for.
    case slowClient
    /// Messages that nobody listened for.
    case unheard
}

/// Where the host's loop leaves what is to be logged, until somebody comes for it. Any thread. Bounded: a server that writes without end
/// has its lines counted.
final class NoticeBoard: Sendable {
    private struct State {
        var notices: [HostNotice] = []
        var lines: [String: Int] = [:]
        var leftOut: [String: Int] = [:]
        var troubles: [String: [HostTrouble: Int]] = [:]
    }

    private let state = Mutex(State())

    /// Lines of one server between two looks.
    private static let linesAtMost = 100
    /// Starts and ends between two looks, of all servers.
    private static let eventsAtMost = 400
    /// Bytes kept of a line.
    static let lineLimit = 2_000

    func said(_ line: [UInt8], _ server: String) {
        state.withLock { state in
            guard state.lines[server, default: 0] < Self.linesAtMost else { return state.leftOut[server, default: 0] += 1 }
            state.lines[server, default: 0] += 1
            state.notices.append(.said(server: server, line: String(decoding: line.prefix(Self.lineLimit), as: UTF8.self)))
        }
    }

    func note(_ notice: HostNotice) {
        state.withLock { if $0.notices.count < Self.eventsAtMost { $0.notices.append(notice) } }
    }

    func note(_ trouble: HostTrouble, _ server: String) {
        state.withLock { $0.troubles[server, default: [:]][trouble, default: 0] += 1 }
    }

    /// All there is, once.
    func take() -> [HostNotice] {
        let taken = state.withLock { state in
            let taken = state
            state = State()
            return taken
        }
        var notices = taken.notices
        for (server, count) in taken.leftOut.sorted(by: { $0.key < $1.key }) { notices.append(.leftOut(server: server, lines: count)) }
        for (server, troubles) in taken.troubles.sorted(by: { $0.key < $1.key }) {
            for trouble in HostTrouble.allCases { if let count = troubles[trouble] { notices.append(.trouble(server: server, trouble, count: count)) } }
        }
        return notices
    }
}
