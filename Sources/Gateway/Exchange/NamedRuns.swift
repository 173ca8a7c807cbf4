import HTTP
import Synchronization
public import Tracing

/// The runs callers have named and that are open: which trace a further hop without trace context joins, and which run a hop without a
/// name is of, because its trace is that run's: an agent that was called by another passes `traceparent` on, and knows no names. Shared by
/// the loops.
///
/// A run is not over while a hop of it is under way, however long that takes: who closes runs asks (`isUnderWay`). Forgotten when the
/// run closes (`forget`), and bounded: beyond the limit a name starts a new trace in its run, nothing worse.
public final class NamedRuns: Sendable {
    /// The trace of a named run, and the span its hops hang below.
    struct Place: Sendable {
        var trace: TraceID
        var parent: SpanID
        /// The parent is a root span the gateway made up; else it is the caller's.
        var rootIsOurs: Bool
        var flags: TraceFlags
        /// Hops under way.
        fileprivate var hops = 0
        /// Monotonic nanoseconds: when the last hop was over.
        fileprivate var leftAt: UInt64 = 0

        init(trace: TraceID, parent: SpanID, rootIsOurs: Bool, flags: TraceFlags) {
            self.trace = trace
            self.parent = parent
            self.rootIsOurs = rootIsOurs
            self.flags = flags
        }
    }

    /// A span takes at most so long from its loop to the ledger; nanoseconds, with much to spare.
    private static let wayToLedger: UInt64 = 2_000_000_000

    /// An open run, by its trace.
    struct Named: Sendable {
        let run: RunKey
        let name: [UInt8]
        /// Another run is in the same trace: nothing says which of them a hop without a name is of.
        fileprivate var isShared = false
    }

    private static let limitPerShard = 25_000
    private let shards: [Shard] = (0..<8).map { _ in Shard() }
    /// Whether it is worth to look for a trace: most gateways have callers that send trace context, or names.
    private let openCount = Atomic<Int>(0)

    private final class Shard: Sendable {
        let places = Mutex<[RunKey: Place]>([:])
        let traces = Mutex<[TraceID: Named]>([:])
    }

    public init() {}

    private func shard(_ run: RunKey) -> Shard { shards[Int(truncatingIfNeeded: run.low & 7)] }
    private func shard(_ trace: TraceID) -> Shard { shards[Int(truncatingIfNeeded: trace.low & 7)] }

    /// A hop begins: the run's place, made with `make` when the run is not open. `leave` with its trace when the hop is over.
    func enter(_ run: RunKey, named name: RawSpan, orElse make: () -> Place) -> Place {
        var isNew = false
        let place = shard(run).places.withLock { places in
            if let index = places.index(forKey: run) {
                places.values[index].hops += 1
                return places.values[index]
            }
            var place = make()
            place.hops = 1
            if places.count < Self.limitPerShard {
                places[run] = place
                isNew = true
            }
            return place
        }
        guard isNew else { return place }
        openCount.add(1, ordering: .relaxed)
        // Sound: copied before the closure returns.
        let name = unsafe name.withUnsafeBytes { unsafe Array($0) }
        shard(place.trace).traces.withLock { traces in
            if traces[place.trace] == nil {
                traces[place.trace] = Named(run: run, name: name)
            } else if traces[place.trace]?.run != run {
                traces[place.trace]?.isShared = true
            }
        }
        return place
    }

    /// The open run whose trace that is; nil where there is none, or more than one.
    func run(of trace: TraceID) -> Named? {
        guard openCount.load(ordering: .relaxed) > 0 else { return nil }
        return shard(trace).traces.withLock { traces in traces[trace].flatMap { $0.isShared ? nil : $0 } }
    }

    /// A hop of the run is over, and its span on its way.
    /// - Parameter trace: of the place it was given: the run may have been ended meanwhile, and begun anew.
    func leave(_ run: RunKey, trace: TraceID, at now: UInt64) {
        shard(run).places.withLock { places in
            guard let index = places.index(forKey: run), places.values[index].trace == trace, places.values[index].hops > 0 else { return }
            places.values[index].hops -= 1
            places.values[index].leftAt = now
        }
    }

    /// Whether a hop of the run is under way, or its span may still be.
    public func isUnderWay(_ run: RunKey, at now: UInt64) -> Bool {
        shard(run).places.withLock { places in
            guard let place = places[run] else { return false }
            return place.hops > 0 || place.leftAt + Self.wayToLedger > now
        }
    }

    /// The run has closed.
    public func forget(_ run: RunKey) {
        guard let place = shard(run).places.withLock({ $0.removeValue(forKey: run) }) else { return }
        openCount.subtract(1, ordering: .relaxed)
        shard(place.trace).traces.withLock { traces in
            if traces[place.trace]?.run == run { traces[place.trace] = nil }
        }
    }
}

extension RunKey {
    /// The key of a run that a caller named: SipHash-2-4-128 over scope and name, each with its length before it, so that neither can
    /// pass for a part of the other.
    init(scope: RawSpan, name: RawSpan, salt: (UInt64, UInt64)) {
        var hash = SipHash128(salt)
        hash.append(UInt64(scope.byteCount))
        hash.append(scope)
        hash.append(UInt64(name.byteCount))
        hash.append(name)
        let (high, low) = hash.finish()
        self.init(high: high, low: low)
    }
}

/// SipHash-2-4 with 128 bits of output (Aumasson and Bernstein, 2012; the reference implementation's `outlen` 16).
struct SipHash128 {
    private var v0, v1, v2, v3: UInt64
    private var tail: UInt64 = 0
    private var length = 0

    init(_ key: (UInt64, UInt64)) {
        v0 = key.0 ^ 0x736f_6d65_7073_6575
        v1 = key.1 ^ 0x646f_7261_6e64_6f6d ^ 0xee
        v2 = key.0 ^ 0x6c79_6765_6e65_7261
        v3 = key.1 ^ 0x7465_6462_7974_6573
    }

    mutating func append(_ bytes: RawSpan) {
        for offset in 0..<bytes.byteCount { append(byte: bytes[byte: offset]) }
    }

    mutating func append(_ word: UInt64) {
        for shift in stride(from: 0 as UInt64, to: 64, by: 8) { append(byte: UInt8(truncatingIfNeeded: word >> shift)) }
    }

    private mutating func append(byte: UInt8) {
        tail |= UInt64(byte) << UInt64((length & 7) * 8)
        length += 1
        if length & 7 == 0 {
            compress(tail)
            tail = 0
        }
    }

    private mutating func compress(_ word: UInt64) {
        v3 ^= word
        round()
        round()
        v0 ^= word
    }

    private mutating func round() {
        v0 &+= v1
        v1 = rotate(v1, 13) ^ v0
        v0 = rotate(v0, 32)
        v2 &+= v3
        v3 = rotate(v3, 16) ^ v2
        v0 &+= v3
        v3 = rotate(v3, 21) ^ v0
        v2 &+= v1
        v1 = rotate(v1, 17) ^ v2
        v2 = rotate(v2, 32)
    }

    private func rotate(_ word: UInt64, _ by: UInt64) -> UInt64 { word << by | word >> (64 - by) }

    mutating func finish() -> (UInt64, UInt64) {
        compress(tail | UInt64(truncatingIfNeeded: length) << 56)
        v2 ^= 0xee
        for _ in 0..<4 { round() }
        let first = v0 ^ v1 ^ v2 ^ v3
        v1 ^= 0xdd
        for _ in 0..<4 { round() }
        return (first, v0 ^ v1 ^ v2 ^ v3)
    }
}
