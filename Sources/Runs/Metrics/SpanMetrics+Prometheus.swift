import Tracing

extension SpanMetrics {
    /// The Prometheus text exposition format, version 0.0.4. Names are the semantic conventions' with dots as underscores and the
    /// unit behind them, as the OpenTelemetry specification maps them ("Prometheus and OpenMetrics Compatibility").
    ///
    /// | metric | labels |
    /// |---|---|
    /// | `hopspan_exchanges_total` | `kind`, `gen_ai_provider_name`, `status` (`ok`, `error`) |
    /// | `hopspan_errors_total` | `kind`, `gen_ai_provider_name`, `error_type` |
    /// | `hopspan_cost_usd_total` | `gen_ai_provider_name`, `gen_ai_request_model` |
    /// | `gen_ai_client_token_usage` | operation, provider, models, `gen_ai_token_type` (`input`, `output`) |
    /// | `gen_ai_client_operation_duration_seconds` | operation, provider, models, `error_type` |
    public func prometheusText() -> String {
        let series = snapshot()
        var text = ""
        text.counter("hopspan_exchanges_total", "Hops that have ended.", sum(series) { [.kind($0.kind), .provider($0.provider), .status($0)] })
        text.counter(
            "hopspan_errors_total", "Hops that ended in error, by what went wrong.",
            sum(series.filter { !$0.labels.errorType.isEmpty }) { [.kind($0.kind), .provider($0.provider), .errorType($0.errorType)] })

        var costs: [[Label]: USD] = [:]
        for one in series {
            guard let cost = one.cost else { continue }
            costs[[.provider(one.labels.provider), .requestModel(one.labels.requestModel)], default: .zero] += cost
        }
        text.family("hopspan_cost_usd_total", "counter", "What the hops cost, in US dollars, as far as prices are known.")
        for (labels, cost) in costs.sorted(by: { $0.key < $1.key }) { text.sample("hopspan_cost_usd_total", labels, cost.description) }

        let calls = series.filter { $0.labels.kind == .llm }
        text.family("gen_ai_client_token_usage", "histogram", "Tokens read and written by model calls.")
        for (type, histogram) in [("input", \Series.inputTokens), ("output", \Series.outputTokens)] {
            let merged = merge(calls, histogram) { $0.call + [.tokenType(type)] }
            for (labels, one) in merged { text.histogram("gen_ai_client_token_usage", labels, one, Histogram.tokenBounds) }
        }
        text.family("gen_ai_client_operation_duration_seconds", "histogram", "Duration of model calls, streams to their end.")
        let durations = merge(calls, \Series.duration) { $0.call + ($0.errorType.isEmpty ? [] : [.errorType($0.errorType)]) }
        for (labels, one) in durations { text.histogram("gen_ai_client_operation_duration_seconds", labels, one, Histogram.secondBounds) }
        return text
    }

    private func sum(_ series: [Series], by labels: (Labels) -> [Label]) -> [(key: [Label], value: UInt64)] {
        var sums: [[Label]: UInt64] = [:]
        for one in series { sums[labels(one.labels), default: 0] += one.count }
        return sums.sorted { $0.key < $1.key }
    }

    private func merge(
        _ series: [Series], _ histogram: KeyPath<Series, Histogram>, by labels: (Labels) -> [Label]
    ) -> [(key: [Label], value: Histogram)] {
        var merged: [[Label]: Histogram] = [:]
        for one in series where one[keyPath: histogram].count > 0 {
            let key = labels(one.labels)
            if merged[key] == nil { merged[key] = one[keyPath: histogram] } else { merged[key]?.merge(one[keyPath: histogram]) }
        }
        return merged.sorted { $0.key < $1.key }
    }
}

/// A label of a sample.
private struct Label: Hashable {
    let name: String
    let value: String

    static func kind(_ kind: HopKind) -> Label { Label(name: "kind", value: "\(kind.name)") }
    static func provider(_ name: String) -> Label { Label(name: "gen_ai_provider_name", value: name) }
    static func status(_ labels: SpanMetrics.Labels) -> Label { Label(name: "status", value: labels.errorType.isEmpty ? "ok" : "error") }
    static func errorType(_ type: String) -> Label { Label(name: "error_type", value: type) }
    static func requestModel(_ model: String) -> Label { Label(name: "gen_ai_request_model", value: model) }
    static func tokenType(_ type: String) -> Label { Label(name: "gen_ai_token_type", value: type) }
}

extension [Label] {
    fileprivate static func < (left: [Label], right: [Label]) -> Bool {
        left.lexicographicallyPrecedes(right) { ($0.name, $0.value) < ($1.name, $1.value) }
    }
}

extension SpanMetrics.Labels {
    /// The attributes that both GenAI metrics carry; one that is unknown is left out.
    fileprivate var call: [Label] {
        [
            Label(name: "gen_ai_operation_name", value: operation), .provider(provider), .requestModel(requestModel),
            Label(name: "gen_ai_response_model", value: responseModel),
        ].filter { !$0.value.isEmpty }
    }
}

extension String {
    fileprivate mutating func family(_ name: String, _ type: String, _ help: String) {
        self += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
    }

    fileprivate mutating func counter(_ name: String, _ help: String, _ samples: [(key: [Label], value: UInt64)]) {
        family(name, "counter", help)
        for (labels, value) in samples { sample(name, labels, "\(value)") }
    }

    fileprivate mutating func histogram(_ name: String, _ labels: [Label], _ histogram: Histogram, _ bounds: [Double]) {
        var total: UInt64 = 0
        for (index, count) in histogram.counts.enumerated() {
            total += count
            let bound = index < bounds.count ? Self.number(bounds[index]) : "+Inf"
            sample(name + "_bucket", labels + [Label(name: "le", value: bound)], "\(total)")
        }
        sample(name + "_sum", labels, Self.number(histogram.sum))
        sample(name + "_count", labels, "\(total)")
    }

    fileprivate mutating func sample(_ name: String, _ labels: [Label], _ value: String) {
        self += name
        for (index, label) in labels.enumerated() {
            self += (index == 0 ? "{" : ",") + label.name + "=\"" + Self.escaped(label.value) + "\""
        }
        self += labels.isEmpty ? " " : "} "
        self += value + "\n"
    }

    /// Whole numbers without a point, as other clients write `le`.
    private static func number(_ value: Double) -> String {
        value == value.rounded() && value.magnitude < 1e15 ? "\(Int64(value))" : "\(value)"
    }

    private static func escaped(_ value: String) -> String {
        var escaped = ""
        for character in value.unicodeScalars {
            switch character {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            case "\n": escaped += "\\n"
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }
}
