public import Tracing

/// The part of a run's row that has a fixed place: identity, times, totals. Read without an allocation, so that a list can be
/// filtered and sorted over a million rows.
public struct RunHead: Sendable, Hashable {
    public var key = RunKey(high: 0, low: 0)
    /// The caller named the run; its key is a hash then, and its traces stand in a list.
    public var isNamed = false
    /// The last hop asked for a tool's result: quiet is no sign of an end (`telemetry.run_wait`).
    public var isWaiting = false
    /// It holds more than MCP or A2A housekeeping.
    public var isListed = false
    /// The list of traces has reached its bound; further traces are found by the id index only.
    public var tracesAreCut = false
    /// The start of the first hop, and the end of the last, in Unix nanoseconds.
    public var startedAt: UInt64 = 0
    public var endedAt: UInt64 = 0
    /// The run's own root span where the gateway made it up; 0 where the caller brought a trace.
    public var root: UInt64 = 0
    public var rootTrace = TraceID(high: 0, low: 0)
    public var rootStartedAt: UInt64 = 0
    /// The trace flags of the root.
    public var rootFlags: UInt8 = 0
    /// A bit per `LinkedBy`.
    public var linkedBy: UInt8 = 0
    public var totals = RunTotals()

    public init() {}

    public var duration: UInt64 { endedAt - startedAt }
    public var isError: Bool { totals.errors > 0 }
}

extension RunHead {
    /// The format of a run's row; raised when its fields change, so that a reader can tell.
    static let format: UInt8 = 1

    private struct Flags: OptionSet {
        let rawValue: UInt8
        static let named = Flags(rawValue: 1)
        static let waiting = Flags(rawValue: 2)
        static let listed = Flags(rawValue: 4)
        static let tracesCut = Flags(rawValue: 8)
        static let cost = Flags(rawValue: 16)
        static let root = Flags(rawValue: 32)
    }

    func write(to row: inout PackedBytes) {
        var flags: Flags = []
        if isNamed { flags.insert(.named) }
        if isWaiting { flags.insert(.waiting) }
        if isListed { flags.insert(.listed) }
        if tracesAreCut { flags.insert(.tracesCut) }
        if totals.cost != nil { flags.insert(.cost) }
        if root != 0 { flags.insert(.root) }
        row.append(byte: Self.format)
        row.append(byte: flags.rawValue)
        row.append(fixed: key.high)
        row.append(fixed: key.low)
        row.append(fixed: startedAt)
        row.append(varint: duration)
        row.append(byte: linkedBy)
        if root != 0 {
            row.append(fixed: root)
            if isNamed {
                row.append(fixed: rootTrace.high)
                row.append(fixed: rootTrace.low)
            }
            row.append(zigzag: Int64(bitPattern: rootStartedAt &- startedAt))
            row.append(byte: rootFlags)
        }
        row.append(varint: totals.hops)
        row.append(varint: totals.llmCalls)
        row.append(varint: totals.toolCalls)
        row.append(varint: totals.agentCalls)
        row.append(varint: totals.errors)
        row.append(varint: totals.unpricedHops)
        row.append(varint: totals.unmeteredHops)
        row.append(varint: totals.inputTokens)
        row.append(varint: totals.outputTokens)
        row.append(varint: totals.cacheReadTokens)
        row.append(varint: totals.cacheWriteTokens)
        row.append(varint: totals.reasoningTokens)
        if let cost = totals.cost { row.append(wide: cost.units) }
    }

    /// Nil where the row is damaged or of a format this build does not know.
    public init?(from row: inout PackedReader) {
        guard row.byte() == Self.format else { return nil }
        let flags = Flags(rawValue: row.byte())
        isNamed = flags.contains(.named)
        isWaiting = flags.contains(.waiting)
        isListed = flags.contains(.listed)
        tracesAreCut = flags.contains(.tracesCut)
        key = RunKey(high: row.fixed(), low: row.fixed())
        startedAt = row.fixed()
        endedAt = startedAt &+ row.varint()
        linkedBy = row.byte()
        if flags.contains(.root) {
            root = row.fixed()
            rootTrace = isNamed ? TraceID(high: row.fixed(), low: row.fixed()) : TraceID(high: key.high, low: key.low)
            rootStartedAt = startedAt &+ UInt64(bitPattern: row.zigzag())
            rootFlags = row.byte()
        }
        totals.hops = row.number()
        totals.llmCalls = row.number()
        totals.toolCalls = row.number()
        totals.agentCalls = row.number()
        totals.errors = row.number()
        totals.unpricedHops = row.number()
        totals.unmeteredHops = row.number()
        totals.inputTokens = row.number()
        totals.outputTokens = row.number()
        totals.cacheReadTokens = row.number()
        totals.cacheWriteTokens = row.number()
        totals.reasoningTokens = row.number()
        if flags.contains(.cost) { totals.cost = USD(units: row.wide()) }
        guard !row.isBroken, endedAt >= startedAt else { return nil }
    }
}

extension PackedReader {
    /// A count that was an `Int64` when it was written.
    mutating func number() -> Int64 { Int64(clamping: varint()) }
}
