import Runs

/// The spans of a run, as they are stored.
public struct RunSpans: Sendable {
    /// The `spans` fields of an OTLP `ScopeSpans` message, one after the other, in the order the spans ended.
    public var fields: [UInt8] = []
    /// Where each span's `Span` message lies in `fields`. A span id may come twice: a run that opened again has its root written again. For
    /// whoever builds the run's tree the later one counts.
    public var messages: [Range<Int>] = []
    /// More is stored than was asked for; the earliest spans are left out.
    public var isCut = false

    public var count: Int { messages.count }
}

extension StoreReader {
    /// The run's spans; of one that has been partly retired, those that are left.
    /// - Parameters:
    ///   - limit: the most to read; the latest count.
    ///   - bytes: what they may come to; the latest is read in any case.
    public func spans(of run: StoredRun, limit: Int = .max, bytes: Int = .max) throws(StoreError) -> RunSpans {
        try snapshot { () throws(StoreError) in
            var found: [(field: [UInt8], head: Int)] = []
            var spans = RunSpans()
            var size = 0
            try walk(run) { number, block in
                let (frame, message) = (block.frame(of: number), block.message(of: number))
                guard found.count < limit, found.isEmpty || size + frame.count <= bytes else {
                    spans.isCut = true
                    return false
                }
                size += frame.count
                found.append((Array(block.spans[frame]), message.lowerBound - frame.lowerBound))
                return true
            }
            for (field, head) in found.reversed() {
                spans.messages.append(spans.fields.count + head..<spans.fields.count + field.count)
                spans.fields += field
            }
            return spans
        }
    }

    /// Lends each span's `Span` message, the latest first, however many there are: no more than a block of them is in memory.
    public func forEachSpan(of run: StoredRun, _ body: (RawSpan) -> Void) throws(StoreError) {
        try snapshot { () throws(StoreError) in
            try walk(run) { number, block in
                let spans = block.spans
                let bytes = unsafe spans.span.bytes  // sound: a UInt8 has no padding
                body(bytes.extracting(block.message(of: number)))
                return true
            }
        }
    }

    /// The run's spans from the latest back, each with its block, until `body` says false.
    private func walk(_ run: StoredRun, _ body: (_ number: Int64, StoredBlock) -> Bool) throws(StoreError) {
        var number = run.lastSpan
        while number > 0, let block = try finder.block(of: number) {
            let columns = block.columns(of: number)
            guard !columns.isGone, columns.run == run.row, body(number, block) else { return }
            // Each span names an earlier one; anything else would be damage.
            guard columns.previous < number else { return }
            number = columns.previous
        }
    }
}
