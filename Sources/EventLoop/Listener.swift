internal import CLinux
internal import Glibc

/// A bound, listening socket.
///
/// Every loop has its own on the same port (SO_REUSEPORT), so that the kernel spreads connections. Because that option would also
/// let a second gateway slip onto the port, `bind` first takes the port without it: whoever holds it makes that fail.
public struct ListeningSockets: Sendable {
    public let descriptors: [Int32]
    /// The address in force: with a port where 0 was asked for.
    public let address: SocketAddress

    /// - Throws: EADDRINUSE when anybody listens there already.
    public static func bind(to wanted: SocketAddress, count: Int) throws(SystemError) -> ListeningSockets {
        // The guard holds the port while the real ones are bound... but a guard without SO_REUSEPORT would refuse them as well, so it
        // only probes: bound exclusively, then closed.
        let probe = try open(wanted, shared: false)
        let address = SocketAddress(localOf: probe)
        close(probe)
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

    private static func open(_ address: SocketAddress, shared: Bool) throws(SystemError) -> Int32 {
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = try System.check("socket") { socket(address.family, type, 0) }
        var on: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        // A probe must not fail on connections of a gateway that has just ended; SO_REUSEADDR allows those and no listener.
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, size)
        if shared { unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &on, size) }
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
                return descriptor
            }
            switch errno {
            case EAGAIN:
                socket.sawWouldBlock(reading: true)
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
