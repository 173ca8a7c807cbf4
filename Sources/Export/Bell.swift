import EventLoop
import Synchronization

/// What wakes an exporter: rung from any thread, or by the time that was waited for. One task waits, on its loop.
final class Bell: Sendable {
    private struct State {
        var isRung = false
        var waiting: Resumption<Void>?
        /// When the soonest sleeper comes, monotonic nanoseconds.
        var alarm = UInt64.max
    }

    private let state = Mutex(State())

    func ring() {
        let waiting = state.withLock { state in
            state.isRung = true
            return state.waiting.take()
        }
        waiting?.resume()
    }

    /// Returns when the bell was rung since the last wait, or at `deadline`, or now and then before that: look again what the time is.
    func wait(on loop: EventLoop, until deadline: UInt64) async {
        if deadline != .max { setAlarm(on: loop, deadline) }
        await suspend { continuation in
            let isRung = state.withLock { state in
                if !state.isRung { state.waiting = continuation }
                return state.isRung
            }
            if isRung { continuation.resume() }
        }
        state.withLock { $0.isRung = false }
    }

    /// Sleepers cannot be called off, so one that comes no later serves for this wait too.
    private func setAlarm(on loop: EventLoop, _ deadline: UInt64) {
        let isNeeded = state.withLock { state in
            guard deadline < state.alarm else { return false }
            state.alarm = deadline
            return true
        }
        guard isNeeded else { return }
        Task(executorPreference: loop) { [self] in
            let now = Clock.system.monotonic
            if now < deadline { await loop.sleep(nanoseconds: deadline - now) }
            state.withLock { if $0.alarm == deadline { $0.alarm = .max } }
            ring()
        }
    }
}
