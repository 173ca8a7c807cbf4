/// Writes metrics in the Prometheus text exposition format, version 0.0.4. Only what `Metric` declares can be written.
///
///     var text = MetricsText()
///     text.begin(.connects)
///     for upstream in upstreams { text.sample([(.provider, upstream.name)], upstream.connects) }
///     answer(text.text)
public struct MetricsText: Sendable {
    public typealias Labels = [(label: Metric.Label, value: String)]

    /// What `content-type` says of it.
    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    public private(set) var text = ""
    private var metric = Metric.buildInfo
    private var name = ""

    public init() {}

    /// Opens a metric; its samples follow. Each metric once, its samples together.
    public mutating func begin(_ metric: Metric) {
        self.metric = metric
        name = metric.prometheusName
        let definition = metric.definition
        text += "# HELP \(name) \(definition.help)\n# TYPE \(name) \(definition.instrument.rawValue)\n"
    }

    public mutating func sample(_ labels: Labels = [], _ value: some BinaryInteger) { line(name, labels, nil, String(value)) }

    public mutating func sample(_ labels: Labels = [], _ value: Double) { line(name, labels, nil, Self.number(value)) }

    public mutating func sample(_ labels: Labels = [], _ value: USD) { line(name, labels, nil, value.description) }

    /// - Parameters:
    ///   - counts: of the values up to each bound (inclusive) and above the one before; a last one counts what is beyond them.
    public mutating func histogram(_ labels: Labels, counts: [UInt64], bounds: [Double], sum: Double) {
        var total: UInt64 = 0
        for (index, count) in counts.enumerated() {
            total += count
            line(name + "_bucket", labels, index < bounds.count ? Self.number(bounds[index]) : "+Inf", String(total))
        }
        line(name + "_sum", labels, nil, Self.number(sum))
        line(name + "_count", labels, nil, String(total))
    }

    /// A metric without labels, whole.
    public mutating func add(_ metric: Metric, _ value: some BinaryInteger) {
        begin(metric)
        sample([], value)
    }

    public mutating func add(_ metric: Metric, _ value: Double) {
        begin(metric)
        sample([], value)
    }

    private mutating func line(_ name: String, _ labels: Labels, _ bound: String?, _ value: String) {
        assert(labels.allSatisfy { metric.definition.labels.contains($0.label) }, "\(name) has a label that is not declared")
        var pairs = labels.map { "\($0.label.prometheusName)=\"\(Self.escaped($0.value))\"" }
        if let bound { pairs.append("le=\"\(bound)\"") }
        text += name
        if !pairs.isEmpty { text += "{" + pairs.joined(separator: ",") + "}" }
        text += " " + value + "\n"
    }

    /// Whole numbers without a point, as other clients write `le`.
    private static func number(_ value: Double) -> String {
        value == value.rounded() && value.magnitude < 1e15 ? "\(Int64(value))" : "\(value)"
    }

    private static func escaped(_ value: String) -> String {
        guard value.utf8.contains(where: { $0 == UInt8(ascii: "\\") || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\n") }) else { return value }
        var escaped = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            case "\n": escaped += "\\n"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
