private import Glibc

extension Store {
    /// Whether a store could be opened at a path, as far as folder and file show without opening it: nothing is made or changed there, and a
    /// store that another process has is looked at all the same. Reads the file; not on a loop.
    public static func look(at path: String) throws(StoreError) {
        guard path != ":memory:" else { return }
        let descriptor = unsafe open(path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else {
            let reason = errno
            guard reason == ENOENT else { throw .cannotOpen(code: reason) }
            return try lookAtFolder(of: path)
        }
        defer { Glibc.close(descriptor) }
        try lookAtFolder(of: path)
        var header = [UInt8](repeating: 0, count: FileHeader.size)
        // Sound: the array is as long as it says.
        let count = unsafe pread(descriptor, &header, header.count, 0)
        guard count >= 0 else { throw .cannotOpen(code: errno) }
        try FileHeader(Array(header[..<count])).check(hasLog: hasLog(path))
    }

    /// The file's log and its index are made beside it.
    private static func lookAtFolder(of path: String) throws(StoreError) {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        guard unsafe access(folder, W_OK | X_OK) == 0 else { throw .cannotOpen(code: errno) }
    }

    private static func hasLog(_ path: String) -> Bool {
        var status = stat()
        return unsafe stat(path + "-wal", &status) == 0 && status.st_size > 0
    }
}

/// The beginning of a database file (https://sqlite.org/fileformat2.html#the_database_header): whose it is.
struct FileHeader {
    /// The header, and the beginning of the first page behind it.
    static let size = 108
    private static let magic = Array("SQLite format 3\0".utf8)
    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    private func number(at offset: Int, bytes count: Int) -> Int64 { bytes[offset..<offset + count].reduce(0) { $0 << 8 | Int64($1) } }

    /// - Parameter hasLog: there is a write-ahead log, which may know better than the file.
    func check(hasLog: Bool) throws(StoreError) {
        guard !bytes.isEmpty else { return }
        guard bytes.count == Self.size, bytes.starts(with: Self.magic) else { throw .foreign }
        guard !hasLog else { return }
        let (owner, version, known) = (number(at: 68, bytes: 4), number(at: 60, bytes: 4), Int64(Schema.steps.count))
        // Of a file without tables the first page is a leaf without cells.
        let isEmpty = bytes[100] == 0x0D && number(at: 103, bytes: 2) == 0
        guard owner == Schema.applicationID || (owner == 0 && isEmpty) else { throw .foreign }
        guard version <= known else { throw .newerSchema(found: version, known: known) }
    }
}
