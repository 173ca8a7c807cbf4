public import OTLP
public import Runs
private import Synchronization
public import Tracing

/// The database of spans and runs, and the one thread ("store") that writes it.
///
/// Loops record into queues (`makeQueue`); the thread drains them some eight times a second, encodes each span once, keeps the
/// ledger, and commits a batch in one transaction. Everybody else reads, each on a connection of its own (`makeReader`), and asks
/// for changes by messages to the thread. A killed process loses what had not been committed: at most 200 ms of traffic.
public final class Store: Sendable {
    public struct Options: Sendable {
        /// A file, or ":memory:".
        public var path: String
        /// How long spans are kept after their end; nil for ever.
        public var retention: Duration? = .seconds(30 * 86_400)
        /// Bytes the database may take. In memory, never more than 512 MiB.
        public var maxSize: Int64 = 20 << 30
        /// Quiet that closes a run.
        public var runIdle: Duration = .seconds(60)
        /// The same for a run whose last reply asked for a tool; nil makes no difference.
        public var runWait: Duration?
        /// How long the thread waits for more once a span is there. Spans are visible this long, and a commit, after their end.
        public var gather: Duration = .milliseconds(120)
        /// Runs followed at once.
        public var openRuns = 100_000
        /// Where spans are exported to; a new one gets the spans from now on.
        public var destinations: [String] = []
        /// What is kept of a span's attributes.
        public var attributeLimits = AttributeLimits()

        public init(path: String) { self.path = path }
    }

    /// The salt of keys of named runs: the same for as long as the store lasts, so that a run's name leads to it after a restart.
    public let runKeySalt: (UInt64, UInt64)
    /// Counters over hops.
    public let metrics: SpanMetrics
    private let shared: StoreShared
    private let phase: Mutex<Phase>
    private let idHash: IDHash
    private let clock: StoreClock
    private let tally: SpanTally
    /// How the process that had the store before ended.
    public let formerEnd: FormerEnd

    public enum FormerEnd: Sendable, Hashable {
        /// It closed the store, or there was none.
        case closed
        /// It was killed, and so many spans that it had recorded are not stored. They are among `StoreHealth.lost` as well.
        case killed(lost: UInt64)
        /// It was killed, or the machine went down; how many spans it had recorded and not stored is not known.
        case unknown
    }

    private struct Phase {
        /// The file, and the right to write it; nil once closed.
        var file: StoreFile?
        /// Until the thread has taken it over.
        var worker: StoreWorker?
        var thread: NamedThread?
    }

    /// Opens, or makes, the database and brings its schema up to date. Takes the store for this process; nothing runs before `start`.
    ///
    /// - Parameters:
    ///   - runIsUnderWay: asked on the store's thread, with the monotonic time, of a named run that has been quiet for long enough: whether
    ///     a hop of it has begun that is not over.
    ///   - onRunClosed: called on the store's thread with every named run that closes.
    public convenience init(
        _ options: Options, runIsUnderWay: @escaping @Sendable (RunKey, UInt64) -> Bool = { _, _ in false },
        onRunClosed: @escaping @Sendable (RunKey) -> Void = { _ in }
    ) throws(StoreError) {
        try self.init(options, clock: .system, runIsUnderWay: runIsUnderWay, onRunClosed: onRunClosed)
    }

    init(
        _ options: Options, clock: StoreClock, runIsUnderWay: @escaping @Sendable (RunKey, UInt64) -> Bool = { _, _ in false },
        onRunClosed: @escaping @Sendable (RunKey) -> Void = { _ in }
    ) throws(StoreError) {
        self.clock = clock
        metrics = SpanMetrics()
        let file = try StoreFile(path: options.path)
        shared = StoreShared()
        let ledger = RunLedger(isUnderWay: runIsUnderWay, onClosed: onRunClosed)
        let writer = try StoreWriter(file, ledger: ledger, metrics: metrics, limits: options.attributeLimits)
        tally = SpanTally(of: writer.index.hash.salt, file.isMemory ? nil : file)
        switch (try writer.settledBefore, tally.before) {
        case (nil, _): formerEnd = .closed
        case (let settled?, let recorded?):
            let lost = recorded - min(recorded, UInt64(clamping: settled))
            formerEnd = .killed(lost: lost)
            if lost > 0 { shared.update { $0.lost["killed"] = lost } }
        case (_?, nil): formerEnd = .unknown
        }
        let worker = StoreWorker(writer, shared: shared, clock: clock, tally: tally)
        idHash = writer.index.hash
        runKeySalt = (try StoreWriter.salt("run_salt_1", of: writer.database), try StoreWriter.salt("run_salt_2", of: writer.database))
        worker.apply(options)
        try worker.register(options.destinations)
        shared.publish(writer.stored)
        phase = Mutex(Phase(file: file, worker: worker))
    }

    /// A queue that the thread drains; one per loop.
    /// - Parameter limit: bytes of spans that may wait.
    public func makeQueue(limit: Int = 32 << 20) -> SpanQueue {
        let queue = SpanQueue(limit: limit, count: tally.makeCount()) { [shared] in shared.signal.wake() }
        shared.add(queue)
        return queue
    }

    /// Calls `notify` on the store's thread after each commit that brought spans. It must not block.
    public func onCommit(_ notify: @escaping @Sendable () -> Void) { shared.add(notify) }

    /// Starts the thread; once.
    public func start() {
        phase.withLock { phase in
            guard let worker = phase.worker.take() else { return }
            phase.thread = NamedThread("store") { worker.run() }
        }
    }

    /// A reader with a connection of its own, for use by one thread at a time. It keeps the file from other processes while it lives,
    /// even when the store is closed.
    public func makeReader() throws(StoreError) -> sending StoreReader {
        guard let file = phase.withLock({ $0.file }) else { throw .closed }
        return try StoreReader(file, hash: idHash, clock: clock, shared: shared)
    }

    // MARK: messages to the thread

    /// Notes how far a destination has got; on disk with the next batch.
    public func setCursor(_ destination: String, _ span: Int64) {
        shared.send(cursor: destination, span)
        shared.signal.wake()
    }

    /// Takes up changed limits and destinations; `path` and `attributeLimits` stay as they were. Where the completion is told of a failure
    /// they are in force all the same; the places of new destinations are not on disk yet.
    public func reconfigure(_ options: Options, completion: @escaping @Sendable (Result<Void, StoreError>) -> Void = { _ in }) {
        send(completion) { worker, _ in
            worker.apply(options)
            completion(Result { () throws(StoreError) in try worker.register(options.destinations) })
        }
    }

    /// Closes a run now. True in the end, false where the run is gone.
    public func end(_ run: RunKey, completion: @escaping @Sendable (Result<Bool, StoreError>) -> Void) {
        send(completion) { worker throws(StoreError) in try worker.end(run) }
    }

    /// Deletes a run with its spans. False where it is gone already.
    public func delete(_ run: StoredRun, completion: @escaping @Sendable (Result<Bool, StoreError>) -> Void) {
        send(completion) { worker, failure in
            if let failure { completion(.failure(failure)) } else { worker.delete(run.row, completion: completion) }
        }
    }

    /// Writes everything recorded before the call.
    public func flush(completion: @escaping @Sendable (Result<Void, StoreError>) -> Void) {
        send(completion) { _ throws(StoreError) in }
    }

    /// Writes everything recorded before the call, and the root of every run that still owes one: the process is about to end, and its
    /// last export should have them.
    public func finishRuns(completion: @escaping @Sendable (Result<Void, StoreError>) -> Void) {
        send(completion) { worker throws(StoreError) in try worker.finishRuns() }
    }

    /// Writes what is left, ends the thread and lets the file go. What a failing disk still refuses after five seconds is lost, and counted.
    public func close() {
        let thread = phase.withLock { phase -> NamedThread? in
            phase.worker = nil
            return phase.thread.take()
        }
        if let thread {
            shared.signal.stop()
            thread.join()
        }
        // After the thread's connection: the lock goes last.
        phase.withLock { $0.file = nil }
    }

    public func health() -> StoreHealth { shared.health(phase.withLock { $0.file }) }

    /// For tests: does something between two batches, on the thread.
    func withWriter(
        _ body: @escaping @Sendable (StoreWriter) throws(StoreError) -> Void, completion: @escaping @Sendable (Result<Void, StoreError>) -> Void
    ) {
        send(completion) { worker throws(StoreError) in try body(worker.writer) }
    }

    /// For tests: does something between two tries, also while writes fail.
    func whileFailing(_ body: @escaping @Sendable (StoreWriter) -> Void) async {
        await withCheckedContinuation { continuation in
            _ = shared.send { worker, _ in
                if let worker { body(worker.writer) }
                continuation.resume()
            }
            shared.signal.command()
        }
    }

    /// `StoreHealth.lastSpan` alone, without asking the disk.
    public var lastSpan: Int64 { shared.lastSpan }

    /// What the thread answers at once; not while its writes fail.
    private func send<Value>(
        _ completion: @escaping @Sendable (Result<Value, StoreError>) -> Void,
        _ work: @escaping @Sendable (StoreWorker) throws(StoreError) -> Value
    ) {
        send(completion) { worker, failure in
            if let failure { return completion(.failure(failure)) }
            do throws(StoreError) {
                completion(.success(try work(worker)))
            } catch {
                completion(.failure(error))
            }
        }
    }

    /// - Parameter work: sees to the completion; is told what makes the store's writes fail, if they do.
    private func send<Value>(
        _ completion: @escaping @Sendable (Result<Value, StoreError>) -> Void, _ work: @escaping @Sendable (StoreWorker, StoreError?) -> Void
    ) {
        let isOpen = shared.send { worker, failure in
            guard let worker else { return completion(.failure(failure ?? .closed)) }
            work(worker, failure)
        }
        guard isOpen else { return completion(.failure(.closed)) }
        shared.signal.command()
    }
}
