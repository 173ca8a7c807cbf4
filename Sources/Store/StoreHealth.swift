/// How the store does; a moment's picture.
public struct StoreHealth: Sendable {
    /// Spans and runs that are stored; spans deleted with their run, one by one, still count until retention gets to them.
    public var spans: Int64 = 0
    public var runs: Int64 = 0
    /// The number of the latest stored span; a destination that has this cursor has everything.
    public var lastSpan: Int64 = 0
    /// Bytes of the file and its log on disk.
    public var bytes: Int64 = 0
    /// Runs that the ledger follows.
    public var openRuns = 0

    /// Spans that loops have recorded, and that the store has written, since the start. Roots are written without having been recorded.
    public var recorded: UInt64 = 0
    public var written: UInt64 = 0
    /// Spans that were lost, by reason: `queue_full`, the `StoreError.reason` that made the store give a batch up, or `killed`: those that
    /// the process before had recorded and not stored when it was.
    public var lost: [String: UInt64] = [:]
    /// The reasons that there may come to be.
    public static let lossReasons = ["queue_full"] + [StoreError.diskFull, .readOnly, .inputOutput(code: 0), .corrupt, .busy, .other(code: 0), .closed].map { "\($0.reason)" }
    /// Bytes of spans in the loops' queues; what the store's thread has taken from there and not written yet is not among them.
    public var queuedBytes = 0
    /// What the last write failed with, while it fails; since when, in Unix nanoseconds.
    public var failure: StoreError?
    public var failingSince: UInt64?

    /// Spans and runs that retention has deleted since the start.
    public var retiredSpans: UInt64 = 0
    public var retiredRuns: UInt64 = 0
    /// Spans deleted before a destination had them, since the start.
    public var retiredUnexported: [String: UInt64] = [:]
    /// How far each destination is.
    public var cursors: [String: Int64] = [:]

    public var lostTotal: UInt64 { lost.values.reduce(0, +) }

    public init() {}
}
