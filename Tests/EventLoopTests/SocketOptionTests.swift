import Peers
import EventLoop
import Glibc
import Testing

@Suite struct `A connection whose peer has vanished` {
    /// What it takes until that shows, in the socket's options: seconds without a word, seconds between probes, probes.
    private func isWatched(_ descriptor: Int32) -> Bool {
        func option(_ level: Int32, _ name: Int32) -> Int32 {
            var value: Int32 = -1
            var length = socklen_t(MemoryLayout<Int32>.size)
            unsafe getsockopt(descriptor, level, name, &value, &length)
            return value
        }
        let tcp = Int32(IPPROTO_TCP)
        return option(SOL_SOCKET, SO_KEEPALIVE) == 1 && option(tcp, TCP_KEEPIDLE) == 60 && option(tcp, TCP_KEEPINTVL) == 15 && option(tcp, TCP_KEEPCNT) == 4
    }

    @Test func `is found out, on either side of it`() async throws {
        try await onLoop { loop in
            let sockets = try ListeningSockets.bind(to: #require(SocketAddress("127.0.0.1", port: 0)), count: 1)
            let listener = try Listener(sockets.descriptors[0], on: loop)
            let connected = try await Socket.connect(to: sockets.address, on: loop, until: .max)
            let accepted = try #require(await listener.accept())
            #expect(isWatched(connected.descriptor))
            #expect(isWatched(accepted))
            close(accepted)
            connected.close()
            listener.close()
        }
    }
}
