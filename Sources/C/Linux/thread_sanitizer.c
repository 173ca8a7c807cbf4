// The thread sanitizer follows `Synchronization.Mutex` (Swift 6.3) but for one step: a thread that has to wait gets the lock inside the
// standard library, which is not instrumented, and what the lock guards is then reported as a race. Under the sanitizer, and only
// there, that step is taken here: the same word (the owner's thread id, or 0), waited for by yielding instead of a futex, so that no
// waiter is ever noted in the word and unlocking has nobody to wake.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>

/// `_MutexHandle._lockSlow(_:)`, by its symbol; the handle is the word.
__attribute__((swiftcall)) void mutex_lock_slow(uint32_t thread, __attribute__((swift_context)) _Atomic uint32_t *word)
    __asm__("$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF");

__attribute__((swiftcall)) void mutex_lock_slow(uint32_t thread, __attribute__((swift_context)) _Atomic uint32_t *word) {
    uint32_t nobody;
    do {
        sched_yield();
        nobody = 0;
    } while (!atomic_compare_exchange_weak_explicit(word, &nobody, thread, memory_order_acquire, memory_order_relaxed));
}
#endif
#endif
