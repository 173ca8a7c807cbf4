import EventLoop
import Synchronization

/// What an exporter's thread and the others have in common.
final class ExporterShared: Sendable {
    let bell = Bell()
    private let log: @Sendable (ExportEvent) -> Void
    private let health: Mutex<ExporterHealth>
    /// Monotonic nanoseconds; `.max` while it runs.
    private let endsAt = Atomic<UInt64>(.max)
    private let hasEnded = WorkSignal()

    init(name: String, destination: String, log: @escaping @Sendable (ExportEvent) -> Void) {
        self.log = log
        health = Mutex(ExporterHealth(name: name, destination: destination))
    }

    func update(_ change: (inout ExporterHealth) -> Void) { health.withLock { change(&$0) } }
    func snapshot() -> ExporterHealth { health.withLock { $0 } }
    func report(_ event: ExportEvent) { log(event) }

    // MARK: the end

    /// When all is to be over; nil while nobody has asked for the end.
    var end: UInt64? {
        let time = endsAt.load(ordering: .acquiring)
        return time == .max ? nil : time
    }

    func end(at deadline: UInt64) {
        endsAt.store(deadline, ordering: .releasing)
        bell.ring()
    }

    func endNow() { endsAt.store(0, ordering: .releasing) }

    func ended() { hasEnded.signal() }

    /// False when it did not end in time. Not on the exporter's thread.
    func waitForEnd(nanoseconds: UInt64) -> Bool { hasEnded.wait(nanoseconds: nanoseconds) }
}
