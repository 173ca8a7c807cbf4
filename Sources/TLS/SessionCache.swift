private import COpenSSL
private import Glibc
import Synchronization

/// The sessions that a client context can resume, the newest of each server, shared by all loops.
///
/// A handshake takes or stores one, under a lock held for a look-up: next to a handshake's own work that is nothing, so there is one
/// lock. A ticket is used as often as it is good for (RFC 8446 §C.4 would have each used once, so that an eavesdropper cannot tell
/// connections of one client from those of another; a gateway's are its own anyway).
///
/// OpenSSL changes a session that a connection holds. The ones here are copies that no connection holds, and each taker makes its
/// own copy again, so no two threads ever meet in one.
final class SessionCache: Sendable {
    private struct Entry {
        var session: Session
        var storedAs: UInt64
    }

    private struct State {
        var entries: [String: Entry] = [:]
        var stored: UInt64 = 0
    }

    /// One session; never changed.
    @safe private final class Session: @unchecked Sendable {
        // Sound: owned, a copy nobody else has, freed here only; read by any thread.
        let handle: OpaquePointer
        init(_ handle: OpaquePointer) { unsafe self.handle = handle }
        deinit { unsafe SSL_SESSION_free(handle) }
    }

    private let state = Mutex(State())
    /// Servers; a session with its certificates takes some 10 KiB.
    private let limit = 256

    /// Keeps a copy of `session` for the next connection to `server` (`name:port`).
    func store(_ session: OpaquePointer, for server: String) {
        // Sound: the caller's session is alive for the call; the copy is ours.
        guard unsafe SSL_SESSION_is_resumable(session) == 1, let copy = unsafe SSL_SESSION_dup(session) else { return ErrorQueue.clear() }
        let kept = unsafe Session(copy)
        state.withLock { state in
            state.stored += 1
            state.entries[server] = Entry(session: kept, storedAs: state.stored)
            guard state.entries.count > limit else { return }
            if let oldest = state.entries.min(by: { $0.value.storedAs < $1.value.storedAs }) { state.entries[oldest.key] = nil }
        }
    }

    /// Offers the server's session, if there is one, in `connection`'s coming handshake.
    func resume(_ connection: OpaquePointer, with server: String) {
        guard let kept = state.withLock({ $0.entries[server]?.session }) else { return }
        // Sound: `kept` is alive for the call. The connection takes a reference of its own to the copy.
        guard unsafe SSL_SESSION_get_time(kept.handle) + SSL_SESSION_get_timeout(kept.handle) > time(nil) else { return forget(server) }
        guard let copy = unsafe SSL_SESSION_dup(kept.handle) else { return ErrorQueue.clear() }
        _ = unsafe SSL_set_session(connection, copy)
        unsafe SSL_SESSION_free(copy)
        ErrorQueue.clear()
    }

    /// After a handshake that failed: whatever the reason, the next shall start from nothing.
    func forget(_ server: String) {
        state.withLock { state in _ = state.entries.removeValue(forKey: server) }
    }
}
