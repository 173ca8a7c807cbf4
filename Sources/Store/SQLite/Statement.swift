private import CSQLite

/// A prepared statement of one connection. Bind, step until there are no more rows, reset; columns count from 0, parameters from 1.
@safe final class Statement {
    private let handle: OpaquePointer
    /// Keeps the connection open for as long as the statement.
    private let database: Database

    init(_ handle: OpaquePointer, of database: Database) {
        unsafe self.handle = handle
        self.database = database
    }

    deinit { unsafe sqlite3_finalize(handle) }

    func bind(_ parameter: Int32, _ value: Int64) { unsafe _ = sqlite3_bind_int64(handle, parameter, value) }
    func bind(_ parameter: Int32, _ value: Int) { bind(parameter, Int64(value)) }
    func bind(_ parameter: Int32, _ value: UInt64) { bind(parameter, Int64(clamping: value)) }

    /// SQLite keeps a copy.
    func bind(_ parameter: Int32, text: String) {
        // Sound: the destructor SQLITE_TRANSIENT (-1) makes SQLite copy before it returns.
        unsafe _ = sqlite3_bind_text(handle, parameter, text, -1, unsafeBitCast(-1, to: sqlite3_destructor_type.self))
    }

    /// SQLite reads the bytes where they are: they must stay until the statement has been stepped and reset.
    @unsafe func bind(_ parameter: Int32, inPlace bytes: RawSpan) {
        unsafe bytes.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else {
                unsafe _ = sqlite3_bind_zeroblob(handle, parameter, 0)
                return
            }
            unsafe _ = sqlite3_bind_blob64(handle, parameter, start, UInt64(bytes.count), nil)
        }
    }

    /// Goes to the next row; false where there is none (left). An error resets the statement.
    func step() throws(StoreError) -> Bool {
        let code = unsafe sqlite3_step(handle)
        switch code {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default:
            unsafe _ = sqlite3_reset(handle)
            throw StoreError(code)
        }
    }

    /// Steps a statement that gives no rows, and resets it.
    func run() throws(StoreError) {
        _ = try step()
        reset()
    }

    func reset() { unsafe _ = sqlite3_reset(handle) }

    func integer(_ column: Int32) -> Int64 { unsafe sqlite3_column_int64(handle, column) }
    func isNull(_ column: Int32) -> Bool { unsafe sqlite3_column_type(handle, column) == SQLITE_NULL }

    func text(_ column: Int32) -> String {
        guard let text = unsafe sqlite3_column_text(handle, column) else { return "" }
        return unsafe String(cString: text)
    }

    /// The column's bytes, for the length of the call.
    func withBlob<Result, Failure: Error>(_ column: Int32, _ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result {
        // Sound: the bytes stay as they are until the next step or reset, and the statement is held for the call.
        let start = unsafe sqlite3_column_blob(handle, column)
        let count = unsafe Int(sqlite3_column_bytes(handle, column))
        return try body(unsafe UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count).bytes)
    }
}
