import Runs

extension StoreWriter {
    /// Zones with runs that owe their root, the earliest last.
    func owingZones() throws(StoreError) -> [Int64] {
        let rows = try database.prepare("SELECT zone FROM run_zones WHERE owing > 0 ORDER BY zone DESC")
        var zones: [Int64] = []
        while try rows.step() { zones.append(rows.integer(0)) }
        return zones
    }

    /// The rows of a zone's runs that owe their root.
    func owingRuns(in zone: Int64) throws(StoreError) -> [Int64] {
        let first = zone * ZoneChanges.runsPerZone
        let rows = try database.prepare("SELECT run FROM runs WHERE run >= ?1 AND run < ?2 AND state = ?3 ORDER BY run")
        rows.bind(1, first)
        rows.bind(2, first + ZoneChanges.runsPerZone)
        rows.bind(3, Int64(StoredState.rootOwed.rawValue))
        var runs: [Int64] = []
        while try rows.step() { runs.append(rows.integer(0)) }
        return runs
    }
}
