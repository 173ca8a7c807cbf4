extension StoreWriter {
    /// The hash of the id index.
    static func idHash(of database: Database) throws(StoreError) -> IDHash { IDHash(salt: try salt("id_salt", of: database)) }

    /// How many spans from its loops the process before had settled; nil where it closed the store, or there was none.
    var settledBefore: Int64? { get throws(StoreError) { try database.integer("SELECT value FROM meta WHERE key = 'open'") } }

    func noteOpen(_ isOpen: Bool) throws(StoreError) {
        try database.execute(isOpen ? "INSERT OR REPLACE INTO meta (key, value) VALUES ('open', 0)" : "DELETE FROM meta WHERE key = 'open'")
    }

    /// A salt of this store, made the first time (by the system's randomness).
    static func salt(_ name: String, of database: Database) throws(StoreError) -> UInt64 {
        if let salt = try database.integer("SELECT value FROM meta WHERE key = '\(name)'") { return UInt64(bitPattern: salt) }
        let salt = UInt64.random(in: 1...UInt64.max)
        try database.execute("INSERT INTO meta (key, value) VALUES ('\(name)', \(Int64(bitPattern: salt)))")
        return salt
    }
}
