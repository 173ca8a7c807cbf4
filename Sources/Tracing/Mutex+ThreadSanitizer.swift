// The thread sanitizer cannot see through `Synchronization.Mutex` on Linux (Swift 6.3): its futex calls sit in a library that is
// not instrumented, so everything a lock guards is reported as a race. Builds for the sanitizer
// (`swift test --sanitize=thread -Xswiftc -DTHREAD_SANITIZER`) therefore lock with pthread, which it knows; the alias
// hides the library's name, here and, by an alias of its own, in every room that locks. No other build compiles this file.
#if THREAD_SANITIZER
import Glibc

typealias Mutex = PthreadMutex

@safe public struct PthreadMutex<Value: ~Copyable>: ~Copyable, @unchecked Sendable {
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let value = UnsafeMutablePointer<Value>.allocate(capacity: 1)

    public init(_ initial: consuming sending Value) {
        unsafe pthread_mutex_init(lock, nil)
        unsafe value.initialize(to: initial)
    }

    deinit {
        unsafe pthread_mutex_destroy(lock)
        unsafe lock.deallocate()
        unsafe value.deinitialize(count: 1)
        unsafe value.deallocate()
    }

    public borrowing func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        unsafe pthread_mutex_lock(lock)
        defer { unsafe pthread_mutex_unlock(lock) }
        return try unsafe body(&value.pointee)
    }
}
#endif
