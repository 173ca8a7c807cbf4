import Testing
import Tracing

@testable import Gateway

@Suite struct `The runs that tasks came up in` {
    private static func place(_ trace: UInt64) -> TaskRuns.Place {
        TaskRuns.Place(trace: TraceID(high: 1, low: trace), parent: SpanID(1), rootIsOurs: true, flags: [], runName: [])
    }

    private static func task(_ number: Int) -> RunKey { RunKey(high: 0, low: UInt64(number)) }

    @Test func `stay those that they were first seen in`() {
        let tasks = TaskRuns()
        tasks.remember(Self.task(1), Self.place(1))
        tasks.remember(Self.task(1), Self.place(2))
        #expect(tasks.place(of: Self.task(1))?.trace == TraceID(high: 1, low: 1))
        #expect(tasks.place(of: Self.task(2)) == nil)
    }

    @Test func `are forgotten the oldest first`() {
        let tasks = TaskRuns(limit: 16)
        // All in one shard, which has room for two.
        for number in 0..<5 { tasks.remember(Self.task(number * 8), Self.place(UInt64(number))) }
        #expect((0..<5).map { tasks.place(of: Self.task($0 * 8)) != nil } == [false, false, false, true, true])
        tasks.remember(Self.task(0), Self.place(9))
        #expect((0..<5).map { tasks.place(of: Self.task($0 * 8)) != nil } == [true, false, false, false, true])
    }
}
