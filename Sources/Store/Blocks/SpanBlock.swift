import Deflate
import OTLP
import Runs
import Tracing

/// A row of spans being filled.
///
/// Spans are kept a few dozen to a row because a row of its own costs a span more than all else the store does with it
/// (measured: 3.1 µs a span against 1.3), and because the exporter can then hand whole rows on: the `spans` column is a run of
/// `spans` fields of a `ScopeSpans` message, deflated; protobuf messages concatenate, and so do these pieces of DEFLATE.
///
/// A block is rewritten with the next batch while it is small (`isWorthSealing` says no), so that little traffic does not leave
/// rows of one span each. Used on the store's thread only; reused.
final class SpanBlock {
    private(set) var first: Int64
    private(set) var count: Int64 = 0
    private(set) var unsampled: Int64 = 0
    private(set) var startedMin = UInt64.max
    private(set) var startedMax: UInt64 = 0
    private(set) var endedMax: UInt64 = 0
    private var names = BlockNames()
    private var records = PackedBytes(capacity: 4 << 10)
    /// As they were encoded; handed on to the next block once this one is sealed.
    private var spans = PackedBytes(capacity: 0)
    private var deflated = PackedBytes(capacity: 0)
    private var isDeflated = false
    private(set) var checksum: UInt32 = 0
    /// Bytes of spans once they are inflated.
    private(set) var size = 0
    private var last = SpanColumns()

    /// A block with this many bytes of spans takes no more.
    static let fullBytes = 64 << 10
    /// Bytes of spans in a block, but for one whose last span is very large.
    static let usualBytes = fullBytes * 2
    /// Below this many a block stays open for the next batch: deflated it fits a page, so writing it again costs no more than a row of a
    /// table would.
    static let sealBytes = 16 << 10
    private static let spansField: UInt8 = 0x12  // ScopeSpans.spans = 2, length-delimited (opentelemetry-proto trace.v1)

    init(first: Int64) { self.first = first }

    func reset(first: Int64) {
        self.first = first
        count = 0
        unsampled = 0
        startedMin = .max
        startedMax = 0
        endedMax = 0
        names.removeAll()
        records.removeAll(keeping: 64 << 10)
        spans.removeAll(keeping: Self.usualBytes)
        deflated.removeAll(keeping: 16 << 10)
        isDeflated = false
        size = 0
        last = SpanColumns()
    }

    /// Deflates what has come since the last time.
    func deflate(with deflater: inout BlockDeflater) {
        guard !isDeflated else { return }
        checksum = spans.withBytes { deflater.deflate($0) }
        deflated.removeAll(keeping: 16 << 10)
        deflater.withOutput { deflated.append($0) }
        isDeflated = true
    }

    /// Makes the block final, and hands its memory for spans on to the next.
    func seal(with deflater: inout BlockDeflater, next: SpanBlock) {
        deflate(with: &deflater)
        swap(&spans, &next.spans)
    }

    /// The number the next span gets.
    var next: Int64 { first + count }
    var isFull: Bool { size >= Self.fullBytes }
    var isWorthSealing: Bool { size >= Self.sealBytes }

    /// - Parameters:
    ///   - run: the row of its run; `previous` the number of the run's span before.
    ///   - otlp: has just encoded the span.
    func append(
        _ record: SpanRecord, _ entries: RawSpan, _ facts: SpanFacts, run: Int64, previous: Int64, otlp: borrowing SpanEncoder
    ) {
        let start = spans.count
        spans.append(byte: Self.spansField)
        let message = otlp.bytes
        spans.append(varint: message.byteCount)
        spans.append(message)

        var columns = SpanColumns()
        columns.hopKind = record.hopKind
        columns.isError = record.isError
        columns.isSampled = record.flags & TraceFlags.sampled.rawValue != 0
        columns.isInferred = facts.isInferred
        columns.isUnmetered = record.isUnmetered
        columns.frameLength = spans.count - start
        columns.run = run
        columns.previous = previous
        columns.startedAt = record.startTime
        columns.agent = names.number(of: facts.agent.bytes(in: entries))
        columns.workspace = names.number(of: facts.workspace.bytes(in: entries))
        columns.provider = names.number(of: facts.provider.bytes(in: entries))
        columns.model = names.number(of: facts.model.bytes(in: entries))
        columns.tool = names.number(of: facts.tool.bytes(in: entries))
        columns.tokens = record.tokens
        columns.cost = record.cost
        columns.write(to: &records, number: next, after: last)

        count += 1
        size = spans.count
        isDeflated = false
        if !columns.isSampled { unsampled += 1 }
        startedMin = min(startedMin, record.startTime)
        startedMax = max(startedMax, record.startTime)
        endedMax = max(endedMax, record.endTime)
        last = columns
    }

    /// The three blobs of the row, for the length of the call; after `deflate`.
    func withBlobs(_ body: (_ names: RawSpan, _ records: RawSpan, _ spans: RawSpan) throws(StoreError) -> Void) throws(StoreError) {
        try names.bytes.withBytes { names throws(StoreError) in
            try records.withBytes { records throws(StoreError) in
                try deflated.withBytes { spans throws(StoreError) in try body(names, records, spans) }
            }
        }
    }
}

/// The texts of a block: each once, numbered from 1 in the order they came. Length (varint) and UTF-8.
struct BlockNames: ~Copyable {
    private(set) var bytes = PackedBytes(capacity: 512)
    private var places: [(start: Int, length: Int)] = []

    static let longest = 255

    mutating func removeAll() {
        bytes.removeAll(keeping: 16 << 10)
        places.removeAll(keepingCapacity: true)
    }

    /// The text's number, a new one where need be; 0 for an empty text.
    mutating func number(of text: RawSpan) -> Int {
        guard !text.isEmpty else { return 0 }
        let text = text.extracting(0..<min(text.byteCount, Self.longest))
        for (index, place) in places.enumerated() where place.length == text.byteCount {
            let isSame = bytes.withBytes { $0.extracting(place.start..<place.start + place.length).equals(text) }
            if isSame { return index + 1 }
        }
        bytes.append(varint: text.byteCount)
        places.append((bytes.count, text.byteCount))
        bytes.append(text)
        return places.count
    }

    /// All texts of a stored block, by number - 1.
    static func read(_ names: RawSpan) -> [String] {
        var reader = PackedReader(names)
        var texts: [String] = []
        while !reader.isAtEnd, !reader.isBroken {
            let length = reader.count()
            texts.append(String(utf8: reader.take(length)))
        }
        return texts
    }
}
