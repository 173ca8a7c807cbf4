public import Store

/// What an exporter knows of the store: spans behind a cursor, and where to leave the cursor. Used on the exporter's thread only.
public struct ExportSource {
    /// The number of the last span that the destination has. Asked once, on the thread that starts the exporter.
    public var cursor: @Sendable () -> Int64
    /// The number of the last span that is stored. Asked at every commit: cheap.
    public var latest: () -> Int64
    /// Fills the batch with the next spans that are to be exported; false where nothing is behind the cursor (`StoreReader.unexported`).
    public var read: (_ after: Int64, _ spansAtMost: Int, _ bytesAtMost: Int, _ batch: inout ExportBatch) throws(StoreError) -> Bool
    /// When the first span behind a cursor ended, in Unix nanoseconds (`StoreReader.oldest`).
    public var oldest: (_ after: Int64) -> UInt64?
    /// The destination has everything up to here, or never will.
    public var acknowledge: (Int64) -> Void

    public init(
        cursor: @escaping @Sendable () -> Int64, latest: @escaping () -> Int64,
        read: @escaping (_ after: Int64, _ spansAtMost: Int, _ bytesAtMost: Int, _ batch: inout ExportBatch) throws(StoreError) -> Bool,
        oldest: @escaping (_ after: Int64) -> UInt64?, acknowledge: @escaping (Int64) -> Void
    ) {
        self.cursor = cursor
        self.latest = latest
        self.read = read
        self.oldest = oldest
        self.acknowledge = acknowledge
    }
}

extension ExportSource {
    /// A destination's place in the store, with a reader of its own. A destination that the store does not know gets the spans from now on.
    public static func following(_ store: Store, as destination: String) throws(StoreError) -> sending ExportSource {
        let reader = try store.makeReader()
        return ExportSource(
            cursor: {
                let health = store.health()
                return health.cursors[destination] ?? health.lastSpan
            },
            latest: { store.lastSpan },
            read: { (after, spans, bytes, batch) throws(StoreError) in
                try reader.unexported(after: after, limit: spans, maxBytes: bytes, into: &batch)
            },
            oldest: { after in (try? reader.oldest(after: after)) ?? nil },
            acknowledge: { store.setCursor(destination, $0) })
    }
}
