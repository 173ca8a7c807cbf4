/// How one destination's export does; a moment's picture, for `/metrics` and `/api/health`.
public struct ExporterHealth: Sendable {
    /// What its cursor in the store goes by: not for display.
    public let name: String
    /// The destination's URL without its query.
    public let destination: String
    /// Spans the receiver took, that it took the batch of and rejected, and that were given up, since the start.
    public var exported: UInt64 = 0
    public var rejected: UInt64 = 0
    public var dropped: UInt64 = 0
    /// Batches that were settled, and tries of them that failed, for good or not.
    public var batches: UInt64 = 0
    public var failures: UInt64 = 0
    /// Bytes of the batches sent, as they went out.
    public var bytes: UInt64 = 0
    /// What went wrong last, and when (Unix nanoseconds); stays after it has passed. Holds no header and no query.
    public var lastError: String?
    public var lastErrorAt: UInt64?
    /// When the receiver last took a batch.
    public var lastSuccessAt: UInt64?
    /// Whether the last try failed: the receiver was not there, not able to, or refused the batch.
    public var isFailing = false
    /// How long it waits before it tries again, while it does.
    public var backoff: Duration?
    /// The number of the last span it is done with, and how many stored ones are behind that; those that are not sampled count.
    public var cursor: Int64 = 0
    public var pending: Int64 = 0
    /// When the oldest of those ended, in Unix nanoseconds: how old the queue is.
    public var oldestPending: UInt64?

    init(name: String, destination: String) {
        self.name = name
        self.destination = destination
    }
}

/// What an operator should hear of an exporter, for the log. Reasons are the receiver's or the system's words, on one line.
public enum ExportEvent: Sendable, Equatable {
    /// The first of a series of tries has failed; spans wait in the store.
    case failing(reason: String)
    /// A try has succeeded after so many that had not.
    case recovered(failures: Int)
    /// The receiver took a batch but for these spans.
    case rejected(spans: Int, message: String)
    /// The receiver took a batch and had something to say.
    case warned(message: String)
    /// Spans were given up. Of a series of refusals only the first is told.
    case dropped(spans: Int, reason: String)
}
