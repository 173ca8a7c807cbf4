import Commands
import Configuration
import Store

/// `hopspan check`: would the gateway start with this?
enum Check {
    static func run(_ settings: CheckSettings, _ console: Console) throws(Failure) {
        let loaded = try Configuration.read(settings.file, environment: console.environment)
        console.complain(loaded.warnings.map { "warning: \($0)" })
        let configuration = loaded.configuration
        var wrong = configuration.startFailures().map { "\(settings.file): \($0.message)" }
        do { _ = try configuration.catalogue() } catch { wrong += error.lines }
        do { try Store.look(at: configuration.store.path) } catch { wrong.append("\(settings.file): " + error.sentence(of: configuration.store.path)) }
        guard wrong.isEmpty else { throw Failure(lines: wrong) }
        try console.print(["\(settings.file): ok; " + summary(configuration)])
    }

    private static func summary(_ configuration: Configuration) -> String {
        let exports = configuration.telemetry.otlp.map(\.url.authority)
        return [
            "gateway \(configuration.gateway.listen)", "api \(configuration.api.listen)", "store \(configuration.store.path)",
            exports.isEmpty ? "nothing exported" : "exports to " + exports.joined(separator: ", "),
        ].joined(separator: ", ")
    }
}
