import Runs

/// The spans of a run, as they are stored.
public struct RunSpans: Sendable {
    /// The `spans` fields of an OTLP `ScopeSpans` message, one after the other, in the order the spans ended.
    public var fields: [UInt8] = []
    /// Where each span's `Span` message lies in `fields`.
    public var messages: [Range<Int>] = []
    /// A number per span; higher is later. A span id that comes twice (a run that opened again has its root written again) counts
    /// as the later one.
    public var numbers: [Int64] = []
    /// More spans are stored than were asked for; the earliest are left out.
    public var isCut = false

    public var count: Int { messages.count }
}

extension StoreReader {
    /// The run's spans; of one that has been partly retired, those that are left.
    /// - Parameter limit: the most to read; the latest count.
    public func spans(of run: StoredRun, limit: Int = .max) throws(StoreError) -> RunSpans {
        try snapshot { () throws(StoreError) in
            var found: [(number: Int64, field: [UInt8], head: Int)] = []
            var spans = RunSpans()
            var number = run.lastSpan
            while number > 0, let block = try finder.block(of: number) {
                let columns = block.columns(of: number)
                guard !columns.isGone, columns.run == run.row else { break }
                guard found.count < limit else {
                    spans.isCut = true
                    break
                }
                let (frame, message) = (block.frame(of: number), block.message(of: number))
                found.append((number, Array(block.spans[frame]), message.lowerBound - frame.lowerBound))
                // Each span names an earlier one; anything else would be damage.
                guard columns.previous < number else { break }
                number = columns.previous
            }
            for (number, field, head) in found.reversed() {
                spans.messages.append(spans.fields.count + head..<spans.fields.count + field.count)
                spans.numbers.append(number)
                spans.fields += field
            }
            return spans
        }
    }
}
