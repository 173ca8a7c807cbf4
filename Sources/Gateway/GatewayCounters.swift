public import HTTP
public import Synchronization

/// What is no span's: what was refused before it was anybody's, and how upstreams are reached. Written by all loops, read by whoever
/// shows it or tells the operator of it. A loop itself writes no log: it would put words together, and wait for whoever takes them.
public final class GatewayCounters: Sendable {
    public let malformedHeads = Atomic<UInt64>(0)
    public let unknownPaths = Atomic<UInt64>(0)
    /// TLS on the listener: out of time, no TLS at all, or no certificate that it takes.
    public let failedHandshakes = Atomic<UInt64>(0)
    /// Requests that would have used a credential of ours, from another site or by a name that is not ours.
    public let foreignHosts = Atomic<UInt64>(0)
    /// Names for runs that are none: empty or of more than 128 characters.
    public let runNamesOfWrongLength = Atomic<UInt64>(0)
    /// The same: with other characters than visible ASCII.
    public let runNamesOfWrongCharacters = Atomic<UInt64>(0)
    private let pools = Mutex<[String: UpstreamPool.Counters]>([:])

    public init() {}

    /// The counters of one provider's connections, over all loops.
    func upstream(_ name: String) -> UpstreamPool.Counters {
        pools.withLock { pools in
            if let known = pools[name] { return known }
            let made = UpstreamPool.Counters()
            pools[name] = made
            return made
        }
    }

    /// How one provider is reached.
    public struct Upstream: Sendable {
        public var name: String
        public var idle: Int
        /// Connections made and not made since the start.
        public var connects: UInt64
        public var failures: UInt64
        /// The latest attempt failed.
        public var isFailing: Bool
        /// What was wrong the last time, and what to do; nil where nothing ever was. No byte of anybody's message.
        public var lastFailure: String?
    }

    /// All providers that have been asked for, by name.
    public func upstreams() -> [Upstream] {
        pools.withLock { pools in
            pools.map { name, counters in
                Upstream(
                    name: name, idle: counters.idle.load(ordering: .relaxed), connects: counters.connects.load(ordering: .relaxed),
                    failures: counters.failures.load(ordering: .relaxed), isFailing: counters.isFailing.load(ordering: .relaxed),
                    lastFailure: counters.lastFailure.map { GatewayError.message($0, name) })
            }
        }.sorted { $0.name < $1.name }
    }
}
