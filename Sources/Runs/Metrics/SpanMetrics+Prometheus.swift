public import Tracing

extension SpanMetrics {
    /// Appends the metrics over hops: `exchanges`, `errors`, `cost`, `tokenUsage`, `operationDuration`.
    public func write(to text: inout MetricsText) {
        let series = snapshot()
        text.counter(.exchanges, sum(series) { $0.hop + [(.status, $0.errorType.isEmpty ? "ok" : "error")] })
        text.counter(.errors, sum(series.filter { !$0.labels.errorType.isEmpty }) { $0.hop + [(.errorType, $0.errorType)] })

        var costs: [LabelKey: USD] = [:]
        for one in series {
            guard let cost = one.cost else { continue }
            costs[LabelKey([(.providerName, one.labels.provider), (.requestModel, one.labels.requestModel)]), default: .zero] += cost
        }
        text.begin(.cost)
        for (key, cost) in costs.sorted(by: { $0.key < $1.key }) { text.sample(key.labels, cost) }

        let calls = series.filter { $0.labels.kind == .llm }
        text.begin(.tokenUsage)
        for (type, histogram) in [("input", \Series.inputTokens), ("output", \Series.outputTokens)] {
            for (key, one) in merge(calls, histogram, by: { $0.call + [(.tokenType, type)] }) {
                text.histogram(key.labels, counts: one.counts, bounds: Histogram.tokenBounds, sum: one.sum)
            }
        }
        text.begin(.operationDuration)
        for (key, one) in merge(calls, \Series.duration, by: { $0.call + ($0.errorType.isEmpty ? [] : [(.errorType, $0.errorType)]) }) {
            text.histogram(key.labels, counts: one.counts, bounds: Histogram.secondBounds, sum: one.sum)
        }
    }

    private func sum(_ series: [Series], by labels: (Labels) -> MetricsText.Labels) -> [(key: LabelKey, value: UInt64)] {
        var sums: [LabelKey: UInt64] = [:]
        for one in series { sums[LabelKey(labels(one.labels)), default: 0] += one.count }
        return sums.sorted { $0.key < $1.key }
    }

    private func merge(
        _ series: [Series], _ histogram: KeyPath<Series, Histogram>, by labels: (Labels) -> MetricsText.Labels
    ) -> [(key: LabelKey, value: Histogram)] {
        var merged: [LabelKey: Histogram] = [:]
        for one in series where one[keyPath: histogram].count > 0 {
            let key = LabelKey(labels(one.labels))
            if merged[key] == nil { merged[key] = one[keyPath: histogram] } else { merged[key]?.merge(one[keyPath: histogram]) }
        }
        return merged.sorted { $0.key < $1.key }
    }
}

/// The labels of a sample, to group and sort by.
private struct LabelKey: Hashable, Comparable {
    private let names: [Metric.Label]
    private let values: [String]

    init(_ labels: MetricsText.Labels) {
        names = labels.map(\.label)
        values = labels.map(\.value)
    }

    var labels: MetricsText.Labels { zip(names, values).map { (label: $0, value: $1) } }

    static func < (left: LabelKey, right: LabelKey) -> Bool {
        if left.values != right.values { return left.values.lexicographicallyPrecedes(right.values) }
        return left.names.lexicographicallyPrecedes(right.names) { $0.rawValue < $1.rawValue }
    }
}

extension SpanMetrics.Labels {
    fileprivate var hop: MetricsText.Labels { [(.hopKind, "\(kind.name)"), (.providerName, provider)] }

    /// The attributes that both GenAI metrics carry; one that is unknown is left out.
    fileprivate var call: MetricsText.Labels {
        let all: MetricsText.Labels = [
            (.operationName, operation), (.providerName, provider), (.requestModel, requestModel), (.responseModel, responseModel),
        ]
        return all.filter { !$0.value.isEmpty }
    }
}

extension MetricsText {
    fileprivate mutating func counter(_ metric: Metric, _ samples: [(key: LabelKey, value: UInt64)]) {
        begin(metric)
        for (key, value) in samples { sample(key.labels, value) }
    }
}
