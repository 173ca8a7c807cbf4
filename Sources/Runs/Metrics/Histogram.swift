/// Counts of values by upper bound (inclusive), as Prometheus and OpenTelemetry (`explicit_bounds`) have them.
struct Histogram {
    private(set) var counts: [UInt64]
    private(set) var sum: Double = 0

    /// - Parameter bounds: how many; a last bucket takes what is beyond them.
    init(bounds: Int) { counts = Array(repeating: 0, count: bounds + 1) }

    var count: UInt64 { counts.reduce(0, +) }

    mutating func record(_ value: Double, bounds: [Double]) {
        var bucket = 0
        while bucket < bounds.count, value > bounds[bucket] { bucket += 1 }
        counts[bucket] += 1
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
