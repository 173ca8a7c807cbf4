import Deflate
import Runs

/// Spans on their way to a destination.
public struct ExportBatch: Sendable {
    /// Room that its owner asked for, then the `spans` fields of an OTLP `ScopeSpans` message, one after the other: to be put behind
    /// its scope as they are.
    public var fields: [UInt8]
    public let frontRoom: Int
    /// The owner takes spans as they are stored, deflated, too: a batch then has either `fields` or `pieces`.
    public let takesDeflated: Bool
    /// The same fields, deflated: one piece behind the other (RFC 1951), each for itself, on whole bytes and not final.
    public private(set) var pieces: [Piece] = []
    public private(set) var deflated: [UInt8] = []
    /// Bytes that all pieces become when they are inflated.
    private var deflatedSize = 0
    public var count = 0
    /// The cursor once they have been delivered; may have moved although nothing is to be sent.
    public var upTo: Int64 = 0

    /// A stored block's spans.
    public struct Piece: Sendable {
        /// Where it stands in `deflated`.
        public var range: Range<Int>
        /// Bytes it becomes when it is inflated, and the CRC-32 of those (RFC 1952 §8).
        public var size: Int
        public var checksum: UInt32
    }

    /// - Parameter frontRoom: bytes before the first field, for what is to stand before the spans.
    public init(frontRoom: Int = 0, takesDeflated: Bool = false) {
        self.frontRoom = frontRoom
        self.takesDeflated = takesDeflated
        fields = Array(repeating: 0, count: frontRoom)
    }

    /// Bytes of the fields, deflated or not.
    public var byteCount: Int { fields.count - frontRoom + deflatedSize }

    /// Without spans, with their memory.
    public mutating func reset(after cursor: Int64) {
        fields.removeLast(fields.count - frontRoom)
        pieces.removeAll(keepingCapacity: true)
        deflated.removeAll(keepingCapacity: true)
        deflatedSize = 0
        count = 0
        upTo = cursor
    }

    fileprivate mutating func append(deflated spans: RawSpan, size: Int, checksum: UInt32) {
        let start = deflated.count
        // Sound: the bytes are read inside the closure only.
        unsafe spans.withUnsafeBytes { unsafe deflated.append(contentsOf: $0) }
        pieces.append(Piece(range: start..<deflated.count, size: size, checksum: checksum))
        deflatedSize += size
    }
}

extension StoreReader {
    /// The next sampled spans behind a cursor.
    ///
    /// - Parameters:
    ///   - batch: emptied and filled; keep it for the next call, with its memory.
    ///   - limit: spans at most.
    ///   - maxBytes: bytes at most, unless the first span alone is larger.
    /// - Returns: false where there is nothing behind the cursor.
    public func unexported(after cursor: Int64, limit: Int, maxBytes: Int, into batch: inout ExportBatch) throws(StoreError) -> Bool {
        batch.reset(after: cursor)
        let blocks = try kept(
            \.exportBlocks, "SELECT first, count, unsampled, records, spans, size, checksum FROM span_blocks WHERE first >= \(Self.blockOf) ORDER BY first")
        blocks.bind(1, cursor + 1)
        defer { blocks.reset() }
        while batch.count < limit, try blocks.step() {
            let (first, count) = (blocks.integer(0), blocks.integer(1))
            let next = first + count
            if next <= batch.upTo + 1 { continue }
            if blocks.integer(2) == count {
                // Nothing of it is sampled: it is not looked into.
                batch.upTo = next - 1
                continue
            }
            let isWhole = blocks.withBlob(4) { spans in
                let size = blocks.size(5)
                let bytes = size ?? spans.byteCount
                guard blocks.integer(2) == 0, batch.upTo < first, batch.count + Int(count) <= limit, batch.byteCount + bytes <= maxBytes else { return false }
                if batch.takesDeflated, let size, batch.fields.count == batch.frontRoom {
                    batch.append(deflated: spans, size: size, checksum: UInt32(truncatingIfNeeded: blocks.integer(6)))
                } else if !batch.pieces.isEmpty || !inflater.append(spans, size: size, to: &batch.fields) {
                    return false
                }
                batch.count += Int(count)
                batch.upTo = next - 1
                return true
            }
            if isWhole { continue }
            // Of a block that does not go as it is, the spans go in a batch of their own.
            if !batch.pieces.isEmpty { break }
            var inflated: [UInt8] = []
            _ = blocks.withBlob(4) { inflater.append($0, size: blocks.size(5), to: &inflated) }
            let spans = inflated
            let isDone = blocks.withBlob(3) { records in
                Self.pick(records, spans.raw, first: first, count: count, limit, maxBytes, &batch)
            }
            if isDone { break }
        }
        return batch.upTo > cursor
    }

    /// Adds a block's sampled spans one by one.
    /// - Returns: whether the batch is full.
    private static func pick(
        _ records: RawSpan, _ spans: RawSpan, first: Int64, count: Int64, _ limit: Int, _ maxBytes: Int, _ batch: inout ExportBatch
    ) -> Bool {
        var reader = SpanColumnsReader(records, first: first, count: count)
        while let span = reader.next() {
            guard span.number > batch.upTo else { continue }
            let length = span.columns.frameLength
            if span.columns.isSampled, length > 0, span.frameStart + length <= spans.byteCount {
                guard batch.count < limit, batch.byteCount == 0 || batch.byteCount + length <= maxBytes else { return true }
                let field = spans.extracting(span.frameStart..<span.frameStart + length)
                // Sound: the bytes are read inside the closure only.
                unsafe field.withUnsafeBytes { unsafe batch.fields.append(contentsOf: $0) }
                batch.count += 1
            }
            batch.upTo = span.number
        }
        // Whatever a damaged block still holds is passed over.
        batch.upTo = max(batch.upTo, first + count - 1)
        return false
    }

    /// When the first span behind a cursor ended, in Unix nanoseconds, to within its block; nil where nothing is behind it.
    public func oldest(after cursor: Int64) throws(StoreError) -> UInt64? {
        let block = try kept(
            \.oldestBlock, "SELECT ended_max FROM span_blocks WHERE first + count > ?1 + 1 AND first >= \(Self.blockOf) ORDER BY first LIMIT 1")
        block.bind(1, cursor)
        defer { block.reset() }
        guard try block.step() else { return nil }
        return UInt64(clamping: block.integer(0))
    }

    private static let blockOf = "coalesce((SELECT max(first) FROM span_blocks WHERE first <= ?1), 0)"

    /// The statement that is kept there, prepared if it is not yet.
    private func kept(_ place: ReferenceWritableKeyPath<StoreReader, Statement?>, _ sql: @autoclosure () -> String) throws(StoreError) -> Statement {
        if let statement = self[keyPath: place] { return statement }
        let statement = try database.prepare(sql())
        self[keyPath: place] = statement
        return statement
    }
}
