import Runs

/// Reads single runs out of their blocks.
final class StoredRunFinder {
    private let select: Statement

    init(_ database: Database) throws(StoreError) {
        select = try database.prepare("SELECT runs FROM run_blocks WHERE block = ?1")
    }

    /// Calls `body` with a block's `runs` column, if the block is there.
    func readBlock(_ block: Int64, _ body: (RawSpan) -> Void) throws(StoreError) {
        select.bind(1, block)
        defer { select.reset() }
        if try select.step() { select.withBlob(0, body) }
    }

    /// Calls `body` with a run as it is stored. Nil where it is not.
    func read<Result>(_ run: Int64, _ body: (StoredState, Int64, RawSpan) -> Result) throws(StoreError) -> Result? {
        select.bind(1, RunBlock.number(of: run))
        defer { select.reset() }
        guard try select.step() else { return nil }
        var result: Result?
        select.withBlob(0) { bytes in
            RunBlock.forEach(in: bytes) { place, state, lastSpan, summary in
                if place == RunBlock.place(of: run) { result = body(state, lastSpan, summary) }
            }
        }
        return result
    }
}
