/// The latest entries, in memory: an open-addressed table. Entries with equal hashes stand side by side. Bounded by the index,
/// which writes it out as a segment.
struct IDTable {
    private(set) var count = 0
    private var places: ContiguousArray<IDEntry>
    /// A row is at least 1.
    private static let empty = IDEntry(hash: 0, run: 0)

    init(capacity: Int = 1 << 14) {
        places = ContiguousArray(repeating: Self.empty, count: capacity)
    }

    mutating func insert(_ entry: IDEntry) {
        if count * 4 >= places.count * 3 { grow() }
        place(entry)
        count += 1
    }

    /// Calls `body` with the runs filed under `hash` until it returns true.
    func search(_ hash: UInt64, _ body: (Int64) -> Bool) -> Bool {
        var place = Int(truncatingIfNeeded: hash) & (places.count - 1)
        while places[place].run != 0 {
            if places[place].hash == hash, body(places[place].run) { return true }
            place = (place + 1) & (places.count - 1)
        }
        return false
    }

    /// All entries by hash, and by run where hashes are equal. Hashes are spread evenly: their leading bits are nearly the order, and
    /// each entry has a few places to go from there.
    func sorted() -> [IDEntry] {
        let bits = max(1, 64 - count.leadingZeroBitCount)
        let shift = UInt64(64 - bits)
        var starts = [Int](repeating: 0, count: 1 << bits + 1)
        for entry in places where entry.run != 0 { starts[Int(entry.hash >> shift) + 1] += 1 }
        for bucket in 1..<starts.count { starts[bucket] += starts[bucket - 1] }
        var sorted = [IDEntry](repeating: Self.empty, count: count)
        for entry in places where entry.run != 0 {
            let bucket = Int(entry.hash >> shift)
            sorted[starts[bucket]] = entry
            starts[bucket] += 1
        }
        for index in sorted.indices.dropFirst() {
            let entry = sorted[index]
            var place = index
            while place > 0, (entry.hash, entry.run) < (sorted[place - 1].hash, sorted[place - 1].run) {
                sorted[place] = sorted[place - 1]
                place -= 1
            }
            sorted[place] = entry
        }
        return sorted
    }

    mutating func removeAll() {
        self = IDTable()
    }

    private mutating func place(_ entry: IDEntry) {
        var place = Int(truncatingIfNeeded: entry.hash) & (places.count - 1)
        while places[place].run != 0 { place = (place + 1) & (places.count - 1) }
        places[place] = entry
    }

    private mutating func grow() {
        let entries = places
        places = ContiguousArray(repeating: Self.empty, count: entries.count * 2)
        for entry in entries where entry.run != 0 { place(entry) }
    }
}
