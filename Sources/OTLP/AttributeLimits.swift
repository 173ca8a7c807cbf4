/// How much of a span's attributes is kept, as `OTEL_SPAN_ATTRIBUTE_*` and `OTEL_ATTRIBUTE_*` say
/// (OpenTelemetry specification 1.60, common, "Attribute Limits"). Resource attributes are exempt.
public struct AttributeLimits: Sendable, Hashable {
    /// Attributes of one span; those beyond are left out and counted as dropped.
    public var count: Int
    /// Characters (code points) of a text and of each text in a list; nil is no limit. What says which run, hop and price it was is kept whole.
    public var valueLength: Int?

    public init(count: Int = 128, valueLength: Int? = nil) {
        self.count = count
        self.valueLength = valueLength
    }
}
