/// What the `OTEL_*` variables say of this process (OpenTelemetry specification 1.60, Environment Variable Specification).
public struct OpenTelemetry: Sendable, Hashable {
    /// `service.name`. Default `hopspan`.
    public var serviceName = "hopspan"
    /// Further resource attributes, in the order of the variable, no key twice; `service.name` is not among them.
    public var resourceAttributes: [ResourceAttribute] = []
    /// Default `parentbased_always_on`.
    public var sampler = Sampler(root: .alwaysOn, isParentBased: true)
    /// `OTEL_PROPAGATORS` has `baggage`. Default true. Trace context is always propagated.
    public var propagatesBaggage = true
    public var limits = SpanLimits()
    public var batch = Batch()
    /// Of our own log. Default info.
    public var logLevel = LogLevel.info
    /// `OTEL_SDK_DISABLED`: nothing leaves by OTLP. Default false.
    public var isDisabled = false

    public init() {}

    public struct ResourceAttribute: Sendable, Hashable {
        public let key, value: String
    }

    public struct Sampler: Sendable, Hashable {
        public enum Root: Sendable, Hashable {
            case alwaysOn, alwaysOff
            /// The share of traces, 0 to 1 (TraceIdRatioBased).
            case traceIDRatio(Double)
        }
        /// Decides for traces that begin here; for all where the parent is not asked.
        public var root: Root
        public var isParentBased: Bool
    }

    /// Of exported spans; nil: no limit. Resource attributes are exempt.
    public struct SpanLimits: Sendable, Hashable {
        /// In characters, for strings. Default none.
        public var attributeValueLength: Int?
        /// Default 128 each.
        public var attributeCount = 128
        public var eventCount = 128
        public var linkCount = 128
        public var attributesPerEvent = 128
        public var attributesPerLink = 128
    }

    /// The batch span processor; its queue is the store.
    public struct Batch: Sendable, Hashable {
        /// Between exports. Default 1 s (OpenTelemetry has 5 s). Destinations hold the delay that applies to them.
        public var delay: Duration = .seconds(1)
        /// How long one export may take, whatever `OTEL_EXPORTER_OTLP_TIMEOUT` says; nil: no limit. Default 30 s. Destinations hold the
        /// time-out that applies to them.
        public var exportTimeout: Duration? = .seconds(30)
        /// Spans a batch; as many as this start an export early. Default 512.
        public var maxSpans = 512
    }

    public enum LogLevel: String, Sendable, CaseIterable { case debug, info, warn, error, none }
}
