import Runs

/// Runs are kept sixteen to a row of `run_blocks`, by number: run 35 is the fourth of block 2. A row of its own would cost a run
/// more than being added up does, and it is written twice; and the bounds that a block has of its runs' start times serve lists by time
/// in place of an index with an entry per run.
///
/// The `runs` column is a list of sixteen or fewer entries: length (varint; 0 is no run), state (a byte), number of the latest span
/// (varint), summary (`OpenRun.write`).
enum RunBlock {
    static let runs = 16

    static func number(of run: Int64) -> Int64 { run >> 4 }
    static func place(of run: Int64) -> Int { Int(run & 15) }
    static func run(_ block: Int64, _ place: Int) -> Int64 { block << 4 | Int64(place) }

    /// Calls `body` with the runs of a block's `runs` column; damage ends the list.
    static func forEach(
        in bytes: RawSpan, _ body: (_ place: Int, _ state: StoredState, _ lastSpan: Int64, _ summary: RawSpan) -> Void
    ) {
        var reader = PackedReader(bytes)
        var place = 0
        while !reader.isAtEnd, place < runs {
            let length = reader.count()
            let start = reader.offset
            if length > 0 {
                let state = StoredState(rawValue: reader.byte()) ?? .byTime
                let lastSpan = Int64(clamping: reader.varint())
                let summary = reader.take(length - (reader.offset - start))
                guard !reader.isBroken else { return }
                body(place, state, lastSpan, summary)
            }
            guard !reader.isBroken else { return }
            place += 1
        }
    }

    /// The column being put together, entry by entry.
    struct Builder: ~Copyable {
        private(set) var bytes = PackedBytes(capacity: 4 << 10)
        private var entry = PackedBytes(capacity: 512)
        private(set) var runs = 0
        private(set) var owing = 0
        private var places = 0

        mutating func removeAll() {
            bytes.removeAll(keeping: 64 << 10)
            runs = 0
            owing = 0
            places = 0
        }

        mutating func append(_ run: OpenRun, at place: Int) {
            start(run.state, run.lastSequence)
            run.write(to: &entry)
            finish(place, run.state)
        }

        mutating func append(_ state: StoredState, _ lastSpan: Int64, _ summary: RawSpan, at place: Int) {
            start(state, lastSpan)
            entry.append(summary)
            finish(place, state)
        }

        private mutating func start(_ state: StoredState, _ lastSpan: Int64) {
            entry.removeAll(keeping: 16 << 10)
            entry.append(byte: state.rawValue)
            entry.append(varint: lastSpan)
        }

        private mutating func finish(_ place: Int, _ state: StoredState) {
            while places < place {
                bytes.append(varint: 0)
                places += 1
            }
            bytes.append(varint: entry.count)
            entry.withBytes { bytes.append($0) }
            places += 1
            runs += 1
            if state == .rootOwed { owing += 1 }
        }
    }
}
