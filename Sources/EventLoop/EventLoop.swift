internal import CLinux
internal import Glibc
internal import Synchronization

/// One thread, one epoll set, one executor.
///
/// An event loop is both the serial executor of the actor that owns its state and the task executor of all that actor awaits.
/// Both are needed: a continuation resumes on the task's executor first and hops to its actor second, and only where the two
/// are the same object, and jobs are run naming both, is a resumption one step on this thread instead of a round through
/// the global pool (`selfTest` counts it at every start).
///
/// Everything but `enqueue`, `wake` and `stop` belongs to the loop's thread.
@safe public final class EventLoop: SerialExecutor, TaskExecutor, @unchecked Sendable {
    public let name: String
    /// What the loop has been through, for `/metrics`; safe to read from any thread.
    public let health = LoopHealth()

    /// The set of what is watched.
    let epoll: Int32
    private let wakeup: Int32
    /// Whoever enqueues asks whether it is this one; 0 until the loop runs.
    private let thread = Atomic<UInt>(0)
    private var jobs = JobQueue()
    private let foreign = Mutex<[UnownedJob]>([])
    private let stopping = Atomic<Bool>(false)

    var sockets: [Unmanaged<Socket>] = unsafe []
    private var nextSweep = UInt64.max
    private var sleepers = SleeperHeap()
    private var events: UnsafeMutableBufferPointer<epoll_event>
    /// How many the last wait brought; negative where it failed.
    private var eventCount = 0

    /// Monotonic nanoseconds as of this turn: good enough for deadlines, free to read.
    public private(set) var now: UInt64
    /// Read buffers, shared by the loop's connections.
    public let buffers = BufferPool()

    private static let eventsPerTurn = 256
    /// A turn that has lasted so long starts no further jobs.
    private static let turnNanoseconds: UInt64 = 2_000_000
    /// Deadlines are looked at no more often than this.
    private static let sweepInterval: UInt64 = 20_000_000

    public init(name: String) throws(SystemError) {
        self.name = name
        epoll = try System.check("epoll_create1") { linux_epoll() }
        wakeup = try System.check("eventfd") { linux_eventfd() }
        unsafe events = .allocate(capacity: Self.eventsPerTurn)
        now = Clock.read(CLOCK_MONOTONIC)
        var event = unsafe epoll_event(events: LINUX_EPOLLIN | LINUX_EPOLLET, data: .init(u64: 0))
        _ = try System.check("epoll_ctl") { unsafe epoll_ctl(epoll, EPOLL_CTL_ADD, wakeup, &event) }
    }

    deinit {
        close(epoll)
        close(wakeup)
        unsafe events.deallocate()
    }

    // MARK: running

    /// Starts the loop on a thread of its own, which bears its name. The loop lives until `stop`.
    public func start() {
        // Sound: the retained reference is taken over by the thread's first statement.
        let retained = unsafe Unmanaged.passRetained(self).toOpaque()
        var thread = pthread_t()
        let failed = unsafe pthread_create(&thread, nil, { argument in
            let loop = unsafe Unmanaged<EventLoop>.fromOpaque(argument!).takeRetainedValue()
            System.nameThread(loop.name)
            loop.run()
            return nil
        }, retained)
        precondition(failed == 0, "no thread could be had for \(name)")
        started.store(true, ordering: .releasing)
        startedThread.store(UInt(thread), ordering: .releasing)
    }

    private let started = Atomic<Bool>(false)
    private let startedThread = Atomic<UInt>(0)

    /// Runs the loop on the calling thread until `stop`.
    public func run() {
        thread.store(UInt(pthread_self()), ordering: .relaxed)
        while !stopping.load(ordering: .acquiring) { turn() }
    }

    /// Ends the loop after its current turn. From any thread. Tasks that still wait are left where they are.
    public func stop() {
        stopping.store(true, ordering: .releasing)
        wake()
    }

    /// Waits for the thread of a stopped loop. Once, from another thread.
    public func join() {
        guard started.load(ordering: .acquiring) else { return }
        _ = pthread_join(pthread_t(startedThread.load(ordering: .acquiring)), nil)
    }

    /// The same, but not for longer than so many nanoseconds: a turn may never end.
    /// - Returns: whether the thread has ended.
    @discardableResult
    public func join(within limit: UInt64) -> Bool {
        guard started.load(ordering: .acquiring) else { return true }
        return linux_join(startedThread.load(ordering: .acquiring), Clock.system.monotonic + limit) == 0
    }

    private func turn() {
        wait()
        let begin = now
        takeEvents()
        takeForeignJobs()
        if now >= nextSweep { sweep() }
        sleepers.resumeDue(now)
        let ready = jobs.count
        var count = 0
        while count < ready {
            let job = jobs.removeFirst()
            unsafe job.runSynchronously(isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
            count += 1
            // Long turns are cut: what has come meanwhile, and what is due, is seen to between the jobs that are left.
            if count & 7 == 0, Clock.read(CLOCK_MONOTONIC) - begin > Self.turnNanoseconds { break }
        }
        now = Clock.read(CLOCK_MONOTONIC)
        health.turnEnded(jobs: count, nanoseconds: now - begin, at: now)
    }

    /// Waits until something happens or is due, or where jobs are ready, only looks.
    private func wait() {
        var timeout: Int32 = 0
        if jobs.isEmpty {
            let due = min(nextSweep, sleepers.nextDue)
            timeout = due == .max ? -1 : due <= now ? 0 : Int32(min((due - now) / 1_000_000 + 1, 60_000))
        }
        eventCount = unsafe Int(epoll_wait(epoll, events.baseAddress, Int32(Self.eventsPerTurn), timeout))
        if timeout != 0 { now = Clock.read(CLOCK_MONOTONIC) }
    }

    private func takeEvents() {
        guard eventCount > 0 else { return }
        hasTimeToPass = true
        passed = 0
        for index in 0..<eventCount {
            let event = unsafe events[index]
            // Sound: events only set flags, make tasks ready, and move bytes (`Socket.onReadable`). Sockets are closed by tasks, in a
            // later phase, and are taken out of the set before (`unregister`). So a pointer that arrives here is alive.
            if let socket = unsafe UnsafeRawPointer(bitPattern: UInt(event.data.u64)) {
                unsafe Unmanaged<Socket>.fromOpaque(socket)._withUnsafeGuaranteedRef { unsafe $0.ready(event.events) }
            } else {
                var value: UInt64 = 0
                _ = unsafe read(wakeup, &value, 8)
            }
        }
    }

    private var hasTimeToPass = true
    private var passed = 0

    /// Whether this turn still has time for a socket to move bytes by itself (`Socket.onReadable`). What a task moves instead is cut with
    /// the other jobs. The clock is read for every fourth.
    func mayPass() -> Bool {
        passed &+= 1
        if passed & 3 == 0, hasTimeToPass, Clock.read(CLOCK_MONOTONIC) &- now > Self.turnNanoseconds { hasTimeToPass = false }
        return hasTimeToPass
    }

    // MARK: deadlines

    /// A socket waits until `deadline`: look at the sockets then.
    @inline(__always) func expect(_ deadline: UInt64) {
        // Never later than it was: a peer that sends a byte now and then must not put it off for ever.
        if deadline < nextSweep { nextSweep = min(nextSweep, max(deadline, now + Self.sweepInterval)) }
    }

    private func sweep() {
        var next = UInt64.max
        for unsafe socket in unsafe sockets {
            let due = unsafe socket._withUnsafeGuaranteedRef { $0.expire(now) }
            if due < next { next = due }
        }
        nextSweep = next == .max ? .max : max(next, now + Self.sweepInterval)
    }

    /// Suspends the calling task, which must run on this loop, for at least this long.
    public func sleep(nanoseconds: UInt64) async {
        await suspend { continuation in
            sleepers.insert(due: Clock.read(CLOCK_MONOTONIC) + nanoseconds, continuation)
        }
    }

    /// How many bytes a task moves before it lets the others have a turn (`yield`): well under a millisecond's work.
    public static let bytesPerTurn = 256 << 10

    /// Suspends the calling task, which must run on this loop, until the next turn: what has come for others meanwhile is seen to first.
    @inline(never)
    public func yield() async {
        await suspend { sleepers.insert(due: now, $0) }
    }

    // MARK: sockets

    func register(_ socket: Socket) throws(SystemError) {
        let pointer = unsafe Unmanaged.passUnretained(socket)
        var event = unsafe epoll_event(
            events: LINUX_EPOLLIN | LINUX_EPOLLOUT | LINUX_EPOLLRDHUP | LINUX_EPOLLET,
            data: .init(u64: UInt64(UInt(bitPattern: pointer.toOpaque()))))
        _ = try System.check("epoll_ctl") { unsafe epoll_ctl(epoll, EPOLL_CTL_ADD, socket.descriptor, &event) }
        socket.position = unsafe sockets.count
        unsafe sockets.append(pointer)
        health.socketOpened()
    }

    /// Closing alone would not take a socket out of the set while a program that is being started has a duplicate of its descriptor, for
    /// the moment between fork and exec (epoll(7), question 6).
    func unregister(_ socket: Socket) {
        var event = unsafe epoll_event()
        _ = unsafe epoll_ctl(epoll, EPOLL_CTL_DEL, socket.descriptor, &event)
        let position = socket.position
        guard let last = unsafe sockets.popLast() else { return }
        if unsafe position < sockets.count {
            unsafe sockets[position] = last
            unsafe last._withUnsafeGuaranteedRef { $0.position = position }
        }
        health.socketClosed()
    }

    // MARK: executor

    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if isCurrent {
            jobs.append(job)
            return
        }
        health.foreignJobArrived()
        let first = foreign.withLock { waiting in
            waiting.append(job)
            return waiting.count == 1
        }
        if first { wake() }
    }

    /// Makes the loop take its next turn now. From any thread.
    public func wake() {
        var one: UInt64 = 1
        _ = unsafe write(wakeup, &one, 8)
    }

    private func takeForeignJobs() {
        let arrived = foreign.withLock { waiting -> [UnownedJob] in
            guard !waiting.isEmpty else { return [] }
            return exchange(&waiting, with: [])
        }
        for job in arrived { jobs.append(job) }
    }

    public var isCurrent: Bool { UInt(pthread_self()) == thread.load(ordering: .relaxed) }
    public func asUnownedSerialExecutor() -> UnownedSerialExecutor { unsafe UnownedSerialExecutor(ordinary: self) }
    public func isIsolatingCurrentContext() -> Bool? { isCurrent }
    public func checkIsolated() { precondition(isCurrent, "not on \(name)") }
}

private func exchange<Value>(_ place: inout Value, with value: Value) -> Value {
    let old = place
    place = value
    return old
}
