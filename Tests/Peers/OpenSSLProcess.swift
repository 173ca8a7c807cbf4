private import Foundation
private import Glibc

/// openssl(1) while it runs. Foundation's `Process` is not used: its children inherit the signal mask of the pool's threads, which
/// blocks SIGTERM.
public final class OpenSSLProcess {
    private let identifier: pid_t
    private let input: Int32
    private let output: Int32
    private let errorFile: String
    private var status: Int32?
    private var hasInput = true

    public init(_ arguments: [String]) throws {
        let (childInput, input) = try Self.pipe()
        let (output, childOutput) = try Self.pipe()
        errorFile = FileManager.default.temporaryDirectory.appending(path: "hopspan-openssl-\(UUID().uuidString)").path
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        unsafe posix_spawn_file_actions_adddup2(&actions, childInput, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, childOutput, 1)
        unsafe posix_spawn_file_actions_addopen(&actions, 2, errorFile, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        var attributes = posix_spawnattr_t()
        var noSignals = sigset_t()
        unsafe sigemptyset(&noSignals)
        unsafe posix_spawnattr_init(&attributes)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        unsafe posix_spawnattr_setsigmask(&attributes, &noSignals)
        // Sound: both lists end with nil, and their strings live until the child has its copy.
        let words = unsafe (["openssl"] + arguments).map { unsafe strdup($0) } + [nil]
        var identifier: pid_t = 0
        let result = unsafe posix_spawnp(&identifier, "openssl", &actions, &attributes, words, environ)
        unsafe words.forEach { unsafe free($0) }
        unsafe posix_spawn_file_actions_destroy(&actions)
        unsafe posix_spawnattr_destroy(&attributes)
        close(childInput)
        close(childOutput)
        (self.identifier, self.input, self.output) = (identifier, input, output)
        guard result == 0 else { throw PeerFailed("openssl(1) cannot be started") }
    }

    /// Reading end, writing end; no other child inherits them.
    private static func pipe() throws -> (Int32, Int32) {
        var ends: [Int32] = [-1, -1]
        guard unsafe Glibc.pipe(&ends) == 0 else { throw PeerFailed("no pipe") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    deinit {
        if status == nil { terminate() }
        if hasInput { close(input) }
        close(output)
        unsafe unlink(errorFile)
    }

    public func send(_ text: String) { _ = unsafe write(input, text, text.utf8.count) }

    /// What it has printed on standard output, waiting for something; empty at its end.
    private func available() -> String {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let count = unsafe Glibc.read(output, &buffer, buffer.count)
        return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : ""
    }

    /// Where s_server listens: it prints `ACCEPT 127.0.0.1:port`.
    public func port() throws -> UInt16 {
        var text = ""
        while !text.contains("ACCEPT") || !text.hasSuffix("\n") {
            let more = available()
            guard !more.isEmpty else { throw PeerFailed("s_server has ended") }
            text += more
        }
        let line = text.split(separator: "\n").last { $0.hasPrefix("ACCEPT") }
        guard let port = line?.split(separator: ":").last.flatMap({ UInt16($0) }) else { throw PeerFailed("s_server does not say where it listens") }
        return port
    }

    /// Closes its input and waits for its end: what it printed (beyond what `port` has read), and whether it did well.
    public func finish() -> (output: String, errors: String, succeeded: Bool) {
        close(input)
        hasInput = false
        var text = ""
        while case let more = available(), !more.isEmpty { text += more }
        wait()
        return (text, (try? String(contentsOfFile: errorFile, encoding: .utf8)) ?? "", status == 0)
    }

    public func terminate() {
        kill(identifier, SIGTERM)
        wait()
    }

    private func wait() {
        var status: Int32 = -1
        while unsafe waitpid(identifier, &status, 0) == -1, errno == EINTR {}
        self.status = status
    }
}
