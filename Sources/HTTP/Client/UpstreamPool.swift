public import EventLoop
public import Synchronization

/// Why no connection to an upstream could be had.
public enum ConnectFailure: Error, Equatable, Sendable {
    /// The name has no address.
    case name(String)
    /// Refused, unreachable: the errno of the last address tried.
    case refused(Int32)
    case timedOut
    case callerGone
    case shutdown
}

/// One loop's connections to one origin: those in use are known to whoever uses them, the idle ones wait here to be used again.
public final class UpstreamPool {
    public let origin: Origin
    private let loop: EventLoop
    private let resolver: Resolver
    private var idle: [(connection: HTTP1Connection, since: UInt64)] = []

    /// Counters for `/metrics`; written by the loop, read by any thread.
    public final class Counters: Sendable {
        public let idle = Atomic<Int>(0)
        public let connects = Atomic<UInt64>(0)
        public let failures = Atomic<UInt64>(0)
        public init() {}
    }
    public let counters: Counters

    /// Servers close idle connections after a minute or more; ours go before that.
    public static let idleNanoseconds: UInt64 = 50_000_000_000
    private static let idleAtMost = 512

    public init(origin: Origin, loop: EventLoop, resolver: Resolver, counters: Counters = Counters()) {
        self.origin = origin
        self.loop = loop
        self.resolver = resolver
        self.counters = counters
    }

    /// An idle connection that still looks usable, the most recently used first; nil when there is none.
    public func takeIdle() -> HTTP1Connection? {
        while let last = idle.popLast() {
            counters.idle.subtract(1, ordering: .relaxed)
            if last.connection.stream.socket.isIdleAndOpen() {
                last.connection.stream.socket.clearInterruption()
                return last.connection
            }
            last.connection.stream.close()
        }
        return nil
    }

    /// Opens a new connection, trying the host's addresses in turn.
    /// - Parameters:
    ///   - timeout: nanoseconds for all of it, name look-up not counted.
    ///   - caller: whose leaving ends the attempt.
    public func connect(timeout: UInt64, for caller: Socket?) async throws(ConnectFailure) -> HTTP1Connection {
        let addresses: [SocketAddress]
        do { addresses = try await resolver.addresses(of: origin.host, port: origin.port) } catch {
            counters.failures.add(1, ordering: .relaxed)
            throw .name(error.reason)
        }
        if let caller, caller.peerHasGone() { throw .callerGone }
        let deadline = timeout == .max ? .max : loop.now + timeout
        var last = ConnectFailure.refused(0)
        for address in addresses {
            do {
                let socket = try await Socket.connect(to: address, on: loop, until: deadline, for: caller)
                counters.connects.add(1, ordering: .relaxed)
                return HTTP1Connection(ByteStream(socket), pool: loop.buffers)
            } catch {
                switch error {
                case .failed(let code): last = .refused(code)
                case .timedOut: last = .timedOut
                case .interrupted: throw .callerGone
                }
            }
            if last == .timedOut { break }
        }
        counters.failures.add(1, ordering: .relaxed)
        throw last
    }

    /// Keeps a connection for the next request. Its last answer has been read to the end and both sides keep it open.
    public func giveBack(_ connection: HTTP1Connection) {
        guard connection.input.isEmpty, idle.count < Self.idleAtMost else {
            connection.stream.close()
            return
        }
        connection.input.releaseIfEmpty()
        idle.append((connection, loop.now))
        counters.idle.add(1, ordering: .relaxed)
    }

    /// Closes what has been idle too long. Called now and then by the loop's owner.
    public func evict() {
        let limit = loop.now > Self.idleNanoseconds ? loop.now - Self.idleNanoseconds : 0
        let expired = idle.prefix { $0.since < limit || $0.connection.stream.socket.peerEnded }
        for entry in expired { entry.connection.stream.close() }
        counters.idle.subtract(expired.count, ordering: .relaxed)
        idle.removeFirst(expired.count)
    }

    public func closeAll() {
        for entry in idle { entry.connection.stream.close() }
        counters.idle.subtract(idle.count, ordering: .relaxed)
        idle.removeAll()
    }
}
