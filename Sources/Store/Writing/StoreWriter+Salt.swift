extension StoreWriter {
    /// The hash of the id index, with its salt made the first time (by the system's randomness).
    static func idHash(of database: Database) throws(StoreError) -> IDHash {
        if let salt = try database.integer("SELECT value FROM meta WHERE key = 'id_salt'") { return IDHash(salt: UInt64(bitPattern: salt)) }
        let salt = UInt64.random(in: 1...UInt64.max)
        try database.execute("INSERT INTO meta (key, value) VALUES ('id_salt', \(Int64(bitPattern: salt)))")
        return IDHash(salt: salt)
    }
}
