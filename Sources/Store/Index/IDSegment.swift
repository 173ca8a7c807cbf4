import Runs

/// A sorted, immutable part of the index, in rows of `id_parts`: 2^bits of them, by the hash's leading bits, so that a look-up
/// reads the one row that can hold the hash.
struct IDSegment {
    var number: Int64
    var level: Int
    var bits: Int
    var entries: Int
    /// The highest row of a run it names.
    var lastRun: Int64
    var filter: IDFilter

    /// Entries that a part holds on average, at most.
    private static let perPart = 512

    init(number: Int64, level: Int, entries: Int, lastRun: Int64) {
        self.number = number
        self.level = level
        self.entries = entries
        self.lastRun = lastRun
        var bits = 0
        while entries >> bits > Self.perPart, bits < 15 { bits += 1 }
        self.bits = bits
        filter = IDFilter(entries: entries)
    }

    init(number: Int64, level: Int, bits: Int, entries: Int, lastRun: Int64, filter: IDFilter) {
        (self.number, self.level, self.bits, self.entries, self.lastRun, self.filter) = (number, level, bits, entries, lastRun, filter)
    }

    var parts: Int { 1 << bits }

    /// Which part a hash belongs to.
    func part(of hash: UInt64) -> Int { Self.part(of: hash, bits: bits) }

    /// The row of a part in `id_parts`.
    func row(ofPart part: Int) -> Int64 { Self.row(segment: number, part: part) }

    static func part(of hash: UInt64, bits: Int) -> Int { bits == 0 ? 0 : Int(hash >> UInt64(64 - bits)) }
    static func row(segment: Int64, part: Int) -> Int64 { segment << 16 | Int64(part) }
}
