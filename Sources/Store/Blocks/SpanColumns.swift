import Runs
import Tracing

/// What the store itself reads of a span, beside its OTLP bytes: the way to the run's other spans, and what spend is made of.
/// About thirty bytes: numbers as differences from the span before, texts as numbers into the block's names.
struct SpanColumns {
    var hopKind = HopKind.http.rawValue
    var isError = false
    var isSampled = true
    var isInferred = false
    /// An LLM hop whose usage never came.
    var isUnmetered = false
    /// Deleted with its run; only its number and the way to the span before are left. Counts as not sampled, so that no exporter looks for it.
    var isGone = false
    /// Bytes of its field in the block's `spans`, tag and length included.
    var frameLength = 0
    /// The row of its run.
    var run: Int64 = 0
    /// The number of the span before it in the run; 0 for the first.
    var previous: Int64 = 0
    /// Unix nanoseconds.
    var startedAt: UInt64 = 0
    /// Numbers of names, from 1; 0 is none.
    var agent = 0
    var workspace = 0
    var provider = 0
    var model = 0
    var tool = 0
    var tokens = TokenCounts()
    var cost: USD?

    private struct Flags: OptionSet {
        let rawValue: UInt64
        static let error = Flags(rawValue: 1 << 4)
        static let sampled = Flags(rawValue: 1 << 5)
        static let inferred = Flags(rawValue: 1 << 6)
        // The ones above fit a varint's first byte with the kind; these are rarer or cost bytes anyway.
        static let tokens = Flags(rawValue: 1 << 7)
        static let cost = Flags(rawValue: 1 << 8)
        static let gone = Flags(rawValue: 1 << 9)
        static let unmetered = Flags(rawValue: 1 << 10)
    }

    /// - Parameter before: the columns of the block's span before this one; empty ones for the first.
    func write(to records: inout PackedBytes, number: Int64, after before: SpanColumns) {
        var flags = Flags(rawValue: UInt64(hopKind & 15))
        if isError { flags.insert(.error) }
        if isSampled { flags.insert(.sampled) }
        if isInferred { flags.insert(.inferred) }
        if tokens.isKnown { flags.insert(.tokens) }
        if cost != nil { flags.insert(.cost) }
        if isGone { flags.insert(.gone) }
        if isUnmetered { flags.insert(.unmetered) }
        records.append(varint: flags.rawValue)
        records.append(varint: frameLength)
        records.append(zigzag: run &- before.run)
        records.append(varint: previous == 0 ? 0 : number - previous)
        records.append(zigzag: Int64(bitPattern: startedAt &- before.startedAt))
        records.append(varint: agent)
        records.append(varint: workspace)
        records.append(varint: provider)
        records.append(varint: model)
        records.append(varint: tool)
        if tokens.isKnown {
            // -1, unknown, becomes 0.
            records.append(varint: tokens.input &+ 1)
            records.append(varint: tokens.output &+ 1)
            records.append(varint: tokens.cacheRead &+ 1)
            records.append(varint: tokens.cacheWrite &+ 1)
            records.append(varint: tokens.reasoning &+ 1)
        }
        if let cost { records.append(wide: cost.units) }
    }

    init() {}

    init(from records: inout PackedReader, number: Int64, after before: SpanColumns) {
        let flags = Flags(rawValue: records.varint())
        hopKind = UInt8(flags.rawValue & 15)
        isError = flags.contains(.error)
        isSampled = flags.contains(.sampled)
        isInferred = flags.contains(.inferred)
        isGone = flags.contains(.gone)
        isUnmetered = flags.contains(.unmetered)
        frameLength = records.count()
        run = before.run &+ records.zigzag()
        let distance = records.varint()
        previous = distance == 0 ? 0 : number &- Int64(clamping: distance)
        startedAt = before.startedAt &+ UInt64(bitPattern: records.zigzag())
        agent = records.count()
        workspace = records.count()
        provider = records.count()
        model = records.count()
        tool = records.count()
        if flags.contains(.tokens) {
            tokens.input = Int64(clamping: records.varint()) &- 1
            tokens.output = Int64(clamping: records.varint()) &- 1
            tokens.cacheRead = Int64(clamping: records.varint()) &- 1
            tokens.cacheWrite = Int64(clamping: records.varint()) &- 1
            tokens.reasoning = Int64(clamping: records.varint()) &- 1
        }
        if flags.contains(.cost) { cost = USD(units: records.wide()) }
    }
}

/// Goes through the columns of a block.
struct SpanColumnsReader: ~Escapable {
    private var records: PackedReader
    private var before = SpanColumns()
    private var number: Int64
    private let end: Int64
    /// Where the next span's field begins in the block's `spans`.
    private(set) var frameStart = 0

    @_lifetime(copy records)
    init(_ records: RawSpan, first: Int64, count: Int64) {
        self.records = PackedReader(records)
        number = first
        end = first &+ count
    }

    /// The next span's number, columns, and the start of its field; nil at the end, or where the block is damaged.
    mutating func next() -> (number: Int64, columns: SpanColumns, frameStart: Int)? {
        guard number < end else { return nil }
        let columns = SpanColumns(from: &records, number: number, after: before)
        guard !records.isBroken else { return nil }
        defer {
            before = columns
            number += 1
            frameStart += columns.frameLength
        }
        return (number, columns, frameStart)
    }
}
