import Runs
import Tracing

/// Turns ids into the 64 bits the index is sorted by. Salted per store: callers choose trace ids and run names, and must not be able
/// to choose which of them collide.
struct IDHash: Sendable {
    /// Random, made with the store and kept in it.
    let salt: UInt64

    func hash(_ key: RunKey) -> UInt64 { hash(high: key.high, low: key.low) }
    func hash(_ trace: TraceID) -> UInt64 { hash(high: trace.high, low: trace.low) }

    /// A run's name, or an alias of one.
    func hash(_ text: RawSpan) -> UInt64 {
        var state = Self.mix(salt ^ 0x6E61_6D65)
        var word: UInt64 = 0
        for offset in 0..<text.byteCount {
            // Sound: within the span.
            let byte = unsafe text.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
            word = word << 8 | UInt64(byte)
            if offset % 8 == 7 {
                state = Self.mix(state ^ word)
                word = 0
            }
        }
        return Self.mix(state ^ word ^ UInt64(text.byteCount) << 56)
    }

    /// Of every id that a run is found by, from its row; empty where the row is damaged.
    func all(of summary: RawSpan) -> [UInt64] {
        guard let run = RunIDs(row: summary) else { return [] }
        var hashes = [hash(run.key)]
        if run.isNamed { hashes += run.traces.map { hash($0) } }
        hashes += run.names.map { name in hash(name.raw) }
        return hashes
    }

    private func hash(high: UInt64, low: UInt64) -> UInt64 { Self.mix(Self.mix(high ^ salt) ^ low) }

    /// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): every bit of the result hangs on every bit of the input.
    private static func mix(_ value: UInt64) -> UInt64 {
        var mixed = value &+ 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// One entry of the index: the hash of an id, and the row of its run. Several entries may have the same hash; a reader compares
/// with the run's row.
struct IDEntry: BitwiseCopyable, Equatable {
    var hash: UInt64
    var run: Int64

    /// Bytes of an entry in a blob: the two words, little-endian.
    static let size = 16
}

extension PackedBytes {
    mutating func append(_ entry: IDEntry) {
        append(fixed: entry.hash)
        append(fixed: UInt64(bitPattern: entry.run))
    }
}

/// A blob of entries as a list.
struct IDEntries: ~Escapable {
    private let bytes: RawSpan

    @_lifetime(copy bytes)
    init(_ bytes: RawSpan) { self.bytes = bytes }

    var count: Int { bytes.byteCount / IDEntry.size }

    subscript(_ index: Int) -> IDEntry {
        precondition(index >= 0 && index < count)
        // Sound: the index was just checked.
        let hash = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index * IDEntry.size, as: UInt64.self)
        let run = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index * IDEntry.size + 8, as: Int64.self)
        return IDEntry(hash: UInt64(littleEndian: hash), run: Int64(littleEndian: run))
    }

    /// Calls `body` with the runs filed under `hash`, in a sorted list, until it returns true.
    func search(_ hash: UInt64, _ body: (Int64) -> Bool) -> Bool {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle].hash < hash { low = middle + 1 } else { high = middle }
        }
        while low < count, self[low].hash == hash {
            if body(self[low].run) { return true }
            low += 1
        }
        return false
    }
}
