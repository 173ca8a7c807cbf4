public import EventLoop
import HTTP
public import OTLP
public import Store
import Synchronization
public import TLS

/// The exporters of all destinations, each on a thread of its own (`export-1`, …), so that one that is stuck holds up no other.
///
///     let exporters = Exporters(spans: source, version: "1.0", log: log)
///     try exporters.use(destinations, following: store, contexts: contexts)     // at a reload: prepare all, then use what is prepared
///     store.onCommit { exporters.notify() }
///     …
///     exporters.finish(within: .seconds(5))    // after the store's last commit, before its `close`
public final class Exporters: Sendable {
    private let spans: SpanSource
    private let version: String
    private let resolver: Resolver
    private let log: @Sendable (_ destination: String, ExportEvent) -> Void

    struct Running: Sendable {
        let destination: ExportDestination
        let exporter: Exporter
        let shared: ExporterShared
        /// Where its place in the store is.
        let cursor: @Sendable () -> Int64
    }

    /// Destinations, and the exporters of those that are new, ready to start.
    public struct Prepared: Sendable {
        let destinations: [ExportDestination]
        let new: [Running]
    }

    private struct State {
        var running: [Running] = []
        var started = 0
    }
    private let state = Mutex(State())

    /// - Parameters:
    ///   - spans: resource and scope of what is sent.
    ///   - version: ours, for `User-Agent`.
    ///   - log: called on the exporters' threads, with the destination's label.
    public init(
        spans: SpanSource, version: String, resolver: Resolver = Resolver(),
        log: @escaping @Sendable (_ destination: String, ExportEvent) -> Void = { _, _ in }
    ) {
        self.spans = spans
        self.version = version
        self.resolver = resolver
        self.log = log
    }

    /// Exports to these destinations from now on: `prepare` and `use` in one.
    public func use(_ destinations: [ExportDestination], following store: Store, contexts: TLSContexts = TLSContexts()) throws(ExportError) {
        use(try prepare(destinations, following: store, contexts: contexts))
    }

    /// Makes what exporting to these destinations needs, and changes nothing. Reads the files of certificates. Called, and what it
    /// returns used, by one thread at a time.
    /// - Parameter contexts: of the configuration that the destinations are from.
    public func prepare(_ destinations: [ExportDestination], following store: Store, contexts: TLSContexts) throws(ExportError) -> Prepared {
        try prepare(destinations, contexts: contexts) { destination throws(StoreError) in try .following(store, as: destination.name) }
    }

    func prepare(
        _ destinations: [ExportDestination], contexts: TLSContexts = TLSContexts(), from source: (ExportDestination) throws(StoreError) -> sending ExportSource
    ) throws(ExportError) -> Prepared {
        let before = state.withLock { $0.running }
        var new: [Running] = []
        for destination in destinations where !before.contains(where: { $0.destination == destination }) {
            let tls: TLSContext?
            do { tls = try destination.context(contexts) } catch { throw .tls(error) }
            let place: ExportSource
            do { place = try source(destination) } catch { throw .store(error) }
            new.append(try make(destination, place, tls))
        }
        return Prepared(destinations: destinations, new: new)
    }

    /// Exports to the prepared destinations from now on; the store must know them by their names. Those that were there before and are
    /// the same go on undisturbed; others end where they are, without a last export: their cursors keep their place. May wait a second
    /// for those that end.
    public func use(_ prepared: Prepared) {
        let gone = state.withLock { $0.running }.filter { !prepared.destinations.contains($0.destination) }
        // First, so that no two exporters move one cursor.
        end(gone, within: .zero)
        state.withLock { state in state.running.removeAll { running in gone.contains { $0.exporter === running.exporter } } }
        for running in prepared.new {
            let cursor = running.cursor()
            running.shared.update { $0.cursor = cursor }
            running.exporter.loop.start()
            Task(executorPreference: running.exporter.loop) { await running.exporter.run(from: cursor) }
            state.withLock { $0.running.append(running) }
        }
    }

    private func make(_ destination: ExportDestination, _ source: sending ExportSource, _ tls: TLSContext?) throws(ExportError) -> Running {
        let number = state.withLock { state in
            state.started += 1
            return state.started
        }
        let loop: EventLoop
        do { loop = try EventLoop(name: "export-\(number)") } catch { throw .system(error) }
        let label = destination.label
        let shared = ExporterShared(name: destination.name, destination: label) { [log] event in log(label, event) }
        let cursor = source.cursor
        let exporter = Exporter(destination, source, spans: spans, version: version, loop: loop, resolver: resolver, tls: tls, shared: shared)
        return Running(destination: destination, exporter: exporter, shared: shared, cursor: cursor)
    }

    /// More is in the store. From any thread, cheap enough for the store's own.
    public func notify() {
        for running in state.withLock({ $0.running }) { running.shared.bell.ring() }
    }

    public func health() -> [ExporterHealth] { state.withLock { $0.running }.map { $0.shared.snapshot() } }

    /// Sends what is in the store and ends all exporters; waits for that, little longer than it is given. A receiver that is not there
    /// is not waited for.
    public func finish(within limit: Duration) {
        let all = state.withLock { state in
            defer { state.running.removeAll() }
            return state.running
        }
        end(all, within: limit)
    }

    private func end(_ exporters: [Running], within limit: Duration) {
        let deadline = Clock.system.monotonic + limit.nanoseconds
        for running in exporters { running.shared.end(at: deadline) }
        for running in exporters {
            let now = Clock.system.monotonic
            if now < deadline, running.shared.waitForEnd(nanoseconds: deadline - now) {
                running.exporter.loop.join()
                continue
            }
            // What still runs is broken off. A connection that is just being opened cannot be: its thread ends by itself.
            let (loop, exporter) = (running.exporter.loop, running.exporter)
            Task(executorPreference: loop) { await exporter.abort() }
            if running.shared.waitForEnd(nanoseconds: 1_000_000_000) { loop.join() }
        }
    }
}

/// Why an exporter could not be started.
public enum ExportError: Error, Sendable, Equatable {
    case store(StoreError)
    case system(SystemError)
    case tls(TLSError)
}
