import EventLoop
import Gateway
import MCPHost
import Store
import Synchronization

/// What the operator of a running program is told of, in the log. Kept short: what every span says already is not repeated, and nothing of
/// any message is in it.
enum Notice: Equatable {
    case runNamesIgnored(wrongLength: UInt64, wrongCharacters: UInt64)
    /// A provider to which connections have begun to fail; the last reason in words, which say what to do.
    case unreachable(provider: String, failures: UInt64, reason: String)
    /// Connections are made again, after so many that were not.
    case reachable(provider: String, failures: UInt64)
    case handshakesFailed(UInt64)
    case foreignHosts(UInt64)
    /// Connections wait and cannot be taken.
    case acceptsFailed(UInt64, reason: String)
    /// Spans that no store and no exporter will ever have.
    case spansLost(UInt64, reason: String)
    /// Spans that were too old, or too many, before a destination had them.
    case spansRetired(UInt64, destination: String)
    case storeFails(reason: String)
    case storeWorks
    /// Of an MCP server that is a program.
    case mcpServer(HostNotice)
}

/// Looks, each time it is asked to, at what the program counts, and says what is new: of each kind one notice, with a number, however much
/// of it there was. Asked once a second, it makes a line a kind a second, and loops and store do not even know that there is a log.
struct Watch {
    private struct Provider {
        var failures: UInt64 = 0
        /// Failures before it was last told that all is well; nil while it is.
        var failuresWhenWell: UInt64?
    }

    private var counts: [String: UInt64] = [:]
    private var providers: [String: Provider] = [:]
    private var storeFails = false

    mutating func look(at program: Program) -> [Notice] {
        var notices = lookAtCallers(program.gateway)
        for upstream in program.gateway.counters.upstreams() { notices += look(at: upstream) }
        return notices + program.host.takeNotices().map { .mcpServer($0) } + look(at: program.store.health())
    }

    /// How much a count has grown since it was last looked at.
    private mutating func growth(_ name: String, _ count: UInt64) -> UInt64 {
        let before = counts.updateValue(count, forKey: name) ?? 0
        return count > before ? count - before : 0
    }

    private mutating func lookAtCallers(_ gateway: Gateway) -> [Notice] {
        let counters = gateway.counters
        var notices: [Notice] = []
        let wrongLength = growth("run name length", counters.runNamesOfWrongLength.load(ordering: .relaxed))
        let wrongCharacters = growth("run name characters", counters.runNamesOfWrongCharacters.load(ordering: .relaxed))
        if wrongLength + wrongCharacters > 0 { notices.append(.runNamesIgnored(wrongLength: wrongLength, wrongCharacters: wrongCharacters)) }
        let handshakes = growth("handshakes", counters.failedHandshakes.load(ordering: .relaxed))
        if handshakes > 0 { notices.append(.handshakesFailed(handshakes)) }
        let foreign = growth("foreign hosts", counters.foreignHosts.load(ordering: .relaxed))
        if foreign > 0 { notices.append(.foreignHosts(foreign)) }
        for loop in gateway.loops {
            let failed = growth("accept \(loop.name)", loop.health.failedAccepts.load(ordering: .relaxed))
            guard failed > 0 else { continue }
            let error = SystemError("accept", loop.health.lastAcceptError.load(ordering: .relaxed))
            notices.append(.acceptsFailed(failed, reason: error.description))
        }
        return notices
    }

    /// A provider is unreachable from the first look that sees failures on, and reachable again with the first that sees none, after a
    /// connection: one of which every other connection fails is told of once.
    mutating func look(at upstream: GatewayCounters.Upstream) -> [Notice] {
        var provider = providers[upstream.name] ?? Provider()
        defer { providers[upstream.name] = provider }
        let failures = upstream.failures - provider.failures
        let failuresBefore = provider.failures
        provider.failures = upstream.failures
        if failures > 0, provider.failuresWhenWell == nil {
            provider.failuresWhenWell = failuresBefore
            return [.unreachable(provider: upstream.name, failures: failures, reason: upstream.lastFailure ?? "")]
        }
        guard failures == 0, !upstream.isFailing, let before = provider.failuresWhenWell else { return [] }
        provider.failuresWhenWell = nil
        return [.reachable(provider: upstream.name, failures: upstream.failures - before)]
    }

    mutating func look(at store: StoreHealth) -> [Notice] {
        var notices: [Notice] = []
        if let failure = store.failure, !storeFails { notices.append(.storeFails(reason: "\(failure)")) }
        if store.failure == nil, storeFails { notices.append(.storeWorks) }
        storeFails = store.failure != nil
        for (reason, spans) in store.lost.sorted(by: { $0.key < $1.key }) {
            let lost = growth("lost \(reason)", spans)
            if lost > 0 { notices.append(.spansLost(lost, reason: reason)) }
        }
        for (destination, spans) in store.retiredUnexported.sorted(by: { $0.key < $1.key }) {
            let retired = growth("retired \(destination)", spans)
            if retired > 0 { notices.append(.spansRetired(retired, destination: destination)) }
        }
        return notices
    }
}

extension Log {
    func tell(_ notice: Notice) {
        switch notice {
        case .runNamesIgnored(let wrongLength, let wrongCharacters):
            warn("names of runs were ignored; a name has 1 to 128 visible ASCII characters", ["wrong_length": "\(wrongLength)", "wrong_characters": "\(wrongCharacters)"])
        case .unreachable(let provider, let failures, let reason):
            warn("a provider cannot be reached", ["provider": provider, "failures": "\(failures)", "reason": reason])
        case .reachable(let provider, let failures): info("a provider can be reached again", ["provider": provider, "failures": "\(failures)"])
        case .handshakesFailed(let count): warn("TLS handshakes of callers failed", ["count": "\(count)"])
        case .foreignHosts(let count): warn("requests from another site, or by a name that is not in gateway.hosts, were refused", ["count": "\(count)"])
        case .acceptsFailed(let count, let reason): error("connections wait and cannot be taken", ["count": "\(count)", "reason": reason])
        case .spansLost(let count, let reason): error("spans were lost", ["count": "\(count)", "reason": reason])
        case .spansRetired(let count, let destination):
            warn("spans were deleted before they were exported; see store.retention and store.max_size", ["count": "\(count)", "destination": destination])
        case .storeFails(let reason): error("the store cannot write; spans wait in memory", ["reason": reason])
        case .storeWorks: info("the store writes again")
        case .mcpServer(let notice): tell(notice)
        }
    }

    private func tell(_ notice: HostNotice) {
        switch notice {
        case .said(let server, let line): info("an MCP server wrote to its standard error", ["server": server, "line": line])
        case .leftOut(let server, let lines): warn("an MCP server wrote more to its standard error than is logged", ["server": server, "lines": "\(lines)"])
        case .started(let server, let process): info("an MCP server was started", ["server": server, "process": "\(process)"])
        case .ended(let server, let how, true): info("an MCP server has ended", ["server": server, "how": how])
        case .ended(let server, let how, false): warn("an MCP server has ended by itself", ["server": server, "how": how])
        case .notStarted(let server, let why): error("an MCP server could not be started", ["server": server, "reason": why])
        case .trouble(let server, let trouble, let count): warn(Self.words(trouble), ["server": server, "count": "\(count)"])
        }
    }

    private static func words(_ trouble: HostTrouble) -> String {
        switch trouble {
        case .junk: "an MCP server wrote lines to its standard output that are no messages; they were passed over"
        case .unknownAnswer: "an MCP server answered what nobody asked, or twice; the answers were passed over"
        case .tooLong: "an MCP server sent messages longer than gateway.max_body"
        case .slowClient: "clients did not read what an MCP server sent them; their requests were given up"
        case .unheard: "an MCP server sent messages that no client listened for; the oldest were dropped"
        }
    }
}
