internal import Synchronization

/// The client contexts of one configuration, one for each trust: origins that trust the same share it, and with it memory and sessions.
///
/// Made when a configuration is taken up, on a thread that may read files. A newer configuration starts with new ones, because a file's
/// contents may have changed under its path.
public final class TLSContexts: Sendable {
    private let known = Mutex<[TLSTrust: TLSContext]>([:])

    public init() {}

    /// The context for this trust, made when it is first asked for.
    public func client(trusting trust: TLSTrust = .system) throws(TLSError) -> TLSContext {
        try known.withLock { known throws(TLSError) in
            if let context = known[trust] { return context }
            let context = try TLSContext.client(trust: trust)
            known[trust] = context
            return context
        }
    }
}
