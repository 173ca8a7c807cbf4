/// What a batch changes in `run_zones`.
struct ZoneChanges {
    struct Zone {
        let number: Int64
        var startedMin = UInt64.max
        var startedMax: UInt64 = 0
        var newRuns = 0
        var owing = 0
    }

    /// Runs whose rows share a zone: `run >> 8`.
    static let runsPerZone: Int64 = 256

    private(set) var all: [Zone] = []
    private(set) var newRuns = 0
    private var places: [Int64: Int] = [:]
    private var latest = -1

    mutating func note(_ run: Int64, startedAt: UInt64, isNew: Bool, owing: Int) {
        let number = run / Self.runsPerZone
        // Runs of a batch mostly lie side by side.
        if latest < 0 || all[latest].number != number {
            if let place = places[number] {
                latest = place
            } else {
                latest = all.count
                places[number] = latest
                all.append(Zone(number: number))
            }
        }
        all[latest].startedMin = min(all[latest].startedMin, startedAt)
        all[latest].startedMax = max(all[latest].startedMax, startedAt)
        all[latest].owing += owing
        if isNew {
            all[latest].newRuns += 1
            newRuns += 1
        }
    }
}
