import Peers
import EventLoop
import Foundation
import Synchronization
import Testing

@Suite struct `A listener` {
    @Test func `goes on after an error of the network`() async throws {
        let loop = try EventLoop(name: "test")
        loop.start()
        // accept(2) on a socket of this kind fails with EOPNOTSUPP: one of the errors that have nothing to do with the listener's end.
        let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        #expect(await Accepting(loop: loop).endsOnlyWhenClosed(descriptor))
        loop.stop()
        loop.join()
    }

    @Test func `lets others have a turn while connections wait in a crowd`() async throws {
        try await onLoop { loop in
            let sockets = try ListeningSockets.bind(to: #require(SocketAddress("127.0.0.1", port: 0)), count: 1)
            let listener = try Listener(sockets.descriptors[0], on: loop)
            var callers: [Socket] = []
            for _ in 0..<200 { callers.append(try await Socket.connect(to: sockets.address, on: loop, until: .max)) }
            let before = loop.health.turns.load(ordering: .relaxed)
            for _ in callers { close(try #require(await listener.accept())) }
            #expect(loop.health.turns.load(ordering: .relaxed) - before >= 3)
            for caller in callers { caller.close() }
            listener.close()
        }
    }

    @Test func `shares its port with no other, however close together they begin`() async throws {
        let free = try ListeningSockets.bind(to: #require(SocketAddress("127.0.0.1", port: 0)), count: 1)
        for descriptor in free.descriptors { close(descriptor) }
        for _ in 0..<50 {
            let bound = Mutex<[ListeningSockets]>([])
            let address = free.address
            DispatchQueue.concurrentPerform(iterations: 8) { _ in
                if let sockets = try? ListeningSockets.bind(to: address, count: 64) { bound.withLock { $0.append(sockets) } }
            }
            let count = bound.withLock { $0.count }
            for sockets in bound.withLock({ $0 }) { for descriptor in sockets.descriptors { close(descriptor) } }
            #expect(count == 1)
            if count != 1 { break }
        }
    }
}

private actor Accepting {
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }
    private var listener: Listener?
    private var isClosed = false

    init(loop: EventLoop) { self.loop = loop }

    func endsOnlyWhenClosed(_ descriptor: Int32) async -> Bool {
        guard let listener = try? Listener(descriptor, on: loop) else { return false }
        self.listener = listener
        Task(executorPreference: loop) { await self.close() }
        let accepted = await listener.accept()
        return accepted == nil && isClosed
    }

    private func close() async {
        await loop.sleep(nanoseconds: 20_000_000)
        isClosed = true
        listener?.close()
    }
}
