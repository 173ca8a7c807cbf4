import Synchronization
import Tracing

/// The runs that tasks of agents came up in: what is asked about a task later belongs there (issued ids are evidence). Shared by the loops.
///
/// Keyed by a hash of caller, agent and task id: one caller's ids mean nothing in another's mouth. Bounded: the oldest go first, and what
/// is asked about them then starts a run of its own, nothing worse.
final class TaskRuns: Sendable {
    /// Where the hop that the task came of stands.
    struct Place: Sendable {
        var trace: TraceID
        var parent: SpanID
        /// The parent is a root span the gateway made up; else it is the caller's.
        var rootIsOurs: Bool
        var flags: TraceFlags
        /// The run's name where the caller gave one; else empty.
        var runName: [UInt8]
    }

    private struct Tasks {
        var places: [RunKey: Place] = [:]
        /// In the order they came; a ring once there are as many as may be.
        var order: [RunKey] = []
        var oldest = 0
    }

    private final class Shard: Sendable {
        let tasks = Mutex(Tasks())
    }

    private let limitPerShard: Int
    private let shards: [Shard] = (0..<8).map { _ in Shard() }

    init(limit: Int = 64 << 10) { limitPerShard = max(1, limit / 8) }

    private func shard(_ task: RunKey) -> Shard { shards[Int(truncatingIfNeeded: task.low & 7)] }

    /// A task has come up, or is spoken of again: the first place is the one that stays.
    func remember(_ task: RunKey, _ place: @autoclosure () -> Place) {
        shard(task).tasks.withLock { tasks in
            guard tasks.places[task] == nil else { return }
            if tasks.order.count < limitPerShard {
                tasks.order.append(task)
            } else {
                tasks.places[tasks.order[tasks.oldest]] = nil
                tasks.order[tasks.oldest] = task
                tasks.oldest = (tasks.oldest + 1) % limitPerShard
            }
            tasks.places[task] = place()
        }
    }

    func place(of task: RunKey) -> Place? { shard(task).tasks.withLock { $0.places[task] } }
}
