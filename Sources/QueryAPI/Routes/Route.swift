import HTTP
import Tracing

/// What a path names.
enum Route: Equatable {
    case page, healthz, readyz, metrics
    case runs
    /// With the run's id, alias or trace id, percent-decoded.
    case run(String), runCost(String), runOTLP(String), runEnd(String), runDiff(String)
    case cost, live, health, configuration, openAPI

    /// Nil for a path that names nothing.
    /// - Parameter path: as it came, percent-encoded.
    init?(path: String) {
        let segments = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).dropFirst().map { segment in
            var decoded: [UInt8] = []
            let bytes = Array(segment)
            PercentEncoding.decode(unsafe bytes.span.bytes, into: &decoded)  // sound: a UInt8 has no padding
            return String(decoding: decoded, as: UTF8.self)
        }
        if segments.count >= 3, segments[0] == "api", segments[1] == "runs", !segments[2].isEmpty {
            let run = segments[2]
            switch segments.dropFirst(3) {
            case []: self = .run(run)
            case ["cost"]: self = .runCost(run)
            case ["otlp"]: self = .runOTLP(run)
            case ["end"]: self = .runEnd(run)
            case ["diff"]: self = .runDiff(run)
            default: return nil
            }
            return
        }
        switch segments {
        case [""]: self = .page
        case ["healthz"]: self = .healthz
        case ["readyz"]: self = .readyz
        case ["metrics"]: self = .metrics
        case ["api", "runs"]: self = .runs
        case ["api", "cost"]: self = .cost
        case ["api", "live"]: self = .live
        case ["api", "health"]: self = .health
        case ["api", "config"]: self = .configuration
        case ["api", "openapi.json"]: self = .openAPI
        default: return nil
        }
    }

    /// HEAD goes where GET goes.
    var methods: [Method] {
        switch self {
        case .runEnd: [.post]
        case .run: [.get, .head, .delete]
        default: [.get, .head]
        }
    }

    /// What load balancers ask, without a token.
    var isProbe: Bool { self == .healthz || self == .readyz }
}
