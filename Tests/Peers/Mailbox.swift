private import Foundation
private import Synchronization

/// What threads of a test tell each other: values in the order they came.
public final class Mailbox<Value: Sendable>: Sendable {
    private let condition = NSCondition()
    private let values = Mutex<[Value]>([])

    public init() {}

    public func put(_ value: Value) {
        condition.lock()
        values.withLock { $0.append(value) }
        condition.broadcast()
        condition.unlock()
    }

    /// The oldest value, waited for half a minute at most.
    public func take() throws -> Value {
        let deadline = Date(timeIntervalSinceNow: 30)
        condition.lock()
        defer { condition.unlock() }
        while true {
            if let value = values.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) { return value }
            guard condition.wait(until: deadline) else { throw PeerFailed("nothing was put here") }
        }
    }

    public var count: Int { values.withLock { $0.count } }
}
