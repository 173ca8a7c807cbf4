import Peers
@testable import EventLoop
import Glibc
import Synchronization
import Testing

@Suite struct `An event loop` {
    @Test func `resumes a suspended task in one job on its own thread`() throws {
        let result = try EventLoop.selfTest(suspensions: 1_000)
        #expect(result.foreignJobs <= 1)
        #expect(result.jobs >= 1_000)
        #expect(result.jobs <= 1_008)
    }

    @Test func `takes another turn before it goes on with a task that yields, and does not leave its thread for it`() async throws {
        let loop = try EventLoop(name: "test")
        loop.start()
        let (turns, foreign) = await withTaskExecutorPreference(loop) { await Yielding(loop: loop).yields(100) }
        #expect(turns >= 100)
        #expect(foreign == 0)
        loop.stop()
        loop.join()
    }

    @Test func `that is stuck in a turn is not waited for longer than is asked`() throws {
        let loop = try EventLoop(name: "test")
        loop.start()
        let (held, release) = (WorkSignal(), WorkSignal())
        Task(executorPreference: loop) {
            held.signal()
            release.wait()
        }
        held.wait()
        loop.stop()
        #expect(!loop.join(within: 1_000_000))
        release.signal()
        #expect(loop.join(within: 60_000_000_000))
    }

    /// Each of these takes a turn's time for what has come.
    @Test func `moves bytes itself only as long as a turn may last, and leaves the rest to the tasks`() async throws {
        let count = 24
        let moved = try await onLoop { loop in
            var pairs: [(Int32, Socket)] = []
            for _ in 0..<count {
                var ends: [Int32] = [0, 0]
                #expect(unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0, &ends) == 0)
                pairs.append((ends[0], try Socket(ends[1], on: loop)))
            }
            let moving = Moving(loop: loop)
            for (_, socket) in pairs {
                socket.sawWouldBlock(reading: true)
                socket.onReadable = { moving.move() }
            }
            let sockets = pairs.map(\.1)
            nonisolated(unsafe) let shared = sockets
            for index in 0..<count {
                Task(executorPreference: loop) { await moving.wait(for: unsafe shared[index]) }
            }
            // They wait.
            while moving.waiting < count { await loop.yield() }
            // All of it comes at once.
            for (other, _) in pairs { _ = unsafe write(other, "x", 1) }
            while moving.resumed < count { await loop.yield() }
            for (other, socket) in pairs {
                close(other)
                socket.onReadable = nil
                socket.close()
            }
            return (moving.moved, moving.inOneTurn)
        }
        #expect(moved.1 <= 4)
        #expect(moved.0 < count)
    }
}

private actor Yielding {
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }

    init(loop: EventLoop) { self.loop = loop }

    /// Turns taken, and jobs that came from elsewhere, meanwhile.
    func yields(_ count: Int) async -> (turns: UInt64, foreignJobs: UInt64) {
        let turns = loop.health.turns.load(ordering: .relaxed)
        let foreign = loop.health.foreignJobs.load(ordering: .relaxed)
        for _ in 0..<count { await loop.yield() }
        return (loop.health.turns.load(ordering: .relaxed) - turns, loop.health.foreignJobs.load(ordering: .relaxed) - foreign)
    }
}

/// Moves bytes, slowly. Confined to its loop.
private final class Moving: @unchecked Sendable {
    private let loop: EventLoop
    private(set) var moved = 0
    /// The most that moved between two turns.
    private(set) var inOneTurn = 0
    private(set) var waiting = 0
    private(set) var resumed = 0
    private var turn: UInt64 = 0
    private var inThisTurn = 0

    init(loop: EventLoop) { self.loop = loop }

    /// Takes two milliseconds; the task is to be woken.
    func move() -> Bool {
        moved += 1
        let now = loop.health.turns.load(ordering: .relaxed)
        inThisTurn = now == turn ? inThisTurn + 1 : 1
        turn = now
        inOneTurn = max(inOneTurn, inThisTurn)
        let end = Clock.system.monotonic + 2_000_000
        while Clock.system.monotonic <= end {}
        return true
    }

    func wait(for socket: Socket) async {
        waiting += 1
        #expect(await socket.waitToRead() == .ready)
        resumed += 1
    }
}

@Suite struct `A loop's longest turn` {
    private static let second: UInt64 = 1_000_000_000

    @Test func `is told to everybody who asks, for half a minute at least and a minute at most`() {
        let health = LoopHealth()
        health.turnEnded(jobs: 1, nanoseconds: 7, at: 100 * Self.second)
        health.turnEnded(jobs: 1, nanoseconds: 5, at: 101 * Self.second)
        for _ in 0..<3 { #expect(health.longestTurn(at: 101 * Self.second) == 7) }
        health.turnEnded(jobs: 1, nanoseconds: 3, at: 129 * Self.second)
        #expect(health.longestTurn(at: 129 * Self.second) == 7)
        // The next half minute begins: the one before still counts.
        health.turnEnded(jobs: 1, nanoseconds: 4, at: 131 * Self.second)
        #expect(health.longestTurn(at: 150 * Self.second) == 7)
        health.turnEnded(jobs: 1, nanoseconds: 2, at: 162 * Self.second)
        #expect(health.longestTurn(at: 162 * Self.second) == 4)
        // A loop that does nothing was late for nobody.
        #expect(health.longestTurn(at: 193 * Self.second) == 2)
        #expect(health.longestTurn(at: 222 * Self.second) == 0)
        health.turnEnded(jobs: 1, nanoseconds: 1, at: 300 * Self.second)
        #expect(health.longestTurn(at: 300 * Self.second) == 1)
    }
}
