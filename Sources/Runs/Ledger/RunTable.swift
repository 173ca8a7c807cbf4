import Tracing

/// From a run's key to its slot in the ledger: an open-addressed table with linear probing. `Dictionary` costs four times as much,
/// twice per new run. Salted, because callers choose trace ids.
struct RunTable {
    private struct Place {
        var hash: UInt32
        /// -1: empty.
        var slot: Int32
    }

    private var places: ContiguousArray<Place>
    private(set) var count = 0
    private let salt: UInt64

    private static let empty = Place(hash: 0, slot: -1)

    init(salt: UInt64 = UInt64.random(in: 0...UInt64.max)) {
        self.salt = salt
        places = ContiguousArray(repeating: Self.empty, count: 1_024)
    }

    /// The slot filed under `key` that `isRight` accepts; two keys may share a hash.
    func find(_ key: RunKey, _ isRight: (Int32) -> Bool) -> Int32? {
        let hash = hash(key)
        var place = Int(hash) & (places.count - 1)
        while places[place].slot >= 0 {
            if places[place].hash == hash, isRight(places[place].slot) { return places[place].slot }
            place = (place + 1) & (places.count - 1)
        }
        return nil
    }

    mutating func insert(_ key: RunKey, _ slot: Int32) {
        if count * 2 >= places.count { grow() }
        put(Place(hash: hash(key), slot: slot))
        count += 1
    }

    mutating func remove(_ key: RunKey, _ slot: Int32) {
        let mask = places.count - 1
        var hole = Int(hash(key)) & mask
        while places[hole].slot != slot {
            guard places[hole].slot >= 0 else { return }
            hole = (hole + 1) & mask
        }
        count -= 1
        // Whoever had to move on because of the one that goes moves back: no tombstones (Knuth, volume 3, §6.4, algorithm R).
        var next = hole
        while true {
            places[hole] = Self.empty
            var home: Int
            repeat {
                next = (next + 1) & mask
                guard places[next].slot >= 0 else { return }
                home = Int(places[next].hash) & mask
            } while (next &- home) & mask < (next &- hole) & mask
            places[hole] = places[next]
            hole = next
        }
    }

    private mutating func put(_ place: Place) {
        var index = Int(place.hash) & (places.count - 1)
        while places[index].slot >= 0 { index = (index + 1) & (places.count - 1) }
        places[index] = place
    }

    private mutating func grow() {
        let old = places
        places = ContiguousArray(repeating: Self.empty, count: old.count * 2)
        for place in old where place.slot >= 0 { put(place) }
    }

    private func hash(_ key: RunKey) -> UInt32 {
        var mixed = (key.low ^ salt) &* 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ (mixed >> 32) ^ key.high) &* 0xD6E8_FEB8_6659_FD93
        return UInt32(truncatingIfNeeded: mixed >> 32)
    }
}
