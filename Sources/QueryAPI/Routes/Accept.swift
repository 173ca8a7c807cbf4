/// What form of OTLP an `Accept` field asks for (RFC 9110 §12.5.1): JSON, unless protobuf is named and wanted no less.
enum Accept {
    static let protobuf = "application/x-protobuf"

    static func prefersProtobuf(_ field: String?) -> Bool {
        var json: Double?
        var protobuf: Double?
        for range in (field ?? "").split(separator: ",") {
            // White space means nothing anywhere in a media range.
            let parts = String(range.filter { $0 != " " && $0 != "\t" }).lowercased().split(separator: ";")
            guard let type = parts.first else { continue }
            let quality = parts.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
            switch type {
            case Self.protobuf[...]: protobuf = max(protobuf ?? 0, quality)
            case "application/json": json = max(json ?? 0, quality)
            default: break  // wildcards take either
            }
        }
        guard let protobuf, protobuf > 0 else { return false }
        return protobuf >= json ?? 0
    }
}
