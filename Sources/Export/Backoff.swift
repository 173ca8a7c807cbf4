/// How waits between tries grow.
public struct BackoffLimits: Sendable, Hashable {
    public var initial: Duration = .seconds(1)
    public var most: Duration = .seconds(30)

    public init() {}
}

/// Waits between tries that go on failing: each twice as long as the one before, up to a limit, and of each a random part between
/// half and all, so that many clients of one server do not come back together.
struct Backoff {
    private let limits: BackoffLimits
    private var next: Duration

    init(_ limits: BackoffLimits) {
        self.limits = limits
        next = limits.initial
    }

    /// - Parameter random: from 0 to 1.
    mutating func wait(random: Double = .random(in: 0...1)) -> Duration {
        defer { next = min(next * 2, limits.most) }
        return min(next, limits.most) * (0.5 + random / 2)
    }

    mutating func reset() { next = limits.initial }
}
