/// A suspended task that somebody has promised to resume, exactly once.
///
/// `UnsafeContinuation` behind one fence: a checked one costs 110 ns more at each of the two suspensions a request makes. That each
/// is resumed once is for the owner to see to: every one of ours is kept in one optional place and taken out of it to be resumed.
@safe @frozen public struct Resumption<Value: Sendable>: Sendable {
    @usableFromInline let continuation: UnsafeContinuation<Value, Never>

    @inlinable init(_ continuation: UnsafeContinuation<Value, Never>) { unsafe self.continuation = continuation }

    @inlinable public func resume(returning value: Value) { unsafe continuation.resume(returning: value) }
}

extension Resumption<Void> {
    @inlinable public func resume() { resume(returning: ()) }
}

/// Suspends the calling task until what `body` was handed is resumed.
@inlinable public func suspend<Value: Sendable>(_ body: (Resumption<Value>) -> Void) async -> Value {
    await unsafe _unsafeInheritExecutor_withUnsafeContinuation { body(unsafe Resumption($0)) }
}
