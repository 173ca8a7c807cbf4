import EventLoop
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
