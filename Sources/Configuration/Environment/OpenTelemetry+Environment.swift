import Tracing

/// Reads `OTEL_*`. Two kinds of trouble: a value that this build cannot honour stops the start; a number or a boolean that
/// is none is reported and ignored, as the specification wants.
extension OpenTelemetry {
    init(_ reading: Reading) {
        self.init()
        if reading.variable("OTEL_CONFIG_FILE") != nil {
            reading.mistake(variable: "OTEL_CONFIG_FILE", "OpenTelemetry's declarative configuration is \(NotInThisBuild.phrase)", "unset it")
        }
        isDisabled = reading.flag("OTEL_SDK_DISABLED") ?? false
        readResource(reading)
        readSampler(reading)
        readPropagators(reading)
        readLimits(reading)
        if let delay = reading.number("OTEL_BSP_SCHEDULE_DELAY", in: 1...Self.longest) { batch.delay = .milliseconds(delay) }
        if let timeout = reading.number("OTEL_BSP_EXPORT_TIMEOUT", in: 0...Self.longest) { batch.exportTimeout = timeout == 0 ? nil : .milliseconds(timeout) }
        if let spans = reading.number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", in: 1...1_000_000) { batch.maxSpans = spans }
        if reading.variable("OTEL_BSP_MAX_QUEUE_SIZE") != nil {
            reading.warn(variable: "OTEL_BSP_MAX_QUEUE_SIZE", "has no effect: the store is the queue", "store.max_size bounds it")
        }
        if let level = reading.word("OTEL_LOG_LEVEL", among: LogLevel.allCases.map(\.rawValue)) { logLevel = LogLevel(rawValue: level)! }
        for signal in ["METRICS", "LOGS"] {
            if let exporter = reading.variable("OTEL_\(signal)_EXPORTER"), exporter.lowercased() != "none" {
                reading.warn(variable: "OTEL_\(signal)_EXPORTER", "has no effect: only traces are exported", "none")
            }
        }
    }

    /// A day, in milliseconds: the longest that a variable may ask for.
    static let longest = 86_400_000

    private mutating func readResource(_ reading: Reading) {
        let variable = "OTEL_RESOURCE_ATTRIBUTES"
        if let text = reading.variable(variable) {
            if let attributes = Self.attributes(text) {
                for attribute in attributes {
                    if attribute.key == "service.name" { serviceName = attribute.value }
                    resourceAttributes.removeAll { $0.key == attribute.key }
                    if attribute.key != "service.name" { resourceAttributes.append(attribute) }
                }
            } else {
                // "In case of any error, e.g. failure during the decoding process, the entire environment variable value
                // SHOULD be discarded and an error SHOULD be reported" (Resource SDK).
                reading.warn(variable: variable, "ignored: not key=value pairs with commas between, percent-encoded", "service.namespace=shop,deployment.environment.name=prod")
            }
        }
        if let name = reading.variable("OTEL_SERVICE_NAME") { serviceName = name }
        if serviceName.isEmpty { serviceName = OpenTelemetry().serviceName }
    }

    /// `k1=v1,k2=v2`, both sides percent-encoded; nil on any error.
    static func attributes(_ text: String) -> [ResourceAttribute]? {
        var attributes: [ResourceAttribute] = []
        for member in text.split(separator: ",") where !member.trimmingWhitespace().isEmpty {
            guard let equals = member.firstIndex(of: "="),
                let key = PercentEncoding.decode(member[..<equals].trimmingWhitespace()), !key.isEmpty,
                let value = PercentEncoding.decode(member[member.index(after: equals)...].trimmingWhitespace())
            else { return nil }
            attributes.append(ResourceAttribute(key: key, value: value))
        }
        return attributes
    }

    private mutating func readSampler(_ reading: Reading) {
        let known = ["always_on", "always_off", "traceidratio", "parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio"]
        guard let name = reading.word("OTEL_TRACES_SAMPLER", among: known) else { return }
        let bare = name.hasPrefix("parentbased_") ? String(name.dropFirst("parentbased_".count)) : name
        let root: Sampler.Root =
            switch bare {
            case "always_on": .alwaysOn
            case "always_off": .alwaysOff
            default: .traceIDRatio(Self.ratio(reading))
            }
        sampler = Sampler(root: root, isParentBased: bare != name)
    }

    private static func ratio(_ reading: Reading) -> Double {
        guard let text = reading.variable("OTEL_TRACES_SAMPLER_ARG") else { return 1 }
        let trimmed = text.trimmingWhitespace()
        let isDecimal = trimmed.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || ".eE-+".utf8.contains($0) }
        guard isDecimal, let ratio = Double(trimmed), (0...1).contains(ratio) else {
            reading.warn(variable: "OTEL_TRACES_SAMPLER_ARG", "ignored: \(quoted(text)) is no ratio", "expected a number from 0 to 1")
            return 1
        }
        return ratio
    }

    private mutating func readPropagators(_ reading: Reading) {
        guard let text = reading.variable("OTEL_PROPAGATORS") else { return }
        let names = Set(text.split(separator: ",").map { $0.trimmingWhitespace().lowercased() }.filter { !$0.isEmpty })
        guard names.isSubset(of: ["tracecontext", "baggage"]), names.contains("tracecontext") else {
            reading.mistake(
                variable: "OTEL_PROPAGATORS", "\(quoted(text)) is not supported", "expected tracecontext,baggage or tracecontext")
            return
        }
        propagatesBaggage = names.contains("baggage")
    }

    private mutating func readLimits(_ reading: Reading) {
        let counts = 0...1_000_000
        func length(_ name: String) -> Int? { reading.number(name, in: 0...(1 << 30)) }
        func count(_ name: String, _ limit: inout Int) {
            if let number = reading.number(name, in: counts) { limit = number }
        }
        // The span's own limit wins over the general one (Common specification, Attribute Limits).
        limits.attributeValueLength = length("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT") ?? length("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT")
        count("OTEL_ATTRIBUTE_COUNT_LIMIT", &limits.attributeCount)
        count("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", &limits.attributeCount)
        count("OTEL_SPAN_EVENT_COUNT_LIMIT", &limits.eventCount)
        count("OTEL_SPAN_LINK_COUNT_LIMIT", &limits.linkCount)
        count("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", &limits.attributesPerEvent)
        count("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", &limits.attributesPerLink)
    }
}

extension Reading {
    /// "true", in any case, is true; everything else is false, and odd values are reported. Nil when it is not set.
    func flag(_ name: String) -> Bool? {
        guard let text = variable(name) else { return nil }
        switch text.trimmingWhitespace().lowercased() {
        case "true": return true
        case "false": return false
        default:
            warn(variable: name, "\(quoted(text)) is taken as false", "expected true or false")
            return false
        }
    }

    /// A whole number; nil when it is not set, or is none, which is reported.
    func number(_ name: String, in range: ClosedRange<Int>) -> Int? {
        guard let text = variable(name) else { return nil }
        if let number = Int(decimalDigits: text.trimmingWhitespace()), range.contains(number) { return number }
        warn(variable: name, "ignored: \(quoted(text)) is not a number from \(range.lowerBound) to \(range.upperBound)")
        return nil
    }

    /// One of these words, in lower case; nil when it is not set, or another, which is a mistake.
    func word(_ name: String, among words: [String]) -> String? {
        guard let text = variable(name) else { return nil }
        let word = text.trimmingWhitespace().lowercased()
        if words.contains(word) { return word }
        mistake(variable: name, "\(quoted(text)) is not supported", "expected " + Spelling.oneOf(words))
        return nil
    }
}
