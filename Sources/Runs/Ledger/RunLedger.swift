public import Tracing

/// The one book of running runs: it takes every span in, once, and says what each run adds up to, which rows have changed and
/// which runs have come to their end.
///
/// Used on the store's thread alone; pure: time, and what the store already knows of a run, are handed in. A batch is
/// `absorb` for each span, `closeEnded` once, then the rows of `touched` are written, then `committed`.
public final class RunLedger {
    public struct Limits: Sendable {
        /// Runs followed at once; beyond that the one that has been quiet the longest is closed.
        public var openRuns = 100_000
        /// Nanoseconds of quiet that close a run.
        public var idle: UInt64 = 60_000_000_000
        /// Nanoseconds before a run is closed whose last hop asked for a tool's result; nil treats it as any other.
        public var wait: UInt64?

        public init() {}
    }

    public var limits: Limits
    /// Runs whose row differs from the stored one.
    public private(set) var touched: [OpenRun] = []
    /// The row the next new run gets.
    public var nextRow: Int64 = 1
    /// Runs followed now.
    public var openCount: Int { bySlot.count - free.count }

    private var table = RunTable()
    private var bySlot: ContiguousArray<OpenRun?> = []
    private var free: [Int32] = []
    private var spare: [OpenRun] = []
    private var idleList = List()
    private var waitingList = List()
    /// The latest end of any run that has been let go, in Unix nanoseconds.
    private var letGoUpTo: UInt64 = 0
    private let isUnderWay: (RunKey, UInt64) -> Bool
    private let onClosed: (RunKey) -> Void

    /// What a batch at full load opens and closes.
    private static let mostSpare = 8_192

    /// - Parameters:
    ///   - isUnderWay: asked of a named run that has been quiet for long enough, with the time of the asking: whether a hop of it has begun
    ///     that is not over. Such a run is not idle.
    ///   - onClosed: told of every named run that closes, so that whoever gave it its trace forgets it.
    public init(
        limits: Limits = Limits(), isUnderWay: @escaping (RunKey, UInt64) -> Bool = { _, _ in false },
        onClosed: @escaping (RunKey) -> Void = { _ in }
    ) {
        self.limits = limits
        self.isUnderWay = isUnderWay
        self.onClosed = onClosed
    }

    /// Takes a span in.
    ///
    /// - Parameters:
    ///   - facts: of the same span.
    ///   - sequence: asked for the span's number in the store, higher than any before, after `settle` has taken one.
    ///   - now: monotonic nanoseconds.
    ///   - stored: fills the run it is handed (`OpenRun.read`) where the store knows the key; asked at most once per run and opening.
    ///   - settle: called before the span is taken in, where its run has another root span than before and the old one has not been
    ///     written: to be written now, with the totals so far (`drawRoot`, `noteRoot`).
    /// - Returns: the run, the sequence number of the span before this one in it (0: none), and whether the run or the trace is new to
    ///   the id index.
    public func absorb(
        _ record: SpanRecord, _ entries: RawSpan, _ facts: SpanFacts, sequence: () -> Int64, now: UInt64,
        stored: (RunKey, OpenRun) -> Bool, settle: (OpenRun) -> Void
    ) -> Absorbed {
        let key = record.run
        let run: OpenRun
        var isNew = false
        if let known = follow(key) {
            run = known
            unlink(run)
        } else {
            (run, isNew) = open(key, record, stored)
        }
        touch(run)
        let opensRoot = record.runRoot != 0 && record.runRoot != run.head.root
        if opensRoot {
            if run.head.root != 0, run.state == .rootOwed { settle(run) }
            run.head.root = record.runRoot
            run.head.rootTrace = record.traceID
            run.head.rootStartedAt = record.startTime
        }
        let traceIsNew = run.add(record, entries, facts)
        if opensRoot || run.state == .rootOwed {
            run.state = .rootOwed
            if record.runRoot == run.head.root {
                run.head.rootStartedAt = min(run.head.rootStartedAt, record.startTime)
                run.head.rootFlags |= record.flags
            }
        } else {
            // A root is written once, whatever comes below it later.
            run.state = .byTime
        }
        // A run that nothing can continue does not wait: its tool result would come as another run.
        if !record.runIsNamed, record.linkedBy == LinkedBy.new.rawValue { run.head.isWaiting = false }
        run.lastActive = now
        link(run)
        let previous = run.lastSequence
        run.lastSequence = sequence()
        return Absorbed(run: run, previous: previous, runIsNew: isNew, traceIsNew: traceIsNew)
    }

    public struct Absorbed {
        public let run: OpenRun
        public let previous: Int64
        public let runIsNew: Bool
        public let traceIsNew: Bool
    }

    /// Notes that the run's root span has been written under this number; returns the number of the span before.
    public func noteRoot(of run: OpenRun, sequence: Int64) -> Int64 {
        let previous = run.lastSequence
        run.lastSequence = sequence
        run.state = .closed
        touch(run)
        return previous
    }

    /// Closes the runs that have been quiet for long enough, and the quietest beyond the bound, as far as there is room.
    /// - Parameters:
    ///   - hasRoom: asked before each; what has no room is closed by a later call.
    ///   - settle: writes the root of a run that owes one (`drawRoot`, `noteRoot`).
    public func closeEnded(now: UInt64, while hasRoom: () -> Bool = { true }, settle: (OpenRun) -> Void) {
        while let run = nextToClose(now), hasRoom() { closeUnlessUnderWay(run, now, settle: settle) }
    }

    private func nextToClose(_ now: UInt64) -> OpenRun? {
        let (idle, waiting) = (quietest(in: idleList), quietest(in: waitingList))
        if openCount > limits.openRuns {
            guard let idle, let waiting else { return idle ?? waiting }
            return waiting.lastActive < idle.lastActive ? waiting : idle
        }
        if let idle, idle.lastActive + limits.idle <= now { return idle }
        if let waiting, waiting.lastActive + (limits.wait ?? limits.idle) <= now { return waiting }
        return nil
    }

    /// Beyond the bound nobody is spared.
    private func closeUnlessUnderWay(_ run: OpenRun, _ now: UInt64, settle: (OpenRun) -> Void) {
        guard openCount <= limits.openRuns, run.head.isNamed, isUnderWay(run.head.key, now) else {
            return close(run, byRequest: false, settle: settle)
        }
        unlink(run)
        run.lastActive = now + 1
        link(run)
    }

    /// Monotonic time at which `closeEnded` has something to do next; nil while no run is open.
    public var nextClosing: UInt64? {
        let idle = quietest(in: idleList).map { $0.lastActive + limits.idle }
        let waiting = quietest(in: waitingList).map { $0.lastActive + (limits.wait ?? limits.idle) }
        return [idle, waiting].compactMap { $0 }.min()
    }

    /// Closes a run now, whether it is followed or only stored. False where nobody knows it.
    public func end(_ key: RunKey, stored: (RunKey, OpenRun) -> Bool, settle: (OpenRun) -> Void) -> Bool {
        if let run = follow(key) {
            close(run, byRequest: true, settle: settle)
            return true
        }
        return endStored({ run in stored(key, run) }, settle: settle)
    }

    /// Closes a run that is not followed, only stored.
    /// - Parameter fill: reads its row (`OpenRun.read`); false where there is none.
    public func endStored(_ fill: (OpenRun) -> Bool, settle: (OpenRun) -> Void) -> Bool {
        let run = fresh()
        guard fill(run) else {
            recycle(run)
            return false
        }
        guard run.state != .closed else {
            recycle(run)
            return true
        }
        if run.state == .rootOwed { settle(run) }
        run.state = .closed
        touch(run)
        if run.head.isNamed { onClosed(run.head.key) }
        return true
    }

    /// Whether the run is followed now.
    public func follows(_ key: RunKey) -> Bool { follow(key) != nil }

    /// Closes every run that owes its root, as far as there is room: the process is about to end, and nobody else would write it.
    /// - Returns: whether there are more.
    public func closeOwing(while hasRoom: () -> Bool, settle: (OpenRun) -> Void) -> Bool {
        for case let run? in bySlot where run.state == .rootOwed {
            guard hasRoom() else { return true }
            close(run, byRequest: false, settle: settle)
        }
        return false
    }

    /// Forgets a run without writing anything: it has been deleted from the store.
    public func forget(_ key: RunKey) {
        guard let run = follow(key) else { return }
        unlink(run)
        release(run)
        touched.removeAll { $0 === run }
        if run.head.isNamed { onClosed(key) }
        recycle(run)
    }

    /// The rows of `touched` are on disk.
    public func committed() {
        for run in touched {
            run.isTouched = false
            run.storedState = run.state
            run.storedSequence = run.lastSequence
            if !run.isOpen { recycle(run) }
        }
        touched.removeAll(keepingCapacity: true)
    }

    /// The rows of `touched`, and the spans they count, will not be written; the runs go on from the totals they have, and from the
    /// last span that there is.
    public func abandoned() {
        for run in touched {
            run.isTouched = false
            run.lastSequence = run.storedSequence
            if !run.isOpen { recycle(run) }
        }
        touched.removeAll(keepingCapacity: true)
    }

    // MARK: private machinery

    private func follow(_ key: RunKey) -> OpenRun? {
        table.find(key) { slot in bySlot[Int(slot)]?.head.key == key }.flatMap { bySlot[Int($0)] }
    }

    private func open(_ key: RunKey, _ record: SpanRecord, _ stored: (RunKey, OpenRun) -> Bool) -> (OpenRun, isNew: Bool) {
        let run = fresh()
        var isNew = false
        if isUnheardOf(record) || !stored(key, run) {
            run.row = nextRow
            nextRow += 1
            run.head.key = key
            run.head.isNamed = record.runIsNamed
            isNew = true
        }
        if let slot = free.popLast() {
            run.slot = slot
            bySlot[Int(slot)] = run
        } else {
            run.slot = Int32(bySlot.count)
            bySlot.append(run)
        }
        run.isOpen = true
        table.insert(key, run.slot)
        return (run, isNew)
    }

    /// Whether the store cannot know the span's run, so that it need not be asked: the gateway made up the trace for this very span, and
    /// every run that was let go had ended before.
    private func isUnheardOf(_ record: SpanRecord) -> Bool {
        record.linkedBy == LinkedBy.new.rawValue && record.runRoot != 0 && !record.runIsNamed && record.startTime > letGoUpTo
    }

    private func close(_ run: OpenRun, byRequest: Bool, settle: (OpenRun) -> Void) {
        unlink(run)
        if run.state == .rootOwed {
            settle(run)
            run.state = .closed
            touch(run)
        } else if byRequest, run.state != .closed {
            run.state = .closed
            touch(run)
        }
        release(run)
        if run.head.isNamed { onClosed(run.head.key) }
        if !run.isTouched { recycle(run) }
    }

    /// Out of the tables; the object lives on until its row is written.
    private func release(_ run: OpenRun) {
        table.remove(run.head.key, run.slot)
        bySlot[Int(run.slot)] = nil
        free.append(run.slot)
        run.slot = -1
        run.isOpen = false
        letGoUpTo = max(letGoUpTo, run.head.endedAt)
    }

    private func recycle(_ run: OpenRun) {
        guard spare.count < Self.mostSpare else { return }
        if run.isLarge { run.reset() }
        spare.append(run)
    }

    /// A run as good as new. It is emptied here and not when it goes: what is closed after a long time is far from the processor, and
    /// most of it need not come near.
    private func fresh() -> OpenRun {
        guard let run = spare.popLast() else { return OpenRun() }
        run.reset()
        return run
    }

    private func touch(_ run: OpenRun) {
        guard !run.isTouched else { return }
        run.isTouched = true
        touched.append(run)
    }

    // MARK: the two lists, by last activity

    /// Ends of a doubly linked list through the runs; -1 is nothing.
    private struct List {
        var first: Int32 = -1
        var last: Int32 = -1
    }

    private func quietest(in list: List) -> OpenRun? { list.first < 0 ? nil : bySlot[Int(list.first)] }

    private func link(_ run: OpenRun) {
        run.inWaitingList = run.head.isWaiting
        if run.inWaitingList { append(run, to: &waitingList) } else { append(run, to: &idleList) }
    }

    private func unlink(_ run: OpenRun) {
        if run.inWaitingList { remove(run, from: &waitingList) } else { remove(run, from: &idleList) }
    }

    private func append(_ run: OpenRun, to list: inout List) {
        run.previous = list.last
        run.next = -1
        if list.last >= 0 { bySlot[Int(list.last)]?.next = run.slot } else { list.first = run.slot }
        list.last = run.slot
    }

    private func remove(_ run: OpenRun, from list: inout List) {
        if run.previous >= 0 { bySlot[Int(run.previous)]?.next = run.next } else { list.first = run.next }
        if run.next >= 0 { bySlot[Int(run.next)]?.previous = run.previous } else { list.last = run.previous }
        run.previous = -1
        run.next = -1
    }
}
