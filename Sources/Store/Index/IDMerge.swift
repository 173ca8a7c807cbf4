import Runs

/// Writes the sorted entries of a segment, part by part.
final class IDPartWriter {
    private let insertPart: Statement
    private let insertSegment: Statement
    private var bytes = PackedBytes(capacity: 16 << 10)
    private var part = -1

    init(_ database: Database) throws(StoreError) {
        insertPart = try database.prepare("INSERT OR REPLACE INTO id_parts (part, entries) VALUES (?1, ?2)")
        insertSegment = try database.prepare(
            "INSERT OR REPLACE INTO id_segments (segment, level, bits, ids, last_run, filter) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
    }

    /// - Returns: whether a part was finished by it.
    @discardableResult
    func append(_ entry: IDEntry, of segment: IDSegment) throws(StoreError) -> Bool {
        let next = segment.part(of: entry.hash)
        var finished = false
        if next != part {
            finished = try flush(segment)
            part = next
        }
        bytes.append(entry)
        return finished
    }

    /// Writes the last part and lists the segment, which makes it count.
    func finish(_ segment: IDSegment) throws(StoreError) {
        try flush(segment)
        insertSegment.bind(1, segment.number)
        insertSegment.bind(2, segment.level)
        insertSegment.bind(3, segment.bits)
        insertSegment.bind(4, segment.entries)
        insertSegment.bind(5, segment.lastRun)
        try segment.filter.withBytes { filter throws(StoreError) in
            // Sound: the bytes stay until the statement has run.
            unsafe insertSegment.bind(6, inPlace: filter)
            try insertSegment.run()
        }
    }

    @discardableResult
    func flush(_ segment: IDSegment) throws(StoreError) -> Bool {
        guard bytes.count > 0 else { return false }
        insertPart.bind(1, segment.row(ofPart: part))
        try bytes.withBytes { bytes throws(StoreError) in
            // Sound: the bytes stay until the statement has run.
            unsafe insertPart.bind(2, inPlace: bytes)
            try insertPart.run()
        }
        bytes.removeAll()
        return true
    }
}

/// Several segments becoming one, a bounded number of parts per transaction, so that no commit takes long. Until it is finished its
/// parts belong to no listed segment, and readers use the sources.
final class IDMerge {
    let sources: [IDSegment]
    private(set) var target: IDSegment
    private(set) var isFinished = false

    private struct Stream {
        let segment: IDSegment
        var nextPart = 0
        var entries: [IDEntry] = []
        var position = 0
    }

    private var streams: [Stream]
    /// The hash each stream goes on with; the highest where it has ended.
    private var heads: [UInt64]
    private let database: Database
    private let writer: IDPartWriter
    private let readPart: Statement

    init(_ sources: [IDSegment], into number: Int64, _ database: Database) throws(StoreError) {
        self.sources = sources
        self.database = database
        target = IDSegment(
            number: number, level: (sources.map(\.level).max() ?? 0) + 1, entries: sources.reduce(0) { $0 + $1.entries },
            lastRun: sources.map(\.lastRun).max() ?? 0)
        streams = sources.map { Stream(segment: $0) }
        heads = []
        writer = try IDPartWriter(database)
        readPart = try database.prepare("SELECT entries FROM id_parts WHERE part = ?1")
    }

    /// Goes on for up to `parts` parts of the target; the step that ends it lists the target and deletes the sources.
    func step(parts: Int) throws(StoreError) {
        var written = 0
        while written < parts {
            guard let entry = try next() else {
                try writer.finish(target)
                for source in sources {
                    let first = source.row(ofPart: 0)
                    try database.execute("DELETE FROM id_parts WHERE part >= \(first) AND part < \(first + 1 << 16)")
                    try database.execute("DELETE FROM id_segments WHERE segment = \(source.number)")
                }
                isFinished = true
                return
            }
            if try writer.append(entry, of: target) { written += 1 }
            target.filter.insert(entry.hash)
        }
    }

    /// The lowest entry of all streams; linear over eight of them.
    private func next() throws(StoreError) -> IDEntry? {
        if heads.isEmpty {
            heads = streams.map { _ in .max }
            for index in streams.indices { try findHead(index) }
        }
        var from = 0
        for index in heads.indices where heads[index] < heads[from] { from = index }
        if heads[from] == .max {
            // An entry with that hash, or the end of them all.
            guard let last = streams.firstIndex(where: { $0.position < $0.entries.count }) else { return nil }
            from = last
        }
        let entry = streams[from].entries[streams[from].position]
        streams[from].position += 1
        try findHead(from)
        return entry
    }

    private func findHead(_ index: Int) throws(StoreError) {
        if streams[index].position >= streams[index].entries.count { try refill(index) }
        let position = streams[index].position
        heads[index] = position < streams[index].entries.count ? streams[index].entries[position].hash : .max
    }

    private func refill(_ index: Int) throws(StoreError) {
        while streams[index].position >= streams[index].entries.count, streams[index].nextPart < streams[index].segment.parts {
            readPart.bind(1, streams[index].segment.row(ofPart: streams[index].nextPart))
            streams[index].nextPart += 1
            streams[index].position = 0
            streams[index].entries.removeAll(keepingCapacity: true)
            if try readPart.step() {
                readPart.withBlob(0) { blob in
                    let entries = IDEntries(blob)
                    for place in 0..<entries.count { streams[index].entries.append(entries[place]) }
                }
            }
            readPart.reset()
        }
    }
}
