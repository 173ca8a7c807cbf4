internal import Glibc

/// Where times come from. A value that is passed in, so that tests can hold time still.
public struct Clock: Sendable {
    private enum Source { case system, manual(ManualTime) }
    private let source: Source

    public static let system = Clock(source: .system)
    public static func manual(_ time: ManualTime) -> Clock { Clock(source: .manual(time)) }

    /// Nanoseconds since the Unix epoch.
    public var wall: UInt64 {
        switch source {
        case .system: Self.read(CLOCK_REALTIME)
        case .manual(let time): time.tick()
        }
    }

    /// Nanoseconds that only ever grow, from an unspecified start.
    public var monotonic: UInt64 {
        switch source {
        case .system: Self.read(CLOCK_MONOTONIC)
        case .manual(let time): time.tick()
        }
    }

    static func read(_ clock: clockid_t) -> UInt64 {
        var now = timespec()
        unsafe clock_gettime(clock, &now)
        return UInt64(now.tv_sec) &* 1_000_000_000 &+ UInt64(now.tv_nsec)
    }
}

/// A clock for tests: each reading is `step` nanoseconds after the last.
public final class ManualTime: @unchecked Sendable {
    private var now: UInt64
    private let step: UInt64

    /// Used by one loop only; readings are not synchronised.
    public init(start: UInt64, step: UInt64) {
        now = start
        self.step = step
    }

    func tick() -> UInt64 {
        defer { now += step }
        return now
    }
}

extension Duration {
    /// Whole nanoseconds, as deadlines are reckoned in. What is negative is none; 285 years are the most, so that they can be added to any
    /// time.
    public var nanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        guard seconds < 9_000_000_000 else { return 9_000_000_000_000_000_000 }
        return UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
    }
}
