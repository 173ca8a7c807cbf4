private import Synchronization
import Tracing

/// What the store's thread and the others have in common: queues, messages, and the picture of its health.
final class StoreShared: Sendable {
    /// Runs on the store's thread, between two batches: with the worker, and with what makes its writes fail, if they do. Without a
    /// worker the store is closed.
    typealias Command = @Sendable (_ worker: StoreWorker?, _ failure: StoreError?) -> Void

    private struct State {
        var queues: [SpanQueue] = []
        var notifications: [@Sendable () -> Void] = []
        var commands: [Command] = []
        var cursors: [String: Int64] = [:]
        var isClosed = false
        var health = StoreHealth()
        var runIdle: UInt64 = 60_000_000_000
        var runWait: UInt64?
    }

    let signal = StoreSignal()
    private let state = Mutex(State())

    func add(_ queue: SpanQueue) { state.withLock { $0.queues.append(queue) } }
    func add(_ notify: @escaping @Sendable () -> Void) { state.withLock { $0.notifications.append(notify) } }

    func send(cursor destination: String, _ span: Int64) { state.withLock { $0.cursors[destination] = span } }

    /// False when the thread has ended and will not see it.
    func send(_ command: @escaping Command) -> Bool {
        state.withLock { state in
            guard !state.isClosed else { return false }
            state.commands.append(command)
            return true
        }
    }

    // MARK: the thread's side

    func takeCommands() -> [Command] {
        state.withLock { state in
            defer { state.commands.removeAll() }
            return state.commands
        }
    }

    /// The last commands; none are taken afterwards.
    func closeCommands() -> [Command] {
        state.withLock { state in
            state.isClosed = true
            defer { state.commands.removeAll() }
            return state.commands
        }
    }

    func takeCursors() -> [String: Int64] {
        state.withLock { state in
            defer { state.cursors.removeAll() }
            return state.cursors
        }
    }

    var queues: [SpanQueue] { state.withLock { $0.queues } }

    func notify() {
        for notify in state.withLock({ $0.notifications }) { notify() }
    }

    func publish(_ counts: StoredCounts) {
        state.withLock { state in
            state.health.spans = counts.spans
            state.health.runs = counts.runs
            state.health.lastSpan = counts.nextSpan - 1
            state.health.cursors = counts.cursors
        }
    }

    var lastSpan: Int64 { state.withLock { $0.health.lastSpan } }

    func update(_ change: (inout StoreHealth) -> Void) { state.withLock { change(&$0.health) } }

    func setTimes(runIdle: UInt64, runWait: UInt64?) {
        state.withLock { ($0.runIdle, $0.runWait) = (runIdle, runWait) }
    }

    // MARK: the readers' side

    /// Nanoseconds of quiet after which a run counts as closed, and the same for one that waits for a tool.
    var runTimes: (idle: UInt64, wait: UInt64?) { state.withLock { ($0.runIdle, $0.runWait) } }

    func health(_ file: StoreFile?) -> StoreHealth {
        var health = state.withLock { state in
            var health = state.health
            for queue in state.queues {
                health.recorded += queue.recorded
                health.queuedBytes += queue.queuedBytes
                if queue.dropped > 0 { health.lost["queue_full", default: 0] += queue.dropped }
            }
            return health
        }
        health.bytes = file?.size ?? 0
        return health
    }
}
