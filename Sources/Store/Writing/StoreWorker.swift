private import Glibc
import Runs
import Tracing

/// What the store's thread does. Made by whoever opens the store, then used on its thread only.
final class StoreWorker: @unchecked Sendable {
    let writer: StoreWriter
    private let shared: StoreShared
    private let clock: StoreClock
    private let tally: SpanTally
    let idHash: IDHash

    private var gather: UInt64 = 120_000_000
    private var retention = RetentionLimits(age: nil, bytes: .max)
    private var destinations: Set<String> = []

    /// Chunks that are drained and not yet in a batch, with the queue they go back to.
    private var backlog: [(chunk: SpanChunk, queue: SpanQueue)] = []
    private var backlogStart = 0
    /// A turn had enough with the backlog and left the queues alone: whatever woke the thread for them is forgotten.
    private var hasUndrained = false
    /// Blocks whose runs a former process left without their root.
    private var owingBlocks: [Int64] = []

    /// Runs that are being deleted, and who is to hear of it.
    private var deletions: [(deletion: RunDeletion, completion: @Sendable (Result<Bool, StoreError>) -> Void)] = []

    private var failedTries = 0
    private var retryAt: UInt64 = 0
    /// The same for merges of the index, which can wait.
    private var failedMerges = 0
    private var mergeAt: UInt64 = 0
    private var nextRetention: UInt64 = 0
    private var lastCommit: UInt64 = 0
    private var hasUncopiedLog = false
    private var hasCache = false
    private var wantsVacuum = false

    /// How often a batch is tried that fails for a reason that will not pass.
    private static let hopelessTries = 3
    /// How long the last writes may go on failing once the store closes.
    private static let closingPatience: UInt64 = 5_000_000_000

    init(_ writer: StoreWriter, shared: StoreShared, clock: StoreClock, tally: SpanTally) {
        self.tally = tally
        self.writer = writer
        self.shared = shared
        self.clock = clock
        idHash = writer.index.hash
    }

    // MARK: the thread

    func run() {
        // A disk that refuses even that says so with the first spans.
        try? writer.noteOpen(true)
        owingBlocks = (try? writer.owingBlocks()) ?? []
        var closingUntil: UInt64?
        while true {
            let reasons = wait()
            let isClosing = reasons.stop
            if isClosing, closingUntil == nil { closingUntil = clock.monotonic() + Self.closingPatience }
            turn(isClosing: isClosing)
            guard isClosing else { continue }
            if !hasWork { break }
            if clock.monotonic() >= closingUntil ?? 0 {
                giveUp()
                break
            }
        }
        for (_, completion) in deletions { completion(.failure(.closed)) }
        for command in shared.closeCommands() { command(nil, .closed) }
        // Where the disk refuses that too, the next process tells what is missing.
        if (try? writer.noteOpen(false)) != nil { tally.close() }
        _ = try? writer.database.checkpoint(truncate: true)
    }

    private var hasBacklog: Bool { backlogStart < backlog.count }
    private var hasWork: Bool { writer.hasBatch || hasBacklog || !deletions.isEmpty || shared.queues.contains { $0.queuedBytes > 0 } }

    func wait() -> StoreSignal.Reasons {
        var reasons = shared.signal.wait(until: nextTurn) { $0.spans || $0.command || $0.stop }
        if let end = gathering(reasons) {
            let more = shared.signal.wait(until: end) { $0.command || $0.stop }
            reasons.stop = more.stop
        }
        return reasons
    }

    /// Until when, by the monotonic clock, more is gathered before what has come is written; nil: it is written at once. While the disk
    /// refuses, spans wait in their queues: the next try decides. Where more waits than a batch, nothing is gathered.
    func gathering(_ reasons: StoreSignal.Reasons) -> UInt64? {
        guard reasons.spans, !reasons.command, !reasons.stop, !hasBacklog, !hasUndrained else { return nil }
        return reasons.spansSince + gather
    }

    /// Monotonic nanoseconds.
    var nextTurn: UInt64 {
        let now = clock.monotonic()
        if failedTries > 0 { return max(retryAt, now + 1_000_000) }
        if hasBacklog || hasUndrained || !owingBlocks.isEmpty || !deletions.isEmpty || writer.index.wantsMerge && now >= mergeAt { return now }
        var next = max(nextRetention, now + gather)
        if writer.index.wantsMerge { next = min(next, mergeAt) }
        if let closing = writer.ledger.nextClosing { next = min(next, max(closing, now + gather)) }
        if hasUncopiedLog || hasCache { next = min(next, max(lastCommit + 5_000_000_000, now + gather)) }
        return next
    }

    /// One batch, the messages that wait, and a bounded piece of housekeeping.
    func turn(isClosing: Bool) {
        let commands = shared.takeCommands()
        for (destination, span) in shared.takeCursors() { writer.setCursor(destination, span) }
        if failedTries > 0 {
            // The batch that failed comes first; nothing is drained before it is written.
            if clock.monotonic() >= retryAt || isClosing || !commands.isEmpty { commit() }
            if failedTries > 0, isClosing { usleep(50_000) }
        }
        if failedTries == 0 { takeSpans(all: !commands.isEmpty || isClosing) }
        if failedTries == 0, !deletions.isEmpty { deleteMore() }
        for command in commands { command(self, failure) }
        if failedTries == 0 { keepHouse() }
        shared.publish(writer.told)
        let open = writer.ledger.openCount
        shared.update { $0.openRuns = open }
    }

    // MARK: spans

    /// Drains the queues and commits in pieces, until everything is written (`all`), or one piece.
    private func takeSpans(all: Bool) {
        if all || !hasBacklog { drain() } else { hasUndrained = true }
        repeat {
            let now = clock.monotonic()
            while hasBacklog, !writer.batchIsFull {
                let (chunk, queue) = backlog[backlogStart]
                chunk.forEach { record, entries in writer.take(record, entries, now: now) }
                queue.recycle([chunk])
                backlogStart += 1
            }
            recoverRoots()
            writer.endBatch(now: now)
            commit()
        } while failedTries == 0 && hasBacklog && all
        if !hasBacklog {
            backlog.removeAll(keepingCapacity: true)
            backlogStart = 0
        }
    }

    private func drain() {
        hasUndrained = false
        if !hasBacklog {
            backlog.removeAll(keepingCapacity: true)
            backlogStart = 0
        }
        for queue in shared.queues {
            for chunk in queue.drain() { backlog.append((chunk, queue)) }
        }
    }

    private var failure: StoreError?
    /// Health shows a failure: until a commit succeeds, also where the batch that failed was given up.
    private var showsFailure = false

    private func commit() {
        guard writer.hasBatch else {
            failedTries = 0
            failure = nil
            return
        }
        let spans = writer.batchSpans
        do {
            try writer.commit()
            if showsFailure { shared.update { ($0.failure, $0.failingSince) = (nil, nil) } }
            showsFailure = false
            failedTries = 0
            failure = nil
            lastCommit = clock.monotonic()
            hasUncopiedLog = true
            hasCache = true
            nextRetention = min(nextRetention, lastCommit + 1_000_000_000)
            if spans > 0 {
                shared.update { $0.written += UInt64(spans) }
                shared.publish(writer.told)
                shared.notify()
            }
        } catch {
            failed(error)
        }
    }

    private func failed(_ error: StoreError) {
        failedTries += 1
        failure = error
        let now = clock.wall()
        showsFailure = true
        shared.update { health in
            health.failure = error
            if health.failingSince == nil { health.failingSince = now }
        }
        if !error.mayPass, failedTries >= Self.hopelessTries {
            lose(writer.batchSpans, error)
            writer.abandon()
            failedTries = 0
            failure = nil
            return
        }
        // 50 ms, doubling to 2 s: the queues hold what comes meanwhile.
        retryAt = clock.monotonic() + Self.pause(afterTries: failedTries)
    }

    private func lose(_ spans: Int, _ reason: StoreError) {
        shared.update { $0.lost["\(reason.reason)", default: 0] += UInt64(spans) }
    }

    /// Closing, and the disk still refuses.
    private func giveUp() {
        var spans = writer.batchSpans
        drain()
        for (chunk, _) in backlog[backlogStart...] { chunk.forEach { _, _ in spans += 1 } }
        lose(spans, failure ?? .closed)
        writer.abandon()
    }

    // MARK: runs

    func end(_ key: RunKey) throws(StoreError) -> Bool {
        let known = writer.ledger.end(key, stored: { key, run in writer.load(key, into: run) }, settle: { writer.writeRoot(of: $0) })
        try commitCommand()
        return known
    }

    /// Deletes a run, over as many turns as its spans take; `completion` is told false where it is not there.
    func delete(_ row: Int64, completion: @escaping @Sendable (Result<Bool, StoreError>) -> Void) {
        do throws(StoreError) {
            guard let deletion = try writer.beginDeletion(of: row) else { return completion(.success(false)) }
            deletions.append((deletion, completion))
        } catch { return completion(.failure(error)) }
        if deletions.count == 1 { deleteMore() }
    }

    /// Some blocks of the run whose deletion was asked for first.
    private func deleteMore() {
        do throws(StoreError) {
            hasUncopiedLog = true
            guard try writer.continueDeletion(&deletions[0].deletion) else { return }
        } catch {
            let (deletion, completion) = deletions.removeFirst()
            writer.endDeletion(deletion)
            return completion(.failure(error))
        }
        // Its bytes go from the log too, as soon as readers let go.
        _ = try? writer.database.checkpoint(truncate: true)
        deletions.removeFirst().completion(.success(true))
    }

    func finishRuns() throws(StoreError) {
        while !owingBlocks.isEmpty {
            recoverRoots()
            try commitCommand()
        }
        var isMore = true
        while isMore {
            isMore = writer.ledger.closeOwing(while: { !writer.batchIsFull }) { writer.writeRoot(of: $0) }
            try commitCommand()
        }
    }

    /// How long the disk is left alone after so many tries in a row that failed, in nanoseconds.
    private static func pause(afterTries tries: Int) -> UInt64 { min(2_000_000_000, 50_000_000 << UInt64(min(tries - 1, 6))) }

    private func commitCommand() throws(StoreError) {
        commit()
        if let failure { throw failure }
    }

    /// Closes some hundred runs that a former process left open: nobody can go on with them under the root they had.
    private func recoverRoots() {
        for _ in 0..<16 {
            guard let block = owingBlocks.popLast() else { return }
            for row in (try? writer.owingRuns(in: block)) ?? [] {
                _ = writer.ledger.endStored(
                    { run in writer.load(row: row, into: run) { !writer.ledger.follows($0.key) } },
                    settle: { writer.writeRoot(of: $0) })
            }
        }
    }

    // MARK: settings

    func apply(_ options: Store.Options) {
        gather = options.gather.nanoseconds
        var limits = RunLedger.Limits()
        limits.openRuns = options.openRuns
        limits.idle = options.runIdle.nanoseconds
        limits.wait = options.runWait?.nanoseconds
        writer.ledger.limits = limits
        shared.setTimes(runIdle: limits.idle, runWait: limits.wait)
        // SQLite's memory file ends at 1 GiB.
        let bytes = writer.file.isMemory ? min(options.maxSize, 512 << 20) : options.maxSize
        retention = RetentionLimits(age: options.retention?.nanoseconds, bytes: bytes)
        nextRetention = 0
    }

    /// Destinations from now on. A new one goes on where another of its URL was that is no longer there: its headers have changed. Else it
    /// starts behind what is stored.
    func register(_ names: [String]) throws(StoreError) {
        destinations = Set(names)
        let former = writer.stored.cursors.filter { !destinations.contains($0.key) }
        for name in names where writer.stored.cursors[name] == nil {
            let place = former.filter { Self.url(of: $0.key) == Self.url(of: name) }.map(\.value).max()
            writer.setCursor(name, place ?? writer.stored.nextSpan - 1)
        }
        // Before the answer to whoever asked, and whether or not it can be written: exporters look for their cursors next.
        shared.publish(writer.told)
        if let failure { throw failure }
        try commitCommand()
    }

    /// The part of a destination's name before its mark.
    private static func url(of name: String) -> Substring { name.prefix { $0 != "#" && $0 != "?" } }

    // MARK: housekeeping

    private func keepHouse() {
        let now = clock.monotonic()
        if writer.index.wantsMerge, now >= mergeAt { merge() }
        if now >= nextRetention { retain(now) }
        let isQuiet = now >= lastCommit + 5_000_000_000
        if hasUncopiedLog, writer.database.loggedBytes >= StoreWriter.logLimit || isQuiet {
            hasUncopiedLog = false
            // A reader that stays long keeps the log from starting over; beyond four times the bound it is waited for.
            let isOverdue = writer.database.loggedBytes >= 4 * StoreWriter.logLimit
            _ = try? writer.database.checkpoint(restart: isOverdue)
        }
        if isQuiet, hasCache {
            hasCache = false
            if wantsVacuum { vacuum() }
            writer.database.releaseMemory()
        }
    }

    private func merge() {
        do {
            try writer.database.transaction { () throws(StoreError) in try writer.index.mergeStep() }
            writer.index.mergeCommitted()
            failedMerges = 0
            hasUncopiedLog = true
        } catch {
            writer.index.mergeFailed()
            failedMerges += 1
            mergeAt = clock.monotonic() + Self.pause(afterTries: failedMerges)
        }
    }

    private func retain(_ now: UInt64) {
        // A commit brings it forward: the size is looked at every second while spans come, the age twice a minute anyway.
        nextRetention = now + 30_000_000_000
        guard let step = try? writer.retain(retention, now: clock.wall(), destinations: destinations), step.isMore else { return }
        nextRetention = now
        hasUncopiedLog = true
        wantsVacuum = true
        shared.update { health in
            health.retiredSpans += UInt64(step.spans)
            health.retiredRuns += UInt64(step.runs)
            for (destination, spans) in step.unexported { health.retiredUnexported[destination, default: 0] += UInt64(spans) }
        }
    }

    /// Gives pages back that have become free and are many, a few at a time; the rest serves new spans.
    private func vacuum() {
        let pages = (try? writer.database.integer("PRAGMA page_count")) ?? 0
        let free = (try? writer.database.integer("PRAGMA freelist_count")) ?? 0
        guard free > 1_024, free > pages / 4 else {
            wantsVacuum = false
            return
        }
        try? writer.database.execute("PRAGMA incremental_vacuum(1024)")
        hasUncopiedLog = true
        hasCache = true
    }
}

extension Duration {
    /// Clamped to what fits; negative is 0.
    var nanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (whole, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? .max : whole.addingReportingOverflow(UInt64(attoseconds / 1_000_000_000)).partialValue
    }
}
