/// Counts of values by upper bound (inclusive), as Prometheus and OpenTelemetry (`explicit_bounds`) have them.
struct Histogram {
    private(set) var counts: [UInt64]
    private(set) var sum: Double = 0

    /// - Parameter bounds: how many; a last bucket takes what is beyond them.
    init(bounds: Int) { counts = Array(repeating: 0, count: bounds + 1) }

    var count: UInt64 { counts.reduce(0, +) }

    /// A count of tokens, by `tokenBounds`.
    mutating func record(tokens: Int64) {
        // The bucket is the number of base-4 digits that `tokens - 1` has.
        let bits = tokens <= 1 ? 0 : 64 - (tokens - 1).leadingZeroBitCount
        record(Double(tokens), in: (bits + 1) / 2)
    }

    /// A duration, by `secondBounds`.
    mutating func record(nanoseconds: UInt64) {
        // 10 ms are in the first bucket, up to 20 ms in the second: the number of bits that say how many times 10 ms have passed.
        let times = nanoseconds == 0 ? 0 : (nanoseconds - 1) / 10_000_000
        record(Double(nanoseconds) / 1e9, in: 64 - times.leadingZeroBitCount)
    }

    private mutating func record(_ value: Double, in bucket: Int) {
        counts[min(bucket, counts.count - 1)] += 1
        sum += value
    }

    mutating func merge(_ other: Histogram) {
        for index in counts.indices { counts[index] += other.counts[index] }
        sum += other.sum
    }

    /// `gen_ai.client.token.usage` (semantic conventions for GenAI, metrics): powers of four.
    static let tokenBounds: [Double] = (0..<14).map { Double(1 << (2 * $0)) }
    /// `gen_ai.client.operation.duration`, in seconds: doubling from 10 ms.
    static let secondBounds: [Double] = (0..<14).map { Double(1 << $0) / 100 }
}
