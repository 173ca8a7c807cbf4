public import EventLoop
public import Synchronization
public import TLS

/// One loop's connections to one origin: those in use are known to whoever uses them, the idle ones wait here to be used again.
public final class UpstreamPool {
    public let origin: Origin
    public let proxy: Proxy?
    let tls: TLSContext?
    let loop: EventLoop
    let resolver: Resolver
    /// Another way to a connection than by the origin's name: a server of this process (`Socket.pair`).
    let local: (@Sendable () throws(SystemError) -> Int32)?
    private var isClosed = false
    private var idle: [(connection: HTTP1Connection, since: UInt64)] = []

    /// Counters for `/metrics`; written by the loop, read by any thread.
    public final class Counters: Sendable {
        public let idle = Atomic<Int>(0)
        public let connects = Atomic<UInt64>(0)
        public let failures = Atomic<UInt64>(0)
        /// The latest attempt failed.
        public let isFailing = Atomic<Bool>(false)
        private let last = Mutex<ConnectFailure?>(nil)
        public init() {}

        /// Why the last connection that could not be made could not.
        public var lastFailure: ConnectFailure? { last.withLock { $0 } }

        func connectFailed(_ failure: ConnectFailure) {
            last.withLock { $0 = failure }
            failures.add(1, ordering: .relaxed)
            isFailing.store(true, ordering: .relaxed)
        }

        func connected() {
            connects.add(1, ordering: .relaxed)
            isFailing.store(false, ordering: .relaxed)
        }
    }
    public let counters: Counters

    /// Servers close idle connections after a minute or more; ours go before that.
    public static let usualIdleNanoseconds: UInt64 = 50_000_000_000
    private let idleNanoseconds: UInt64
    private static let idleAtMost = 512

    /// - Parameters:
    ///   - tls: whom to believe, for `https` origins: a client's context.
    ///   - proxy: what the origin is reached through; nil: it is reached directly.
    ///   - local: where the origin is within this process, what makes a connection to it: a connected, non-blocking socket.
    ///   - idleNanoseconds: how long a connection is kept that nobody uses.
    public init(
        origin: Origin, tls: TLSContext? = nil, proxy: Proxy? = nil, local: (@Sendable () throws(SystemError) -> Int32)? = nil, loop: EventLoop,
        resolver: Resolver, counters: Counters = Counters(), idleNanoseconds: UInt64 = UpstreamPool.usualIdleNanoseconds
    ) {
        self.local = local
        self.idleNanoseconds = idleNanoseconds
        self.origin = origin
        self.tls = tls
        self.proxy = proxy
        self.loop = loop
        self.resolver = resolver
        self.counters = counters
    }

    /// An idle connection that still looks usable, the most recently used first; nil when there is none.
    public func takeIdle() -> HTTP1Connection? {
        while let last = idle.popLast() {
            counters.idle.subtract(1, ordering: .relaxed)
            if last.connection.stream.isIdleAndOpen() {
                last.connection.stream.socket.clearInterruption()
                return last.connection
            }
            last.connection.stream.close()
        }
        return nil
    }

    /// Keeps a connection for the next request. Its last answer has been read to the end and both sides keep it open.
    public func giveBack(_ connection: HTTP1Connection) {
        guard !isClosed, connection.input.isEmpty, !connection.isSpent, idle.count < Self.idleAtMost else {
            connection.stream.close()
            return
        }
        connection.input.releaseIfEmpty()
        idle.append((connection, loop.now))
        counters.idle.add(1, ordering: .relaxed)
    }

    /// Closes what has been idle too long. Called now and then by the loop's owner.
    public func evict() {
        let limit = loop.now > idleNanoseconds ? loop.now - idleNanoseconds : 0
        let before = idle.count
        idle.removeAll { entry in
            guard entry.since < limit || entry.connection.stream.socket.peerEnded else { return false }
            entry.connection.stream.close()
            return true
        }
        counters.idle.subtract(before - idle.count, ordering: .relaxed)
    }

    /// Closes what is idle, now and when it comes back: the pool is not used for new requests any more.
    public func closeAll() {
        isClosed = true
        for entry in idle { entry.connection.stream.close() }
        counters.idle.subtract(idle.count, ordering: .relaxed)
        idle.removeAll()
    }
}
