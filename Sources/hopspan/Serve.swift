import Commands
import Configuration
import EventLoop
import Gateway
import Glibc
import JSON
import MCPHost
import QueryAPI
import Terminal

/// `hopspan serve`: one program until a signal.
enum Serve {
    static func run(_ settings: ServeSettings, _ console: Console) throws(Failure) {
        let loaded = try Configuration.read(settings.config, environment: console.environment)
        announce(loaded, console)
        try run(loaded.configuration, console, watching: settings.config)
    }

    /// Warnings in the log, or in words where a person reads along.
    static func announce(_ loaded: Configuration.Loaded, _ console: Console) {
        guard !console.errors.screen.isTerminal else { return console.complain(loaded.warnings.map { "warning: \($0)" }) }
        Log(level: loaded.configuration.openTelemetry.logLevel).warn(loaded.warnings)
    }

    /// Serves until SIGTERM or SIGINT, then drains. SIGHUP, and a change of the file, has the configuration read again.
    /// - Parameters:
    ///   - path: of the configuration's file; nil where there is none.
    ///   - greeting: lines for standard output once the listeners have their addresses.
    static func run(
        _ configuration: Configuration, _ console: Console, watching path: String? = nil, greeting: (Program) -> [String] = { _ in [] }
    ) throws(Failure) {
        System.shareHeap()
        System.raiseFileLimit()
        var signals = Signals.hold()
        let program = try Program.start(configuration)
        try console.print(greeting(program) + [ready(program)])
        if console.errors.screen.isTerminal { console.complain(baseURLs(program)) }

        let log = Log(level: configuration.openTelemetry.logLevel)
        var watched = WatchedFiles([path, configuration.store.importedPrices])
        var watch = Watch()
        while true {
            for notice in watch.look(at: program) { log.tell(notice) }
            var second = timespec(tv_sec: 1, tv_nsec: 0)
            switch unsafe sigtimedwait(&signals, nil, &second) {
            case SIGTERM, SIGINT:
                log.info("draining")
                program.stopBlocking(whileWaiting: {
                    // Who interrupts again does not want to wait for running exchanges. A second SIGTERM may be the first, sent on by a wrapper.
                    var none = timespec()
                    if unsafe sigtimedwait(&signals, nil, &none) == SIGINT {
                        log.info("no longer waiting for running exchanges")
                        program.gateway.hurry()
                    }
                })
                for notice in program.host.takeNotices() { log.tell(.mcpServer(notice)) }
                return
            case SIGHUP:
                watched.take()
                reload(program, path, console, log)
            default:
                if watched.look() { reload(program, path, console, log) }
            }
        }
    }

    /// Reads the configuration again. A bad one leaves the old one in force.
    private static func reload(_ program: Program, _ path: String?, _ console: Console, _ log: Log) {
        do throws(Failure) {
            let loaded = try Configuration.read(path, environment: console.environment, isReload: true)
            let before = program.configuration
            let prices = try loaded.configuration.takenUp(by: before).importedPrices()
            let needRestart: [String]
            do { needRestart = try program.reconfigure(loaded.configuration, importedPrices: prices) } catch { throw Failure(error.message) }
            log.warn(loaded.warnings)
            let sections = before.changedSections(to: loaded.configuration)
            let changed = sections.isEmpty ? "nothing" : sections.joined(separator: ", ")
            if needRestart.isEmpty {
                log.info("configuration reloaded", ["changed": changed])
            } else {
                log.info("configuration reloaded", ["changed": changed, "needs_restart": needRestart.joined(separator: ", ")])
            }
        } catch {
            for line in error.lines { log.error("configuration not reloaded; the old one stays", ["mistake": line]) }
        }
    }

    /// The line that tells scripts where to go.
    private static func ready(_ program: Program) -> String {
        var line = JSONWriter()
        line.beginObject()
        line.key("event")
        line.string("ready")
        line.key("gateway")
        line.string("\(program.gateway.address)")
        line.key("api")
        line.string("\(program.api.address)")
        line.endObject()
        return String(decoding: line.bytes, as: UTF8.self)
    }

    private static func baseURLs(_ program: Program) -> [String] {
        let gateway = "http://\(program.gateway.address)"
        return [
            "", "Point your clients here:", "  OPENAI_BASE_URL=\(gateway)/openai/v1", "  ANTHROPIC_BASE_URL=\(gateway)/anthropic", "",
            "Ask what runs did and cost:", "  hopspan runs --api http://\(program.api.address)", "",
        ]
    }
}

extension Configuration {
    /// Keys at the top of the file under which something is another than before.
    fileprivate func changedSections(to new: Configuration) -> [String] {
        var sections: [String] = []
        for change in changes(to: new) {
            let section = String(change.key.prefix { $0 != "." })
            if !sections.contains(section) { sections.append(section) }
        }
        return sections
    }
}

extension Program {
    /// The program of a configuration, with the prices that lie beside its store.
    static func start(_ configuration: Configuration) throws(Failure) -> Program {
        let prices = try configuration.importedPrices()
        do { return try Program(configuration, importedPrices: prices) } catch { throw Failure(error.message) }
    }

    /// `stop`, for the main thread.
    /// - Parameter look: called now and then until all has stopped.
    func stopBlocking(lastExport: Duration = .seconds(5), whileWaiting look: () -> Void = {}) {
        let done = WorkSignal()
        Task.detached {
            await self.stop(lastExport: lastExport)
            done.signal()
        }
        while !done.wait(nanoseconds: 100_000_000) { look() }
    }
}
