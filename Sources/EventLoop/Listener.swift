internal import CLinux
internal import Glibc

/// A bound, listening socket.
///
/// Every loop has its own on the same port (SO_REUSEPORT), so that the kernel spreads connections. Because that option would also
/// let a second gateway slip onto the port, `bind` first takes the port without it: whoever holds it makes that fail. And because two that
/// begin at the same moment could both find it free, only one of them looks at a time.
public struct ListeningSockets: Sendable {
    public let descriptors: [Int32]
    /// The address in force: with a port where 0 was asked for.
    public let address: SocketAddress

    /// - Throws: EADDRINUSE when anybody listens there already.
    public static func bind(to wanted: SocketAddress, count: Int) throws(SystemError) -> ListeningSockets {
        guard wanted.port == 0 else { return try bindAlone(to: wanted, count) }
        // What the kernel gives may have gone to somebody else by the time it is shared.
        var last = SystemError("bind", EADDRINUSE)
        for _ in 0..<16 {
            let address = try probe(wanted)
            do { return try bindAlone(to: address, count) } catch { last = error }
            guard last.code == EADDRINUSE else { break }
        }
        throw last
    }

    private static func bindAlone(to address: SocketAddress, _ count: Int) throws(SystemError) -> ListeningSockets {
        let claim = try claim(address.port)
        defer { if let claim { close(claim) } }
        _ = try probe(address)
        var descriptors: [Int32] = []
        do {
            for _ in 0..<count { descriptors.append(try open(address, shared: true)) }
            for descriptor in descriptors { _ = try System.check("listen") { listen(descriptor, 4096) } }
        } catch {
            for descriptor in descriptors { close(descriptor) }
            throw error
        }
        return ListeningSockets(descriptors: descriptors, address: address)
    }

    /// Takes the address for itself, and lets go of it again: a guard that stayed would refuse the real ones as well.
    private static func probe(_ address: SocketAddress) throws(SystemError) -> SocketAddress {
        let descriptor = try open(address, shared: false)
        defer { close(descriptor) }
        return SocketAddress(localOf: descriptor)
    }

    /// Waits until nobody else is between the probe of this port and its listening sockets: one program at a time has the abstract Unix
    /// socket (unix(7)) named after it, in the network namespace that the port is of, too.
    /// - Returns: what is closed when all listen; nil where there are no such sockets.
    private static func claim(_ port: UInt16) throws(SystemError) -> Int32? {
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        let address = SocketAddress(abstract: "hopspan listens on \(port)")
        // It is held for milliseconds.
        for _ in 0..<500 {
            if unsafe address.withPointer({ unsafe Glibc.bind(descriptor, $0, $1) }) == 0 { return descriptor }
            guard errno == EADDRINUSE else { break }
            usleep(10_000)
        }
        let code = errno
        close(descriptor)
        guard code == EADDRINUSE else { return nil }
        throw SystemError("bind", code)
    }

    private static func open(_ address: SocketAddress, shared: Bool) throws(SystemError) -> Int32 {
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = try System.check("socket") { socket(address.family, type, 0) }
        var on: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        // A probe must not fail on connections of a gateway that has just ended; SO_REUSEADDR allows those and no listener.
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, size)
        if shared {
            unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &on, size)
            Socket.setKeepAlive(descriptor)
        }
        if address.family == AF_INET6 { unsafe setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &on, size) }
        do {
            _ = try System.check("bind") { unsafe address.withPointer { unsafe Glibc.bind(descriptor, $0, $1) } }
        } catch {
            close(descriptor)
            throw error
        }
        return descriptor
    }
}

/// One loop's share of the listening sockets.
public final class Listener {
    private let socket: Socket
    /// Connections taken since others had a turn.
    private var taken = 0
    private static let takenInTurn = 64

    /// Takes the descriptor over. On the loop's thread.
    public init(_ descriptor: Int32, on loop: EventLoop) throws(SystemError) {
        socket = try Socket(descriptor, on: loop)
    }

    /// The next connection's descriptor, non-blocking; nil when the listener has been closed. Out of descriptors, or where the network
    /// or a packet filter is in the way (accept(2) names many), it waits a little: connections stay in the kernel's queue.
    public func accept() async -> Int32? {
        while true {
            let descriptor = linux_accept(socket.descriptor, nil, nil)
            if descriptor >= 0 {
                Socket.setNoDelay(descriptor)
                taken += 1
                if taken == Self.takenInTurn {
                    taken = 0
                    await unsafe socket.loop.yield()
                }
                return descriptor
            }
            switch errno {
            case EAGAIN:
                socket.sawWouldBlock(reading: true)
                taken = 0
                guard await socket.waitToRead() == .ready else { return nil }
            case EINTR, ECONNABORTED, EPROTO: continue
            case EBADF, EINVAL: return nil
            case let code:
                unsafe socket.loop.health.acceptFailed(code)
                await unsafe socket.loop.sleep(nanoseconds: 50_000_000)
                if socket.interruption != nil { return nil }
            }
        }
    }

    /// Stops listening; `accept` returns nil.
    public func close() { socket.close() }
}
