import Deflate
import Runs

/// A block as it is stored, with the places of its spans found.
final class StoredBlock {
    let first: Int64
    private(set) var columns: [SpanColumns] = []
    /// Where each span's field begins in `spans`.
    private(set) var frameStarts: [Int] = []
    /// The spans' fields, one after the other, as far as they have been read.
    private(set) var spans: [UInt8] = []

    /// - Parameter size: bytes of all the fields.
    init(first: Int64, count: Int64, records: RawSpan, size: Int) {
        self.first = first
        var reader = SpanColumnsReader(records, first: first, count: count)
        while let span = reader.next() {
            guard span.columns.frameLength <= size - span.frameStart else { break }
            columns.append(span.columns)
            frameStarts.append(span.frameStart)
        }
    }

    /// Reads the fields up to that of a span, or all of them. Where they cannot be read the block holds nothing.
    fileprivate func read(_ stored: RawSpan, size: Int?, upTo number: Int64?, with inflater: BlockInflater) {
        spans.removeAll(keepingCapacity: true)
        let wanted = number.map { contains($0) ? frame(of: $0).upperBound : 0 }
        guard !inflater.append(stored, size: size, first: wanted, to: &spans) else { return }
        columns = []
        frameStarts = []
    }

    /// Whether the span's field has been read.
    fileprivate func holds(_ number: Int64) -> Bool { contains(number) && frame(of: number).upperBound <= spans.count }

    var next: Int64 { first + Int64(columns.count) }

    func contains(_ number: Int64) -> Bool { number >= first && number < next }

    func columns(of number: Int64) -> SpanColumns { columns[Int(number - first)] }

    /// The bytes of the span's field: tag, length, message.
    func frame(of number: Int64) -> Range<Int> {
        let index = Int(number - first)
        return frameStarts[index]..<frameStarts[index] + columns[index].frameLength
    }

    /// The bytes of the OTLP message alone.
    func message(of number: Int64) -> Range<Int> {
        let frame = frame(of: number)
        return frame.lowerBound + FrameHead.length(of: spans, at: frame.lowerBound, upTo: frame.upperBound)..<frame.upperBound
    }
}

/// The head of a length-delimited protobuf field whose number is below 16: a tag byte and a varint.
enum FrameHead {
    static func length(of bytes: [UInt8], at start: Int, upTo end: Int) -> Int {
        var offset = start + 1
        while offset < end, bytes[offset] >= 0x80 { offset += 1 }
        return min(offset + 1, end) - start
    }
}

/// Finds blocks by the number of a span; holds on to the last one, because neighbours are asked for next.
final class BlockFinder {
    private let select: Statement
    private let inflater = BlockInflater(usualSize: SpanBlock.usualBytes)
    private var latest: StoredBlock?

    init(_ database: Database) throws(StoreError) {
        select = try database.prepare(
            "SELECT first, count, records, spans, size FROM span_blocks WHERE first <= ?1 ORDER BY first DESC LIMIT 1")
    }

    /// Nil where the span has been deleted, or never was written. The block holds the span and all before it: whoever follows a run
    /// goes backwards.
    /// - Parameter whole: those behind it as well.
    func block(of number: Int64, whole: Bool = false) throws(StoreError) -> StoredBlock? {
        if let latest, latest.holds(whole ? latest.next - 1 : number), latest.contains(number) { return latest }
        select.bind(1, number)
        defer { select.reset() }
        guard try select.step() else { return nil }
        let size = select.size(4)
        let bytes = size ?? select.withBlob(3) { $0.byteCount }
        let block = select.withBlob(2) { StoredBlock(first: select.integer(0), count: select.integer(1), records: $0, size: bytes) }
        select.withBlob(3) { block.read($0, size: size, upTo: whole ? nil : number, with: inflater) }
        latest = block
        return block.contains(number) ? block : nil
    }

    /// Forgets what it holds; a block may have been rewritten since.
    func forget() { latest = nil }
}

extension Statement {
    /// The column `size` of a block; nil where its spans are stored as they are.
    func size(_ column: Int32) -> Int? { isNull(column) ? nil : Int(integer(column)) }
}
