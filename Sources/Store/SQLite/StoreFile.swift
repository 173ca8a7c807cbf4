private import Glibc
private import Synchronization

/// Where the store lives, and our sole right to write there.
///
/// The right is a `flock` on the database file itself, held until the process ends or the store closes: a second gateway is
/// refused, readers of other processes (the `sqlite3` shell) are not. SQLite's own locks are POSIX locks, a different kind
/// (flock(2)), so neither sees the other; but closing any descriptor of the file drops this process's POSIX locks on it, so
/// ours is closed after every connection.
final class StoreFile: Sendable {
    /// What `Database` opens.
    let location: String
    let isMemory: Bool
    private let path: String
    private let descriptor: Int32

    /// - Parameter path: a file, made where there is none (readable by its owner only), or ":memory:".
    init(path: String) throws(StoreError) {
        self.path = path
        isMemory = path == ":memory:"
        if isMemory {
            let number = Self.memoryStores.add(1, ordering: .relaxed).newValue
            // The memdb VFS shares a name that begins with a slash among the connections of a process.
            location = "file:/hopspan-\(number)?vfs=memdb"
            descriptor = -1
            return
        }
        location = path.hasPrefix("file:") ? "./" + path : path
        descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .cannotOpen(code: errno) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let reason = errno
            close(descriptor)
            throw reason == EWOULDBLOCK ? .inUse : .cannotOpen(code: reason)
        }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// A name that no other file on this machine has while it is there; nil in memory.
    var place: String? {
        var status = stat()
        guard descriptor >= 0, unsafe fstat(descriptor, &status) == 0 else { return nil }
        return "\(status.st_dev)-\(status.st_ino)"
    }

    private static let memoryStores = Atomic<Int>(0)

    /// Bytes on disk: the file and its write-ahead log; 0 in memory.
    var size: Int64 { isMemory ? 0 : Self.size(path) + Self.size(path + "-wal") }

    private static func size(_ path: String) -> Int64 {
        var status = stat()
        return unsafe stat(path, &status) == 0 ? Int64(status.st_size) : 0
    }

    /// The connection that writes, with the schema up to date.
    func openForWriting() throws(StoreError) -> Database {
        if !isMemory { try checkOwner() }
        let database = try Database(location, .readWrite)
        // Both take effect only while the file is empty. 8 KiB pages: fewer system calls per span than 4, less waste than 16.
        try database.execute("PRAGMA page_size = \(Database.pageSize); PRAGMA auto_vacuum = INCREMENTAL")
        if isMemory {
            try database.execute("PRAGMA journal_mode = MEMORY")
        } else {
            // NORMAL: a commit survives a killed process at once, a power cut once the log has been synced, which the
            // checkpoint does; a power cut may take the commits since, never more (https://sqlite.org/pragma.html#pragma_synchronous).
            try database.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL")
        }
        // Debian's SQLite zeroes whatever is freed; retention does not need that. Deleting one run asks for it again.
        try database.execute("PRAGMA secure_delete = FAST; PRAGMA cache_size = -8192; PRAGMA temp_store = MEMORY")
        try Schema.migrate(database)
        return database
    }

    /// Another program's file is not even opened for writing: that alone would copy its log into it, and its journal mode is kept there.
    private func checkOwner() throws(StoreError) {
        do throws(StoreError) {
            try Schema.check(Database(location, .readOnly))
        } catch {
            switch error {
            case .foreign, .newerSchema: throw error
            default: return  // what only a writer can mend; the check comes again
            }
        }
    }

    /// A connection that only reads, for one other thread.
    func openForReading() throws(StoreError) -> Database {
        let database = try Database(location, .readOnly)
        try database.execute("PRAGMA query_only = 1; PRAGMA cache_size = -2048")
        return database
    }
}
