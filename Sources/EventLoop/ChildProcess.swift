internal import CLinux
internal import Glibc

/// A program that was started from here, with pipes to its standard input and from its standard output and error. It has these three
/// descriptors and no other, and exactly the environment it is given. Confined to one loop.
///
/// It is the first of a session of its own, so that it can be ended together with whatever it starts. Whoever starts one waits for its
/// end (`waitForExit`): until then its number stays taken, and a signal cannot reach anybody else.
@safe public final class ChildProcess {
    public let processID: Int32
    /// Its standard input, to be written to.
    public let input: Socket
    /// Its standard output and error, to be read from.
    public let output, errors: Socket
    private let ended: Socket
    public private(set) var exit: Exit?

    /// How a program ended.
    public enum Exit: Sendable, Hashable {
        case status(Int32)
        case signal(Int32)
    }

    /// Starts a program. The calling thread waits until the kernel has read it (vfork(2)).
    /// - Parameters:
    ///   - command: the program and its arguments; one without a slash is looked for in this process's `PATH`.
    ///   - environment: `NAME=value`, all there is.
    /// - Throws: ENOENT and EACCES where there is no such program, or it may not be run.
    public init(_ command: [String], environment: [String], on loop: EventLoop) throws(SystemError) {
        precondition(!command.isEmpty, "a command has a program")
        var pipes = Pipes()
        defer { pipes.close() }
        try pipes.open()
        var process: pid_t = 0
        let failed = unsafe Self.withStrings(command) { arguments in
            unsafe Self.withStrings(environment) { variables in
                unsafe linux_spawn(arguments[0], arguments, variables, pipes[0], pipes[3], pipes[5], &process)
            }
        }
        guard failed == 0 else { throw SystemError("posix_spawn", failed) }
        processID = process
        do {
            input = try pipes.take(1, on: loop)
            output = try pipes.take(2, on: loop)
            errors = try pipes.take(4, on: loop)
            ended = try Socket(System.check("pidfd_open") { linux_process_descriptor(process) }, on: loop)
            ended.sawWouldBlock(reading: true)
        } catch {
            // Nobody will wait for it: it must be over now.
            linux_signal_group(process, SIGKILL)
            while linux_take_exit(process) == Int32.min { usleep(1_000) }
            throw error
        }
    }

    /// Waits until it has ended, ends whatever it has left behind, and takes its status, so that nothing remains of it.
    /// - Parameter deadline: monotonic nanoseconds.
    /// - Returns: nil where it runs on: the time is over, or `stopWaiting` was called.
    public func waitForExit(until deadline: UInt64) async -> Exit? {
        if let exit { return exit }
        guard await ended.waitToRead(until: deadline) == .ready else {
            ended.clearInterruption()
            return nil
        }
        let status = linux_take_exit(processID)
        guard status != Int32.min else {
            ended.sawWouldBlock(reading: true)
            return nil
        }
        exit = status < 0 ? .signal(-1 - status) : .status(status)
        ended.close()
        return exit
    }

    /// Lets `waitForExit` return now.
    public func stopWaiting() { ended.interrupt(.callerGone) }

    /// Sends a signal to the program and whatever it has started; nothing happens once its status has been taken.
    public func signal(_ number: Int32) { if exit == nil { linux_signal_group(processID, number) } }

    /// Asks the program to end.
    public func terminate() { signal(SIGTERM) }

    /// Ends the program.
    public func kill() { signal(SIGKILL) }

    private static func withStrings<Value>(_ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Value) -> Value {
        var copies = unsafe strings.map { unsafe strdup($0) } + [nil]
        defer { for unsafe copy in unsafe copies { unsafe free(copy) } }
        // Sound: the copies live until `body` has returned.
        return unsafe copies.withUnsafeMutableBufferPointer { unsafe body(UnsafePointer($0.baseAddress!)) }
    }
}

/// Three pipes: 0 and 1 of the program's input, 2 and 3 of its output, 4 and 5 of its errors; of each the end that is read from first.
/// What is not taken is closed.
private struct Pipes {
    private var ends: InlineArray<6, Int32> = [-1, -1, -1, -1, -1, -1]

    subscript(_ end: Int) -> Int32 { ends[end] }

    mutating func open() throws(SystemError) {
        for pipe in 0..<3 {
            var pair: (Int32, Int32) = (-1, -1)
            let failed = unsafe withUnsafeMutableBytes(of: &pair) { unsafe linux_pipe($0.baseAddress!.assumingMemoryBound(to: Int32.self)) }
            guard failed == 0 else { throw SystemError("pipe", failed) }
            (ends[2 * pipe], ends[2 * pipe + 1]) = pair
        }
    }

    /// Our own end, which becomes non-blocking; the program's stays as it is.
    mutating func take(_ end: Int, on loop: EventLoop) throws(SystemError) -> Socket {
        let descriptor = ends[end]
        ends[end] = -1
        linux_set_nonblocking(descriptor)
        return try Socket(descriptor, on: loop, isPipe: true)
    }

    mutating func close() {
        for end in ends.indices where ends[end] >= 0 {
            _ = Glibc.close(ends[end])
            ends[end] = -1
        }
    }
}

extension Socket {
    /// Two sockets of this machine that are connected to each other, non-blocking (socketpair(2)): to reach what runs on another loop of
    /// this process as if it ran elsewhere.
    public static func pair() throws(SystemError) -> (Int32, Int32) {
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        _ = try System.check("socketpair") { unsafe socketpair(AF_UNIX, type, 0, &ends) }
        return (ends[0], ends[1])
    }
}
