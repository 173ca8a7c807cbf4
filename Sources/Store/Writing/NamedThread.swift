private import Glibc

/// A POSIX thread with a name that tools show.
@safe final class NamedThread {
    private final class Body: Sendable {
        let name: String
        let run: @Sendable () -> Void
        init(_ name: String, _ run: @escaping @Sendable () -> Void) {
            self.name = name
            self.run = run
        }
    }

    private var thread = pthread_t()

    /// - Parameter name: at most 15 bytes (proc_pid_comm(5)).
    init(_ name: String, _ run: @escaping @Sendable () -> Void) {
        // Sound: the thread takes over the one reference made here.
        let body = unsafe Unmanaged.passRetained(Body(name, run)).toOpaque()
        let code = unsafe pthread_create(
            &thread, nil,
            { context in
                guard let context = unsafe context else { return nil }
                let body = unsafe Unmanaged<Body>.fromOpaque(context).takeRetainedValue()
                NamedThread.name(body.name)
                body.run()
                return nil
            }, body)
        precondition(code == 0, "no thread to be had")
    }

    /// Waits for its end; once only.
    func join() { pthread_join(thread, nil) }

    /// Names the calling thread. By its file, because pthread_setname_np is behind a feature test that the C importer does not pass.
    private static func name(_ name: String) {
        let file = unsafe open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        unsafe _ = write(file, name, name.utf8.count)
        close(file)
    }
}
