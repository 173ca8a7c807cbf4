import Runs

extension StoreWriter {
    /// Blocks with runs that owe their root, the earliest last.
    func owingBlocks() throws(StoreError) -> [Int64] {
        let rows = try database.prepare("SELECT block FROM run_blocks INDEXED BY run_blocks_by_start WHERE owing > 0 ORDER BY block DESC")
        var blocks: [Int64] = []
        while try rows.step() { blocks.append(rows.integer(0)) }
        return blocks
    }

    /// The runs of a block that owe their root.
    func owingRuns(in block: Int64) throws(StoreError) -> [Int64] {
        let row = try database.prepare("SELECT runs FROM run_blocks WHERE block = ?1")
        row.bind(1, block)
        guard try row.step() else { return [] }
        var runs: [Int64] = []
        row.withBlob(0) { bytes in
            RunBlock.forEach(in: bytes) { place, state, _, _ in
                if state == .rootOwed { runs.append(RunBlock.run(block, place)) }
            }
        }
        return runs
    }
}
