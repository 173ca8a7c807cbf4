import Glibc

/// A line on a terminal that says how far something is, from its second second on, and that goes away at the end:
///
///     sending the run  ━━━━━━━━━━━━━━━──────────  5 of 8
///
/// Silent where the stream is no terminal. For one thread.
public struct Progress: ~Copyable {
    private let stream: Stream
    private let what: String
    private let total: Int
    private let started: UInt64
    private var isShown = false

    /// Shorter things are over before anybody reads the line.
    private static let patience: UInt64 = 1_000_000_000

    /// - Parameter what: what takes time: `sending the run`.
    public init(_ what: String, total: Int, on stream: Stream) {
        self.stream = stream
        self.what = what
        self.total = total
        started = Self.now()
    }

    /// `done` of the total are done.
    public mutating func update(_ done: Int) {
        guard let width = stream.screen.width, Self.now() - started >= Self.patience else { return }
        isShown = true
        try? stream.write("\r\u{1B}[K" + Self.line(what, done: done, total: total, width: width))
    }

    /// Takes the line away, for what else there is to say.
    public mutating func clear() {
        guard isShown else { return }
        isShown = false
        try? stream.write("\r\u{1B}[K")
    }

    deinit {
        if isShown { try? stream.write("\r\u{1B}[K") }
    }

    static func line(_ what: String, done: Int, total: Int, width: Int) -> String {
        let count = "\(done) of \(total)"
        let free = width - TextWidth.columns(what) - count.utf8.count - 5
        let bar = min(max(free, 0), 40)
        let filled = total > 0 ? min(max(bar * done / total, 0), bar) : bar
        let parts = [what, String(repeating: "━", count: filled) + String(repeating: "─", count: bar - filled), count]
        return Styled(parts.filter { !$0.isEmpty }.joined(separator: "  ")).cut(to: width - 1).text
    }

    private static func now() -> UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
