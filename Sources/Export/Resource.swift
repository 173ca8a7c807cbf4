public import OTLP

extension SpanSource {
    /// What stands above every span of ours: this process as a resource (semantic conventions 1.44, "Resource", "Telemetry SDK"), and
    /// the scope `hopspan`.
    /// - Parameters:
    ///   - serviceName: `OTEL_SERVICE_NAME`, or what the configuration says.
    ///   - instance: `service.instance.id`: tells this process from others of the service.
    ///   - attributes: of `OTEL_RESOURCE_ATTRIBUTES`; they win over ours, but for the name and those of the SDK.
    public static func hopspan(
        version: String, serviceName: String, instance: String, attributes: [(key: String, value: String)] = []
    ) -> SpanSource {
        var resource = [KeyValue("service.name", .string(serviceName))]
        let fixed = [("telemetry.sdk.name", "hopspan"), ("telemetry.sdk.language", "swift"), ("telemetry.sdk.version", version)]
        for (key, value) in [("service.version", version), ("service.instance.id", instance)] {
            let given = attributes.last { $0.key == key }?.value
            resource.append(KeyValue(key, .string(given ?? value)))
        }
        for (key, value) in fixed { resource.append(KeyValue(key, .string(value))) }
        let ours = Set(resource.map(\.key))
        for (key, value) in attributes where !ours.contains(key) && !resource.contains(where: { $0.key == key }) {
            resource.append(KeyValue(key, .string(value)))
        }
        return SpanSource(resource: resource, scopeName: "hopspan", scopeVersion: version, schemaURL: schema)
    }

    /// Of the conventions that the attributes follow, as far as they are released.
    static let schema = "https://opentelemetry.io/schemas/1.44.0"
}
