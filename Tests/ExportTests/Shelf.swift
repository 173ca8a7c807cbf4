@testable import Export
import OTLP
import Store
import Synchronization
import Tracing

/// A stand-in for the store: spans in memory, numbered from 1, their number also their id.
final class Shelf: Sendable {
    private struct State {
        var spans: [(field: [UInt8], isSampled: Bool)] = []
        var acknowledged: [Int64] = []
        var failsToRead = 0
        /// Up to here retention has taken them.
        var retired: Int64 = 0
    }
    private let state = Mutex(State())

    func add(_ count: Int, bytes: Int = 10, isSampled: Bool = true) {
        state.withLock { state in
            for _ in 0..<count {
                let id = UInt64(state.spans.count + 1)
                // Span: trace_id = 1, span_id = 2, name = 5; before it the head of ScopeSpans.spans = 2.
                var span: [UInt8] = [0x0A, 16] + Array(repeating: 7, count: 16) + [0x12, 8]
                for shift in stride(from: 56, through: 0, by: -8) { span.append(UInt8(truncatingIfNeeded: id >> UInt64(shift))) }
                span += [0x2A] + varint(bytes) + Array(repeating: UInt8(ascii: "n"), count: bytes)
                state.spans.append(([0x12] + varint(span.count) + span, isSampled))
            }
        }
    }

    /// Takes the spans away that are there, as retention does.
    func retireAll() { state.withLock { $0.retired = Int64($0.spans.count) } }

    func failToRead(times: Int) { state.withLock { $0.failsToRead = times } }

    var cursor: Int64 { state.withLock { $0.acknowledged.last ?? 0 } }
    /// Every cursor that was left, in turn.
    var cursors: [Int64] { state.withLock { $0.acknowledged } }

    /// - Parameter cursor: nil: where the last one was left.
    func source(from cursor: Int64? = nil) -> ExportSource {
        ExportSource(
            cursor: { cursor ?? self.cursor },
            latest: { self.state.withLock { Int64($0.spans.count) } },
            read: { (after, spans, bytes, batch) throws(StoreError) in
                try self.state.withLock { state throws(StoreError) in
                    if state.failsToRead > 0 {
                        state.failsToRead -= 1
                        throw .inputOutput(code: 10)
                    }
                    batch.reset(after: after)
                    guard state.retired < Int64(state.spans.count) else { return false }
                    batch.upTo = max(after, state.retired)
                    while batch.upTo < Int64(state.spans.count) {
                        let (field, isSampled) = state.spans[Int(batch.upTo)]
                        if isSampled {
                            guard batch.count < spans, batch.byteCount == 0 || batch.byteCount + field.count <= bytes else { break }
                            batch.fields += field
                            batch.count += 1
                        }
                        batch.upTo += 1
                    }
                    return batch.upTo > after
                }
            },
            oldest: { _ in 1 },
            acknowledge: { cursor in self.state.withLock { $0.acknowledged.append(cursor) } })
    }
}

private func varint(_ value: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    var rest = value
    while rest >= 0x80 {
        bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
        rest >>= 7
    }
    return bytes + [UInt8(rest)]
}

/// Exporters with what they report.
final class Bench: Sendable {
    let exporters: Exporters
    private let log: Log
    private final class Log: Sendable { let events = Mutex<[ExportEvent]>([]) }

    init() {
        let log = Log()
        self.log = log
        exporters = Exporters(
            spans: .hopspan(version: "1.2.3", serviceName: "svc", instance: "one", attributes: [("k", "v")]), version: "1.2.3"
        ) { _, event in log.events.withLock { $0.append(event) } }
    }

    var events: [ExportEvent] { log.events.withLock { $0 } }
    var health: ExporterHealth { exporters.health()[0] }

    func start(_ shelf: Shelf, _ destination: ExportDestination, from cursor: Int64? = nil) throws {
        exporters.use(try exporters.prepare([destination]) { _ in shelf.source(from: cursor) })
    }

    func finish(_ limit: Duration = .seconds(60)) { exporters.finish(within: limit) }
}

extension ExportDestination {
    /// Impatient: waits are milliseconds.
    static func quick(_ collector: Collector) -> ExportDestination {
        var destination = ExportDestination(name: "test", origin: collector.origin, target: "/v1/traces")
        destination.batchDelay = .milliseconds(5)
        destination.backoff.initial = .milliseconds(5)
        destination.backoff.most = .milliseconds(20)
        destination.timeout = .seconds(60)
        return destination
    }
}
