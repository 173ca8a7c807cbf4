private import Foundation
internal import Glibc
private import Synchronization
public import TLS

/// A listener on a free port of 127.0.0.1 that hands each connection to a function, on a thread of its own. With TLS the handshake has
/// been made. A connection is closed when its function is done with it; what the function throws ends it as well.
public final class PeerServer: Sendable {
    public let port: UInt16
    private let descriptor: Int32
    private let isStopped = Atomic<Bool>(false)
    private let connections = Atomic<Int>(0)
    private let handshakes = Atomic<Int>(0)

    /// - Parameter backlog: connections that wait to be accepted; the function nil: nobody accepts.
    public init(tls: TLSContext? = nil, backlog: Int32 = 64, _ serve: (@Sendable (Peer) throws -> Void)?) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        var address = loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let listens = unsafe withUnsafeMutablePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(descriptor, $0, length) == 0 && listen(descriptor, backlog) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        port = UInt16(bigEndian: address.sin_port)
        guard listens else { throw PeerFailed("no port of 127.0.0.1 is free") }
        guard let serve else { return }
        Thread.detachNewThread { [weak self] in
            defer { close(descriptor) }
            while true {
                var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                _ = unsafe poll(&entry, 1, 20)
                guard let self, !isStopped.load(ordering: .acquiring) else { return }
                let accepted = accept(descriptor, nil, nil)
                guard accepted >= 0 else { continue }
                connections.add(1, ordering: .sequentiallyConsistent)
                Thread.detachNewThread { self.serve(Peer(accepted), tls, serve) }
            }
        }
    }

    private func serve(_ peer: Peer, _ tls: TLSContext?, _ serve: (Peer) throws -> Void) {
        do {
            if let tls { try peer.startTLS(tls) }
            handshakes.add(1, ordering: .sequentiallyConsistent)
            try serve(peer)
        } catch {}
        peer.close()
    }

    /// Connections accepted so far.
    public var accepted: Int { connections.load(ordering: .sequentiallyConsistent) }
    /// Of those, whose handshake went well; all of them without TLS.
    public var shakenHands: Int { handshakes.load(ordering: .sequentiallyConsistent) }

    /// Nobody listens from now on; who is connected stays so.
    public func stop() {
        shutdown(descriptor, Int32(SHUT_RDWR))
        isStopped.store(true, ordering: .releasing)
    }
}
