internal import Glibc
private import Synchronization

/// Turns names into addresses on threads of its own (`resolve-N`), because getaddrinfo(3) blocks, and remembers them for a while.
///
/// Shared by all loops. What was found counts for `lifetime`; a failure for a second, so that a typo does not become a flood.
public final class Resolver: Sendable {
    public enum Failure: Error, Equatable, Sendable {
        /// The resolver's own code (`EAI_…`).
        case notFound(Int32)

        public var reason: String {
            switch self {
            case .notFound(let code): unsafe String(cString: gai_strerror(code))
            }
        }
    }

    private struct Entry {
        var result: Result<[SocketAddress], Failure>
        var expires: UInt64
    }

    private struct State {
        var known: [String: Entry] = [:]
        var waiting: [String: [Resumption<Result<[SocketAddress], Failure>>]] = [:]
        var queue: [String] = []
        var threads = 0
        var idle = 0
    }

    private let state = Mutex(State())
    private let lifetime: UInt64
    private let threadsAtMost: Int
    private let work = WorkSignal()

    public init(lifetimeSeconds: Int = 30, threadsAtMost: Int = 2) {
        lifetime = UInt64(lifetimeSeconds) * 1_000_000_000
        self.threadsAtMost = threadsAtMost
    }

    /// The addresses of a host, in the order the system prefers them, with the port set. Literal addresses are answered at once.
    public func addresses(of host: String, port: UInt16) async throws(Failure) -> [SocketAddress] {
        if let literal = SocketAddress(host, port: port) { return [literal] }
        let now = Clock.system.monotonic
        if let entry = state.withLock({ $0.known[host] }), entry.expires > now {
            return try entry.result.get().map { Self.with(port, $0) }
        }
        let result = await suspend { continuation in
            let needsThread = state.withLock { state -> Bool in
                state.waiting[host, default: []].append(continuation)
                if state.waiting[host]!.count == 1 { state.queue.append(host) }
                guard state.idle < state.queue.count, state.threads < threadsAtMost else { return false }
                state.threads += 1
                return true
            }
            if needsThread { startThread() }
            work.signal()
        }
        return try result.get().map { Self.with(port, $0) }
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
                let result = Self.lookUp(host)
                let waiting = state.withLock { state in
                    let kept = if case .success = result { lifetime } else { 1_000_000_000 as UInt64 }
                    if state.known.count > 1_000 { state.known.removeAll() }
                    state.known[host] = Entry(result: result, expires: Clock.system.monotonic + kept)
                    return state.waiting.removeValue(forKey: host) ?? []
                }
                for continuation in waiting { continuation.resume(returning: result) }
            }
        }
    }

    private static func lookUp(_ host: String) -> Result<[SocketAddress], Failure> {
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
