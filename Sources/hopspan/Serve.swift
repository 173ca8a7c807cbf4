import Commands
import Configuration
import EventLoop
import Gateway
import Glibc

/// `hopspan serve`: one program until a signal.
enum Serve {
    static func run(_ settings: ServeSettings, _ console: Console) throws(Failure) {
        let loaded = try Configuration.read(settings.config, environment: console.environment)
        console.complain(loaded.warnings.map { "warning: \($0)" })
        try run(loaded.configuration, console)
    }

    /// Serves until SIGTERM or SIGINT, then drains.
    static func run(_ configuration: Configuration, _ console: Console) throws(Failure) {
        System.raiseFileLimit()
        let program = try Program.start(configuration)
        try console.print(["{\"event\":\"ready\",\"gateway\":\"\(program.gateway.address)\"}"])
        var set = sigset_t()
        unsafe sigemptyset(&set)
        unsafe sigaddset(&set, SIGTERM)
        unsafe sigaddset(&set, SIGINT)
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        var signal: Int32 = 0
        unsafe sigwait(&set, &signal)
        program.stopBlocking()
    }
}

extension Program {
    /// The program of a configuration, with the prices that lie beside its store.
    static func start(_ configuration: Configuration) throws(Failure) -> Program {
        let prices = try configuration.importedPrices()
        do { return try Program(configuration, importedPrices: prices) } catch { throw Failure(error.message) }
    }

    /// Where the api listens. SCAFFOLD until the program has that listener.
    var apiAddress: SocketAddress? { nil }

    /// `stop`, for the main thread.
    func stopBlocking() {
        let done = WorkSignal()
        Task.detached {
            await self.stop()
            done.signal()
        }
        done.wait()
    }
}
