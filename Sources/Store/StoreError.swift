private import Glibc

/// What can go wrong between us and the database. Carries codes, never bytes of a span.
public enum StoreError: Error, Sendable, Equatable {
    /// Another process, or another store in this one, has the file.
    case inUse
    /// The file cannot be opened or made: the errno, or SQLite's code where it has none.
    case cannotOpen(code: Int32)
    /// No database, or none of ours.
    case foreign
    /// Written by a newer build: its schema version and the newest this build knows.
    case newerSchema(found: Int64, known: Int64)
    case diskFull
    case readOnly
    /// A read or write failed: SQLite's extended result code.
    case inputOutput(code: Int32)
    case corrupt
    /// Somebody else held a lock for longer than we wait.
    case busy
    /// Any other result code of SQLite, extended.
    case other(code: Int32)
    /// The store has been closed.
    case closed

    /// Whether the same write may succeed later, once the disk has room or works again.
    public var mayPass: Bool {
        switch self {
        case .diskFull, .readOnly, .inputOutput, .busy, .cannotOpen: true
        case .inUse, .foreign, .newerSchema, .corrupt, .other, .closed: false
        }
    }

    /// A word for logs and metrics; a closed list.
    public var reason: StaticString {
        switch self {
        case .inUse: "in_use"
        case .cannotOpen: "cannot_open"
        case .foreign: "foreign"
        case .newerSchema: "newer_schema"
        case .diskFull: "disk_full"
        case .readOnly: "read_only"
        case .inputOutput: "io_error"
        case .corrupt: "corrupt"
        case .busy: "busy"
        case .other: "sqlite_error"
        case .closed: "closed"
        }
    }
}

extension StoreError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .inUse: "the store is in use by another process"
        case .cannotOpen(let code): "the store's file cannot be opened (\(Self.words(code)))"
        case .foreign: "the file is not a hopspan store"
        case .newerSchema(let found, let known): "the store was written by a newer hopspan (schema \(found), this one knows \(known))"
        case .diskFull: "the disk is full"
        case .readOnly: "the store's file cannot be written"
        case .inputOutput(let code): "reading or writing the store failed (SQLite \(code))"
        case .corrupt: "the store's file is damaged"
        case .busy: "the store was locked for too long"
        case .other(let code): "the store failed (SQLite \(code))"
        case .closed: "the store is closed"
        }
    }

    /// An errno in words; SQLite's extended codes, which are larger, as they are.
    private static func words(_ code: Int32) -> String {
        // Sound: the text lives until the thread's next call.
        code < 134 ? unsafe String(cString: strerror(code)) : "SQLite \(code)"
    }
}
