internal import CLinux
internal import Glibc

/// A system call that failed: which one, and the errno it left.
public struct SystemError: Error, Hashable, CustomStringConvertible {
    public let call: String
    public let code: Int32

    public init(_ call: String, _ code: Int32) {
        self.call = call
        self.code = code
    }

    public var description: String { "\(call): \(unsafe String(cString: strerror(code)))" }
}

/// What a non-blocking read or write came to.
public enum IOResult: Equatable, Sendable {
    case bytes(Int)
    /// Nothing to be had now: wait for the socket.
    case wouldBlock
    /// The peer has ended its side in order.
    case end
    /// The connection broke, with this errno.
    case failed(Int32)
}

/// The one gate to the kernel: EINTR is retried, EAGAIN is a value, EBADF and EFAULT are our own mistakes and stop the program.
public enum System {
    @inline(__always)
    static func result(_ call: () -> Int) -> IOResult {
        while true {
            let count = call()
            if count >= 0 { return .bytes(count) }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .wouldBlock
            case EBADF, EFAULT: preconditionFailure("a socket call on a bad descriptor or address")
            case let code: return .failed(code)
            }
        }
    }

    static func check(_ call: String, _ body: () -> Int32) throws(SystemError) -> Int32 {
        while true {
            let value = body()
            if value >= 0 { return value }
            if errno != EINTR { throw SystemError(call, errno) }
        }
    }

    public static func nameThread(_ name: String) { unsafe linux_name_thread(name) }

    /// The cores this process may run on; at least one.
    public static var availableCores: Int { Int(linux_available_cores()) }

    /// One heap for all threads, grown by a megabyte at a time: to be called before there are threads. Loops allocate next to nothing
    /// and do not wait for each other; a store that keeps 100,000 open runs grew its own heap a page and a system call at a time.
    public static func shareHeap() { linux_share_heap() }

    /// Gives the heap's empty pages back to the system: what a program needs to start it may never need again.
    public static func trimHeap() { linux_trim_heap() }

    /// Raises the limit of open files to what the system allows; the limit that holds afterwards.
    @discardableResult
    public static func raiseFileLimit() -> UInt64 { linux_raise_file_limit() }

    /// A peer that closed must be an error code and not a signal.
    public static func ignoreBrokenPipes() { _ = signal(SIGPIPE, SIG_IGN) }

    /// Four words from the kernel's randomness (getrandom(2)).
    public static func randomSeed() -> (UInt64, UInt64, UInt64, UInt64) {
        var generator = SystemRandomNumberGenerator()
        return (generator.next(), generator.next(), generator.next(), generator.next())
    }
}
