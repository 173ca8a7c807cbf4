public import Synchronization

/// Counters of one loop: written by its thread, read by any.
public final class LoopHealth: Sendable {
    public let turns = Atomic<UInt64>(0)
    public let jobs = Atomic<UInt64>(0)
    public let foreignJobs = Atomic<UInt64>(0)
    public let busyNanoseconds = Atomic<UInt64>(0)
    /// The longest turn since it was last asked for, in nanoseconds: how late any connection may have been served.
    public let longestTurn = Atomic<UInt64>(0)
    public let openSockets = Atomic<Int>(0)
    /// Times that a connection waited and could not be taken (accept(2)), and the errno of the last.
    public let failedAccepts = Atomic<UInt64>(0)
    public let lastAcceptError = Atomic<Int32>(0)

    @inline(__always) func turnEnded(jobs count: Int, nanoseconds: UInt64) {
        // One writer: load and store is enough, and cheaper than a locked add.
        turns.store(turns.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
        jobs.store(jobs.load(ordering: .relaxed) &+ UInt64(count), ordering: .relaxed)
        busyNanoseconds.store(busyNanoseconds.load(ordering: .relaxed) &+ nanoseconds, ordering: .relaxed)
        if nanoseconds > longestTurn.load(ordering: .relaxed) { longestTurn.store(nanoseconds, ordering: .relaxed) }
    }

    func foreignJobArrived() { foreignJobs.add(1, ordering: .relaxed) }
    func acceptFailed(_ code: Int32) {
        lastAcceptError.store(code, ordering: .relaxed)
        failedAccepts.add(1, ordering: .relaxed)
    }

    func socketOpened() { openSockets.add(1, ordering: .relaxed) }
    func socketClosed() { openSockets.subtract(1, ordering: .relaxed) }
}
