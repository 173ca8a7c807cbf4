extension StoreWriter {
    /// The hash of the id index.
    static func idHash(of database: Database) throws(StoreError) -> IDHash { IDHash(salt: try salt("id_salt", of: database)) }

    /// A salt of this store, made the first time (by the system's randomness).
    static func salt(_ name: String, of database: Database) throws(StoreError) -> UInt64 {
        if let salt = try database.integer("SELECT value FROM meta WHERE key = '\(name)'") { return UInt64(bitPattern: salt) }
        let salt = UInt64.random(in: 1...UInt64.max)
        try database.execute("INSERT INTO meta (key, value) VALUES ('\(name)', \(Int64(bitPattern: salt)))")
        return salt
    }
}
