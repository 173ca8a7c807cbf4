import Glibc

/// The signals that end the program, or have it read its configuration again.
enum Signals {
    /// Keeps them for the calling thread to wait for. Before any thread is started: all of them inherit that.
    static func hold() -> sigset_t {
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        for signal in [SIGTERM, SIGINT, SIGHUP] { unsafe sigaddset(&signals, signal) }
        unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
        return signals
    }

    /// Whether the program has been asked to end, and nobody has taken notice yet.
    static var endIsAsked: Bool {
        var pending = sigset_t()
        unsafe sigpending(&pending)
        return unsafe sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1
    }
}
