internal import CLinux
internal import Glibc

/// Threads beside the loops: for calls that block.
public enum Thread {
    private final class Start {
        let name: String
        let body: @Sendable () -> Void
        init(_ name: String, _ body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    /// A thread that is waited for with `join`.
    @safe public struct Handle: Sendable {
        fileprivate let id: UInt
        public func join() { _ = pthread_join(pthread_t(id), nil) }
    }

    /// Starts a thread that bears `name` (15 bytes are kept), which tools show.
    public static func start(named name: String, _ body: @escaping @Sendable () -> Void) -> Handle {
        // Sound: the retained reference is taken over by the thread's first statement.
        let start = unsafe Unmanaged.passRetained(Start(name, body)).toOpaque()
        var thread = pthread_t()
        let failed = unsafe pthread_create(&thread, nil, { argument in
            let start = unsafe Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
            System.nameThread(start.name)
            start.body()
            return nil
        }, start)
        precondition(failed == 0, "no thread could be had for \(name)")
        return Handle(id: UInt(thread))
    }

    /// Starts a thread that nobody waits for.
    public static func detach(named name: String, _ body: @escaping @Sendable () -> Void) {
        let handle = start(named: name, body)
        pthread_detach(pthread_t(handle.id))
    }
}

/// A flag threads sleep on: `signal` wakes all who wait, or the next who comes.
@safe public final class WorkSignal: @unchecked Sendable {
    private let semaphore: UnsafeMutablePointer<sem_t>

    public init() {
        unsafe semaphore = .allocate(capacity: 1)
        unsafe sem_init(semaphore, 0, 0)
    }

    deinit {
        unsafe sem_destroy(semaphore)
        unsafe semaphore.deallocate()
    }

    public func signal() { unsafe sem_post(semaphore) }

    public func wait() {
        while unsafe sem_wait(semaphore) != 0 && errno == EINTR {}
    }

    /// False when nobody signalled in time.
    public func wait(nanoseconds: UInt64) -> Bool {
        var until = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &until)
        let total = UInt64(until.tv_nsec) + nanoseconds
        until.tv_sec += Int(total / 1_000_000_000)
        until.tv_nsec = Int(total % 1_000_000_000)
        while unsafe sem_timedwait(semaphore, &until) != 0 {
            if errno != EINTR { return false }
        }
        return true
    }
}
