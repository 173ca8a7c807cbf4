import Configuration
import EventLoop
import Glibc
import JSON
import Tracing

/// The program's log: a JSON object a line on standard error. Messages are constant; facts are members. Any thread.
struct Log: Sendable {
    let level: OpenTelemetry.LogLevel

    func info(_ event: String, _ facts: KeyValuePairs<String, String> = [:]) { write(.info, event, facts) }
    func warn(_ event: String, _ facts: KeyValuePairs<String, String> = [:]) { write(.warn, event, facts) }
    func error(_ event: String, _ facts: KeyValuePairs<String, String> = [:]) { write(.error, event, facts) }

    func warn(_ warnings: [Mistake]) {
        for warning in warnings { warn("configuration", ["warning": "\(warning)"]) }
    }

    private func write(_ severity: OpenTelemetry.LogLevel, _ event: String, _ facts: KeyValuePairs<String, String>) {
        guard Self.rank(severity) >= Self.rank(level) else { return }
        var line = JSONWriter()
        line.beginObject()
        line.key("time")
        line.string(Timestamp(nanoseconds: Clock.system.wall).description)
        line.key("level")
        line.string(severity.rawValue)
        line.key("event")
        line.string(event)
        for (name, value) in facts {
            line.key(name)
            line.string(value)
        }
        line.endObject()
        let bytes = line.bytes + [10]
        // One write, so that lines of several threads do not mix.
        _ = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(2, $0.baseAddress, $0.count) }
    }

    private static func rank(_ level: OpenTelemetry.LogLevel) -> Int {
        switch level {
        case .debug: 0
        case .info: 1
        case .warn: 2
        case .error: 3
        case .none: 4
        }
    }
}
