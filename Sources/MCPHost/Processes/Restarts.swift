/// When a server may be started again that has ended by itself: at once the first time, later and later where it does so again and again.
struct Restarts {
    private var endedEarly = 0
    private var notBefore: UInt64 = 0

    /// One that ran for so long has not failed to start; nanoseconds.
    private static let early: UInt64 = 10_000_000_000
    private static let first: UInt64 = 500_000_000
    private static let longest: UInt64 = 30_000_000_000

    /// A process has ended without being asked to, or did not even start.
    mutating func ended(after nanoseconds: UInt64, now: UInt64) {
        endedEarly = nanoseconds < Self.early ? endedEarly + 1 : 1
        guard endedEarly > 1 else { return }
        notBefore = now + min(Self.longest, Self.first << UInt64(min(endedEarly - 2, 8)))
    }

    /// How long to wait before the next start; nanoseconds, 0 for not at all.
    func wait(_ now: UInt64) -> UInt64 { notBefore > now ? notBefore - now : 0 }
}
