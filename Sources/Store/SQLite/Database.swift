private import CSQLite
private import Glibc

/// One connection to the database. Used by one thread at a time; SQLite's own locking of connections is off
/// (https://sqlite.org/threadsafe.html, "multi-thread").
@safe final class Database {
    enum Access { case readWrite, readOnly }

    private let handle: OpaquePointer
    /// Pages in the write-ahead log, as of the last commit.
    private let loggedPages: UnsafeMutablePointer<Int32>

    /// - Parameter location: a path, or a `file:` URI.
    init(_ location: String, _ access: Access) throws(StoreError) {
        _ = Self.configured
        var handle: OpaquePointer?
        let mode = access == .readWrite ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY
        // Sound: on success the handle is ours until `deinit`; on failure SQLite still wants it closed.
        let code = unsafe sqlite3_open_v2(location, &handle, mode | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI | SQLITE_OPEN_EXRESCODE, nil)
        guard code == SQLITE_OK, let opened = unsafe handle else {
            unsafe sqlite3_close_v2(handle)
            throw StoreError(code)
        }
        unsafe self.handle = opened
        unsafe loggedPages = .allocate(capacity: 1)
        unsafe loggedPages.pointee = 0
        unsafe sqlite3_busy_timeout(opened, Self.patience)
        // Sound: the connection, and with it the hook, goes before the memory does. It also ends automatic checkpoints; PRAGMA
        // wal_autocheckpoint would put itself in its place.
        unsafe sqlite3_wal_hook(opened, { context, _, _, pages in
            unsafe context?.assumingMemoryBound(to: Int32.self).pointee = pages
            return SQLITE_OK
        }, loggedPages)
    }

    deinit {
        unsafe sqlite3_close_v2(handle)
        unsafe loggedPages.deallocate()
    }

    /// Bytes in the write-ahead log, as of this connection's last commit; the log starts over once a checkpoint has copied all of it.
    var loggedBytes: Int { unsafe Int(loggedPages.pointee) * Self.pageSize }
    static let pageSize = 8_192
    /// Milliseconds to wait for a lock. In a file only the checkpoint ever waits; in memory readers and the writer take turns.
    private static let patience: Int32 = 5_000

    /// Once per process, before the first connection.
    private static let configured: Bool = hopspan_sqlite_without_memory_statistics() == SQLITE_OK

    /// Runs statements that give no rows, or whose rows do not matter.
    func execute(_ sql: String) throws(StoreError) {
        let code = unsafe sqlite3_exec(handle, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw StoreError(code) }
    }

    /// A statement that lives as long as its owner; prepare once, run often.
    func prepare(_ sql: String) throws(StoreError) -> Statement {
        var statement: OpaquePointer?
        let code = unsafe sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil)
        guard code == SQLITE_OK, let prepared = unsafe statement else { throw StoreError(code) }
        return unsafe Statement(prepared, of: self)
    }

    /// The first column of the first row; nil without a row or where it is NULL.
    func integer(_ sql: String) throws(StoreError) -> Int64? {
        let statement = try prepare(sql)
        guard try statement.step(), !statement.isNull(0) else { return nil }
        return statement.integer(0)
    }

    /// Rows changed by the last statement.
    var changes: Int { unsafe Int(sqlite3_changes64(handle)) }

    /// Runs `body` in a write transaction; what it throws, or a commit that fails, undoes all of it.
    func transaction(_ body: () throws(StoreError) -> Void) throws(StoreError) {
        try execute("BEGIN IMMEDIATE")
        do {
            try body()
            try execute("COMMIT")
        } catch {
            // Some errors (a full disk) have rolled back already; then this fails and changes nothing.
            try? execute("ROLLBACK")
            throw error
        }
    }

    /// Copies committed pages from the write-ahead log into the file, as far as readers let it.
    /// - Parameter restart: waits for readers, for a moment, so that the log starts over; `truncate` empties its file besides.
    /// - Returns: pages in the log, and how many of them are copied.
    @discardableResult
    func checkpoint(restart: Bool = false, truncate: Bool = false) throws(StoreError) -> (logged: Int, copied: Int) {
        var logged: Int32 = 0
        var copied: Int32 = 0
        let mode = truncate ? SQLITE_CHECKPOINT_TRUNCATE : restart ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE
        unsafe sqlite3_busy_timeout(handle, 50)
        defer { unsafe sqlite3_busy_timeout(handle, Self.patience) }
        let code = unsafe sqlite3_wal_checkpoint_v2(handle, nil, mode, &logged, &copied)
        guard code == SQLITE_OK || code == SQLITE_BUSY else { throw StoreError(code) }
        return (Int(logged), Int(copied))
    }

    /// Gives cached pages back to the system.
    func releaseMemory() { unsafe _ = sqlite3_db_release_memory(handle) }
}

extension StoreError {
    /// From an extended result code (https://sqlite.org/rescode.html).
    init(_ code: Int32) {
        switch code & 0xFF {
        case SQLITE_FULL: self = .diskFull
        case SQLITE_READONLY, SQLITE_PERM: self = .readOnly
        case SQLITE_IOERR: self = .inputOutput(code: code)
        case SQLITE_CORRUPT: self = .corrupt
        case SQLITE_NOTADB: self = .foreign
        case SQLITE_BUSY, SQLITE_LOCKED: self = .busy
        case SQLITE_CANTOPEN: self = .cannotOpen(code: code)
        default: self = .other(code: code)
        }
    }
}
