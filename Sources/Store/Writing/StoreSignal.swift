private import Glibc

/// What wakes the store's thread: a condition and the three things it may be woken for. `wake` is the only call a loop makes, once
/// per batch; it takes a lock that is held for a few instructions.
@safe final class StoreSignal: @unchecked Sendable {
    struct Reasons {
        /// A queue is no longer empty; since when, in monotonic nanoseconds.
        var spans = false
        var spansSince: UInt64 = 0
        /// A command waits that somebody is waiting for.
        var command = false
        /// The store is closing.
        var stop = false
    }

    // Sound: both are initialised once, freed with the object, and never moved; `reasons` is touched under the lock only.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var reasons = Reasons()

    init() {
        var attributes = pthread_condattr_t()
        unsafe pthread_condattr_init(&attributes)
        unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        unsafe pthread_cond_init(condition, &attributes)
        unsafe pthread_condattr_destroy(&attributes)
        unsafe pthread_mutex_init(mutex, nil)
    }

    deinit {
        unsafe pthread_cond_destroy(condition)
        unsafe pthread_mutex_destroy(mutex)
        unsafe condition.deallocate()
        unsafe mutex.deallocate()
    }

    func wake() {
        let now = StoreClock.system.monotonic()
        unsafe pthread_mutex_lock(mutex)
        if !reasons.spans {
            reasons.spans = true
            reasons.spansSince = now
            unsafe pthread_cond_signal(condition)
        }
        unsafe pthread_mutex_unlock(mutex)
    }

    func command() { raise(\.command) }
    func stop() { raise(\.stop) }

    private func raise(_ reason: WritableKeyPath<Reasons, Bool>) {
        unsafe pthread_mutex_lock(mutex)
        reasons[keyPath: reason] = true
        unsafe pthread_cond_signal(condition)
        unsafe pthread_mutex_unlock(mutex)
    }

    /// Waits until one of the reasons that `isEnough` accepts is there, or until a monotonic time (nanoseconds); takes all reasons.
    /// `stop` is not taken: it stays raised.
    func wait(until deadline: UInt64, for isEnough: (Reasons) -> Bool) -> Reasons {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        var time = timespec(tv_sec: Int(clamping: deadline / 1_000_000_000), tv_nsec: Int(deadline % 1_000_000_000))
        while !isEnough(reasons) {
            if unsafe pthread_cond_timedwait(condition, mutex, &time) == ETIMEDOUT { break }
        }
        let taken = reasons
        reasons.spans = false
        reasons.command = false
        return taken
    }
}
