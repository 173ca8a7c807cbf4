internal import CLinux
internal import Glibc
private import Synchronization

/// Turns names into addresses on threads of its own (`resolve-N`), because getaddrinfo(3) blocks, and remembers them for a while.
///
/// Shared by all loops. What was found counts for `lifetime`; a failure for a second, so that a typo does not become a flood.
public final class Resolver: Sendable {
    public enum Failure: Error, Equatable, Sendable {
        /// The resolver's own code (`EAI_…`).
        case notFound(Int32)
        case timedOut
        /// Nobody wants it any more.
        case interrupted(Interruption)

        public var reason: String {
            switch self {
            case .notFound(let code): unsafe String(cString: gai_strerror(code))
            case .timedOut: "no answer in time"
            case .interrupted: "given up"
            }
        }
    }

    /// What a look-up came to: addresses, without ports.
    typealias Found = Result<[SocketAddress], Failure>

    private struct Entry {
        var result: Found
        var expires: UInt64
    }

    private struct State {
        var known: [String: Entry] = [:]
        /// By host, for each look-up that waits or runs, those who wait for it; who gives up goes.
        var waiting: [String: [Waiter]] = [:]
        var queue: [String] = []
        var threads = 0
        var idle = 0
    }

    private let state = Mutex(State())
    private let lifetime: UInt64
    private let threadsAtMost: Int
    /// So many do as long as names are answered for.
    private static let usualThreads = 2
    public static let usualLifetimeSeconds = 30
    /// How long a name waits for a thread before there is another.
    private static let patience: UInt64 = 1_000_000_000
    private let work = WorkSignal()
    /// Monotonic nanoseconds, by which what is known grows old.
    private let now: @Sendable () -> UInt64
    private let lookUp: @Sendable (String) -> Result<[SocketAddress], Failure>

    /// - Parameter lookUp: how a name is looked up; it may block. Nil: by getaddrinfo(3).
    public convenience init(
        lifetimeSeconds: Int = Resolver.usualLifetimeSeconds, threadsAtMost: Int = 16, lookUp: (@Sendable (String) -> Result<[SocketAddress], Failure>)? = nil
    ) {
        self.init(lifetimeSeconds: lifetimeSeconds, threadsAtMost: threadsAtMost, now: { Clock.system.monotonic }, lookUp: lookUp)
    }

    init(
        lifetimeSeconds: Int = Resolver.usualLifetimeSeconds, threadsAtMost: Int = 16, now: @escaping @Sendable () -> UInt64,
        lookUp: (@Sendable (String) -> Result<[SocketAddress], Failure>)?
    ) {
        self.now = now
        lifetime = UInt64(lifetimeSeconds) * 1_000_000_000
        self.threadsAtMost = threadsAtMost
        self.lookUp = lookUp ?? Self.askSystem
    }

    /// The addresses of a host, in the order the system prefers them, with the port set. Literal addresses are answered at once. A
    /// look-up that is given up goes on for whoever asks next.
    /// - Parameters:
    ///   - loop: the caller's, on whose thread this is called.
    ///   - deadline: monotonic nanoseconds; `.max` for none.
    ///   - caller: whose leaving ends the wait.
    public func addresses(
        of host: String, port: UInt16, on loop: EventLoop, until deadline: UInt64, for caller: Socket?
    ) async throws(Failure) -> [SocketAddress] {
        if let literal = SocketAddress(host, port: port) { return [literal] }
        let now = now()
        if let entry = state.withLock({ $0.known[host] }), entry.expires > now {
            return try entry.result.get().map { Self.with(port, $0) }
        }
        return try await wait(for: host, on: loop, until: deadline, for: caller).map { Self.with(port, $0) }
    }

    /// Waits at a socket, as everything on a loop does: so it can be ended as everything can.
    private func wait(for host: String, on loop: EventLoop, until deadline: UInt64, for caller: Socket?) async throws(Failure) -> [SocketAddress] {
        let bell: Socket
        do {
            bell = try Socket(System.check("eventfd") { linux_eventfd() }, on: loop)
        } catch { throw .notFound(EAI_SYSTEM) }
        let waiter = Waiter(at: bell.descriptor)
        bell.sawWouldBlock(reading: true)
        let needsThread = state.withLock { state -> Bool in
            if state.waiting[host] == nil { state.queue.append(host) }
            state.waiting[host, default: []].append(waiter)
            guard state.idle < state.queue.count, state.threads < Self.usualThreads else { return false }
            state.threads += 1
            return true
        }
        if needsThread { startThread() }
        work.signal()

        caller?.onBehalf = bell
        defer {
            caller?.onBehalf = nil
            waiter.leave()
            bell.close()
        }
        var readiness = Readiness.timedOut
        repeat {
            readiness = await bell.waitToRead(until: min(deadline, loop.now + Self.patience))
            if let result = waiter.result { return try result.get() }
            if readiness == .timedOut { helpOut(host) }
        } while readiness == .timedOut && loop.now < deadline
        state.withLock { state in state.waiting[host]?.removeAll { $0 === waiter } }
        throw readiness == .timedOut ? .timedOut : .interrupted(bell.interruption ?? .callerGone)
    }

    /// Starts another thread for a name that none has taken up: all of them wait for names that nobody answers for.
    private func helpOut(_ host: String) {
        let needsThread = state.withLock { state -> Bool in
            guard state.queue.contains(host), state.idle < state.queue.count, state.threads < threadsAtMost else { return false }
            state.threads += 1
            return true
        }
        if needsThread { startThread() }
    }

    /// For tests: how many wait for a look-up of this name.
    func waiting(for host: String) -> Int { state.withLock { $0.waiting[host]?.count ?? 0 } }
    /// For tests: how many names are remembered.
    var known: Int { state.withLock { $0.known.count } }

    /// One who waits for a look-up, on whatever loop.
    final class Waiter: Sendable {
        private struct State {
            var found: Found?
            /// The eventfd(2) it waits at; nil once it has left.
            var descriptor: Int32?
        }
        private let state: Mutex<State>

        /// - Parameter descriptor: not taken over. It is nobody else's, because a duplicate would keep it in the loop's set beyond its closing.
        init(at descriptor: Int32) { state = Mutex(State(descriptor: descriptor)) }

        var result: Found? { state.withLock { $0.found } }

        func tell(_ result: Found) {
            state.withLock { state in
                state.found = result
                guard let descriptor = state.descriptor else { return }
                var one: UInt64 = 1
                _ = unsafe write(descriptor, &one, 8)
            }
        }

        /// Nobody waits any more: the descriptor may be closed.
        func leave() { state.withLock { $0.descriptor = nil } }
    }

    private static func with(_ port: UInt16, _ address: SocketAddress) -> SocketAddress {
        var address = address
        address.port = port
        return address
    }

    private func startThread() {
        let number = state.withLock { $0.threads }
        Thread.detach(named: "resolve-\(number)") { [self] in
            while true {
                let host = state.withLock { state -> String? in
                    guard state.queue.isEmpty else { return state.queue.removeFirst() }
                    state.idle += 1
                    return nil
                }
                guard let host else {
                    work.wait()
                    state.withLock { $0.idle -= 1 }
                    continue
                }
                let result = lookUp(host)
                let waiting = state.withLock { state in
                    let kept = if case .success = result { lifetime } else { 1_000_000_000 as UInt64 }
                    if state.known.count > 1_000 { state.known.removeAll() }
                    state.known[host] = Entry(result: result, expires: now() + kept)
                    return state.waiting.removeValue(forKey: host) ?? []
                }
                for waiter in waiting { waiter.tell(result) }
            }
        }
    }

    private static func askSystem(_ host: String) -> Result<[SocketAddress], Failure> {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = AI_ADDRCONFIG
        var found: UnsafeMutablePointer<addrinfo>? = nil
        let code = unsafe getaddrinfo(host, nil, &hints, &found)
        guard code == 0 else { return .failure(.notFound(code)) }
        defer { unsafe freeaddrinfo(found) }
        var addresses: [SocketAddress] = []
        var next = unsafe found
        while let entry = unsafe next {
            if let address = unsafe entry.pointee.ai_addr { unsafe addresses.append(SocketAddress(address, entry.pointee.ai_addrlen)) }
            unsafe next = entry.pointee.ai_next
        }
        return addresses.isEmpty ? .failure(.notFound(EAI_NONAME)) : .success(addresses)
    }
}
