extension Configuration {
    /// The embedded store.
    public struct Store: Sendable, Hashable {
        /// The SQLite file, or `:memory:`. Default `hopspan.db` in the working directory.
        public var path = "hopspan.db"
        /// How long spans are kept; nil: for ever. Default 30 days.
        public var retention: Duration? = .seconds(30 * 86_400)
        /// The store's largest size in bytes, the oldest runs go first; nil: no limit. Default 20 GiB.
        public var maxSize: Int? = 20 << 30

        public init() {}

        /// Keeps nothing on disk.
        public var isInMemory: Bool { path == ":memory:" }

        /// Where imported prices are kept, whose file wins over the catalogue: beside the store. Nil where it keeps nothing on disk.
        public var importedPrices: String? {
            guard !isInMemory else { return nil }
            let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
            return folder + "prices.json"
        }
    }
}

extension Configuration.Store {
    static let form = Form<Self>.section(
        "keys of the store",
        [
            Field(
                "path", \.path, .storePath, restart: true,
                "The database file; \":memory:\" keeps nothing on disk. The default is in the working directory, a path written here starts from this file's folder."),
            Field("retention", \.retention, Form.duration(atLeast: .seconds(1)).orNone, "How long runs are kept. none: for ever."),
            Field("max_size", \.maxSize, Form.size(atLeast: 1 << 20).orNone, "The largest the store may grow; the oldest runs go first. none: no limit."),
        ], defaults: Self())
}

extension Form where Value == String {
    static var storePath: Form {
        Form(
            "a path, or \":memory:\"",
            read: { node, place, reading in
                guard let path = reading.scalar(node, place, "expected a path, or \":memory:\"") else { return nil }
                guard !path.isEmpty, path.last != "/", !path.utf8.contains(0) else {
                    reading.mistake(node.mark, place, "\(quoted(path)) is not the path of a file", "expected a path such as hopspan.db, or \":memory:\"")
                    return nil
                }
                return path == ":memory:" ? path : reading.resolved(path)
            }, write: { .text($0) })
    }
}
