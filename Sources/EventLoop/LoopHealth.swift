public import Synchronization

/// Counters of one loop: written by its thread, read by any.
public final class LoopHealth: Sendable {
    public let turns = Atomic<UInt64>(0)
    public let jobs = Atomic<UInt64>(0)
    public let foreignJobs = Atomic<UInt64>(0)
    public let busyNanoseconds = Atomic<UInt64>(0)
    /// The longest turn of this half minute and of the one before, and when this one began: whoever reads takes nothing from others who do.
    private let longest = Atomic<UInt64>(0)
    private let longestBefore = Atomic<UInt64>(0)
    private let halfMinuteSince = Atomic<UInt64>(0)
    private static let halfMinute: UInt64 = 30_000_000_000
    public let openSockets = Atomic<Int>(0)
    /// Times that a connection waited and could not be taken (accept(2)), and the errno of the last.
    public let failedAccepts = Atomic<UInt64>(0)
    public let lastAcceptError = Atomic<Int32>(0)

    /// The longest turn of the last minute, or of at least its later half, in nanoseconds: how late any connection may have been served.
    public var longestTurn: UInt64 { longestTurn(at: Clock.system.monotonic) }

    func longestTurn(at now: UInt64) -> UInt64 {
        let since = halfMinuteSince.load(ordering: .relaxed)
        let age = now > since ? now - since : 0
        if age >= 2 * Self.halfMinute { return 0 }
        let latest = longest.load(ordering: .relaxed)
        return age >= Self.halfMinute ? latest : max(latest, longestBefore.load(ordering: .relaxed))
    }

    /// - Parameter now: monotonic nanoseconds.
    @inline(__always) func turnEnded(jobs count: Int, nanoseconds: UInt64, at now: UInt64) {
        // One writer: load and store is enough, and cheaper than a locked add.
        turns.store(turns.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
        jobs.store(jobs.load(ordering: .relaxed) &+ UInt64(count), ordering: .relaxed)
        busyNanoseconds.store(busyNanoseconds.load(ordering: .relaxed) &+ nanoseconds, ordering: .relaxed)
        if now &- halfMinuteSince.load(ordering: .relaxed) >= Self.halfMinute { halfMinuteEnded(now) }
        if nanoseconds > longest.load(ordering: .relaxed) { longest.store(nanoseconds, ordering: .relaxed) }
    }

    @inline(never) private func halfMinuteEnded(_ now: UInt64) {
        let isNext = now &- halfMinuteSince.load(ordering: .relaxed) < 2 * Self.halfMinute
        longestBefore.store(isNext ? longest.load(ordering: .relaxed) : 0, ordering: .relaxed)
        longest.store(0, ordering: .relaxed)
        halfMinuteSince.store(now, ordering: .relaxed)
    }

    func foreignJobArrived() { foreignJobs.add(1, ordering: .relaxed) }
    func acceptFailed(_ code: Int32) {
        lastAcceptError.store(code, ordering: .relaxed)
        failedAccepts.add(1, ordering: .relaxed)
    }

    func socketOpened() { openSockets.add(1, ordering: .relaxed) }
    func socketClosed() { openSockets.subtract(1, ordering: .relaxed) }
}
