private import Glibc
private import Synchronization

extension EventLoop {
    /// What a thousand suspensions cost in jobs and in visits from other threads.
    public struct SelfTestResult: Sendable {
        public let suspensions: Int
        public let jobs: Int
        public let foreignJobs: Int

        /// One job a suspension, give or take the start, and nobody else's thread: the executor is what it claims to be.
        public var passed: Bool { jobs <= suspensions + 8 && foreignJobs <= 1 }
    }

    /// Runs a throw-away loop and counts. With a custom serial executor alone each resumption would go through the global pool and
    /// back (two thread hops, 8 µs); a change of compiler or flags that brings this back is noticed here and not in a bill.
    public static func selfTest(suspensions: Int = 1_000) throws(SystemError) -> SelfTestResult {
        let loop = try EventLoop(name: "self-test")
        let worker = SelfTestWorker(loop: loop)
        Task(executorPreference: loop) { await worker.waitInVain(times: suspensions) }
        loop.run()
        return SelfTestResult(
            suspensions: suspensions,
            jobs: Int(loop.health.jobs.load(ordering: .relaxed)),
            foreignJobs: Int(loop.health.foreignJobs.load(ordering: .relaxed)))
    }
}

private actor SelfTestWorker {
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.asUnownedSerialExecutor() }

    init(loop: EventLoop) { self.loop = loop }

    func waitInVain(times: Int) async {
        for _ in 0..<times { await inner() }
        loop.stop()
    }

    private func inner() async {
        await loop.sleep(nanoseconds: 0)
    }
}
