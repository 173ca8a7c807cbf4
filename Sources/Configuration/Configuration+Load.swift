extension Configuration {
    /// What was loaded.
    public struct Loaded: Sendable {
        public let configuration: Configuration
        /// To be logged, loudly; none of them stops the start.
        public let warnings: [Mistake]
    }

    /// Reads the configuration. Pure, but for what `read` does: called at start, for `hopspan check`, and on every reload.
    ///
    /// - Parameters:
    ///   - file: the file's bytes; nil when there is no file.
    ///   - path: the file's path, for messages; relative paths in the file start from its folder.
    ///   - environment: all variables of the process.
    ///   - providers: what the program knows of provider names; nil: names are not checked.
    ///   - read: the contents of a file that the configuration names, nil when it cannot be read.
    /// - Throws: every mistake at once.
    public static func load(
        file: [UInt8]?, path: String = "hopspan.yaml", environment: [String: String], providers: KnownProviders? = nil,
        read: @escaping (String) -> [UInt8]?
    ) throws(Mistakes) -> Loaded {
        let reading = Reading(file: path, environment: environment, providers: providers, readFile: read)
        let openTelemetry = OpenTelemetry(reading)
        reading.batchDelay = openTelemetry.batch.delay
        reading.exportTimeout = openTelemetry.batch.exportTimeout
        let root = file.flatMap { YAMLTree.read($0, reading) }
        var configuration = root.flatMap { form.read($0, .root, reading) } ?? Configuration()
        configuration.openTelemetry = openTelemetry
        configuration.proxies = ProxySettings(reading)
        checkTrust(reading)
        let written = root?["telemetry"]?.value["otlp"]?.value
        configuration.chooseDestinations(isInFile: written.map { !$0.isNull } ?? false, reading)
        let warnings = reading.sorted(reading.warnings)
        guard reading.mistakes.isEmpty else { throw Mistakes(mistakes: bounded(reading.sorted(reading.mistakes)), warnings: warnings) }
        return Loaded(configuration: configuration, warnings: warnings)
    }

    /// OpenSSL takes a file that is not there for one without certificates, and says nothing.
    private static func checkTrust(_ reading: Reading) {
        let variable = "SSL_CERT_FILE"
        guard let path = reading.variable(variable) else { return }
        do throws(Wrong) { _ = try PEMFile.read(path, .certificates, reading) } catch {
            reading.warn(variable: variable, error.problem ?? "not PEM", "the certificates in it are not trusted; name a PEM file, or unset it")
        }
    }

    /// Every mistake, up to a hundred: more is no configuration.
    private static func bounded(_ mistakes: [Mistake]) -> [Mistake] {
        guard mistakes.count > 100, let last = mistakes.last else { return mistakes }
        return mistakes.prefix(100) + [Mistake(position: last.position, key: "", problem: "and \(mistakes.count - 100) more mistakes", expected: nil)]
    }

    /// The file's destinations win over `OTEL_EXPORTER_*`, even when its list is empty; `OTEL_SDK_DISABLED` wins over both.
    private mutating func chooseDestinations(isInFile: Bool, _ reading: Reading) {
        let isChosen = Destination.isChosen(reading)
        if isInFile {
            if isChosen == false { reading.warn(variable: "OTEL_TRACES_EXPORTER", "has no effect: telemetry.otlp in the file wins") }
        } else if let destination = Destination.fromEnvironment(reading, isChosen: isChosen) {
            telemetry.otlp = [destination]
        }
        if openTelemetry.isDisabled, !telemetry.otlp.isEmpty {
            reading.warn(variable: "OTEL_SDK_DISABLED", "nothing is exported", "unset it to export to \(telemetry.otlp.map(\.url.authority).joined(separator: ", "))")
            telemetry.otlp = []
        }
    }
}

extension Configuration {
    /// A key whose value is another than before.
    public struct Change: Sendable, Hashable, CustomStringConvertible {
        /// Its path: `providers.openai.base_url`; a list counts as one value.
        public let key: String
        /// A running gateway cannot take it up.
        public let needsRestart: Bool

        public var description: String { needsRestart ? key + " (needs a restart)" : key }
    }

    /// What a reload would change, in the order of the file. What the environment sets does not change while a process runs.
    public func changes(to new: Configuration) -> [Change] { Self.form.changes(self, new, .root) }

    /// What of this configuration comes into force where `running` is: all but the keys that need a restart, which stay as they are.
    /// A listener that stays open to others than this machine also keeps its token where the new configuration, for another address,
    /// has none.
    public func takenUp(by running: Configuration) -> Configuration {
        var taken = self
        Self.form.keep(running, &taken)
        if !taken.api.listen.isLoopback, taken.api.token == nil { taken.api.token = running.api.token }
        return taken
    }
}
