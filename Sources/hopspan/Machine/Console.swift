import Commands
import EventLoop
import Glibc
import Terminal

/// Why a command failed: exit status 1, after these lines on standard error.
struct Failure: Error {
    let lines: [String]

    init(_ line: String) { lines = ["hopspan: " + line] }
    init(lines: [String]) { self.lines = lines }
}

/// The two streams a command writes to, and the environment it was started in.
struct Console: Sendable {
    let environment: [String: String]
    /// Answers.
    let output: Stream
    /// Everything else.
    let errors: Stream

    init() {
        environment = Environment.read()
        output = Stream(descriptor: STDOUT_FILENO, environment: environment)
        errors = Stream(descriptor: STDERR_FILENO, environment: environment)
    }

    func print(_ lines: [String]) throws(Failure) { try write(Array((lines.map { $0 + "\n" }.joined()).utf8)) }

    /// A reader that has seen enough ends the program as it ends any other: by SIGPIPE.
    func write(_ bytes: [UInt8]) throws(Failure) {
        do {
            try output.write(bytes)
        } catch {
            if error.isBrokenPipe {
                _ = signal(SIGPIPE, SIG_DFL)
                raise(SIGPIPE)
            }
            throw Failure("standard output: \(error)")
        }
    }

    /// What nobody can be told about is not worth a word.
    func complain(_ lines: [String]) { try? errors.write(lines: lines) }
}
