/// The tables, and the steps that lead from each older version to the next.
enum Schema {
    /// "HOPS"; tells our files from other programs' databases (`PRAGMA application_id`).
    static let applicationID: Int64 = 0x484F_5053

    /// One step per version: the first makes version 1 out of an empty file. Never edit a step that has shipped; add one.
    static let steps: [String] = [
        """
        -- Facts about the store itself.
        CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER) WITHOUT ROWID;

        -- Spans, in the order they came in, numbered without gaps and kept a few dozen to a row (SpanBlock).
        CREATE TABLE span_blocks (
            first INTEGER PRIMARY KEY,      -- the number of its first span
            count INTEGER NOT NULL,
            unsampled INTEGER NOT NULL,     -- how many of them are not to be exported, or deleted
            started_min INTEGER NOT NULL,   -- Unix nanoseconds
            started_max INTEGER NOT NULL,
            ended_max INTEGER NOT NULL,
            names BLOB NOT NULL,            -- the texts that the records name by number
            records BLOB NOT NULL,          -- the columns of each span (SpanColumns)
            spans BLOB NOT NULL             -- OTLP: the `spans` fields of a ScopeSpans message, one after the other
        );

        -- Runs, numbered in the order their first span came in, sixteen to a row (RunBlock).
        CREATE TABLE run_blocks (
            block INTEGER PRIMARY KEY,
            started_min INTEGER NOT NULL,   -- bounds of the runs' start, never narrower than they are
            started_max INTEGER NOT NULL,
            owing INTEGER NOT NULL,         -- runs in state rootOwed
            runs BLOB NOT NULL
        );
        -- The one index, because each costs a block a third of its row; everything but the runs is in it.
        CREATE INDEX run_blocks_by_start ON run_blocks (started_max, started_min, owing);

        -- From the hash of an id to its run: a log of the latest, and sorted segments (IDIndex).
        CREATE TABLE id_log (batch INTEGER PRIMARY KEY, entries BLOB NOT NULL);
        CREATE TABLE id_segments (
            segment INTEGER PRIMARY KEY,
            level INTEGER NOT NULL,
            bits INTEGER NOT NULL,          -- its entries stand in 2^bits parts, by the hash's leading bits
            ids INTEGER NOT NULL,
            last_run INTEGER NOT NULL,
            filter BLOB NOT NULL
        );
        CREATE TABLE id_parts (part INTEGER PRIMARY KEY, entries BLOB NOT NULL);

        -- How far each destination of the export has come.
        CREATE TABLE cursors (destination TEXT PRIMARY KEY, span INTEGER NOT NULL) WITHOUT ROWID;
        """,
        """
        -- From here on `spans` is deflated (BlockDeflater). What stands there once it is inflated: its bytes, and their CRC-32; both NULL
        -- where version 1 wrote them as they are.
        ALTER TABLE span_blocks ADD COLUMN size INTEGER;
        ALTER TABLE span_blocks ADD COLUMN checksum INTEGER;
        """,
    ]

    /// Refuses another program's database, and one that a newer build has written.
    static func check(_ database: Database, steps: [String] = steps) throws(StoreError) {
        let known = Int64(steps.count)
        let version = try database.integer("PRAGMA user_version") ?? 0
        let owner = try database.integer("PRAGMA application_id") ?? 0
        let tables = try database.integer("SELECT count(*) FROM sqlite_schema") ?? 0
        guard owner == applicationID || (owner == 0 && tables == 0) else { throw .foreign }
        guard version <= known else { throw .newerSchema(found: version, known: known) }
    }

    /// Makes the file ours, or brings it up to date. One transaction per step, so that a crash leaves a whole version.
    static func migrate(_ database: Database, steps: [String] = steps) throws(StoreError) {
        try check(database, steps: steps)
        let version = try database.integer("PRAGMA user_version") ?? 0
        for step in Int(version)..<steps.count {
            try database.transaction { () throws(StoreError) in
                try database.execute(steps[step])
                try database.execute("PRAGMA application_id = \(applicationID)")
                try database.execute("PRAGMA user_version = \(step + 1)")
            }
        }
    }
}
