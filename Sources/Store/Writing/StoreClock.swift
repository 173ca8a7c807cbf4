private import Glibc

/// The two times the store goes by, in nanoseconds: a value, so that tests bring their own.
struct StoreClock: Sendable {
    /// Unix time.
    var wall: @Sendable () -> UInt64
    /// Time that never goes back.
    var monotonic: @Sendable () -> UInt64

    static let system = StoreClock(wall: { read(CLOCK_REALTIME) }, monotonic: { read(CLOCK_MONOTONIC) })

    private static func read(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
