import Glibc

/// Where a standard stream leads: a terminal of some width, or a file or pipe that takes every byte as it is.
public struct Screen: Sendable, Hashable {
    /// In columns; nil where the stream is no terminal, and nothing is to be cut.
    public var width: Int?
    public var hasColor: Bool

    public init(width: Int?, hasColor: Bool) {
        self.width = width
        self.hasColor = hasColor
    }

    /// Neither cut nor coloured.
    public static let file = Screen(width: nil, hasColor: false)

    public var isTerminal: Bool { width != nil }

    /// What a descriptor leads to. Colour is on for terminals, unless `NO_COLOR` is set to anything (no-color.org) or `TERM` is `dumb`.
    public init(descriptor: Int32, environment: [String: String]) {
        guard isatty(descriptor) == 1 else {
            self = .file
            return
        }
        var size = winsize()
        // Sound: the kernel fills the one structure it is lent for the call.
        let failed = unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size)
        let columns = failed == 0 && size.ws_col > 0 ? Int(size.ws_col) : environment["COLUMNS"].flatMap { Int($0) } ?? 80
        width = max(columns, 20)
        hasColor = environment["NO_COLOR", default: ""].isEmpty && environment["TERM"] != "dumb"
    }
}

/// A standard stream, written to with write(2). For the program's main thread.
public struct Stream: Sendable {
    public let descriptor: Int32
    public let screen: Screen

    public init(descriptor: Int32, environment: [String: String]) {
        self.descriptor = descriptor
        screen = Screen(descriptor: descriptor, environment: environment)
    }

    /// Writes all of it.
    /// - Throws: the errno; EPIPE where the reader has gone.
    public func write(_ bytes: [UInt8]) throws(WriteError) {
        var written = 0
        while written < bytes.count {
            // Sound: the pointer is used within the closure, and `written` is below the count.
            let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress! + written, $0.count - written) }
            if count >= 0 {
                written += count
            } else if errno == EAGAIN {
                var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = unsafe Glibc.poll(&poll, 1, -1)
            } else if errno != EINTR {
                throw WriteError(code: errno)
            }
        }
    }

    public func write(_ text: String) throws(WriteError) { try write(Array(text.utf8)) }

    /// Each with a line break behind it.
    public func write(lines: [String]) throws(WriteError) { try write(lines.map { $0 + "\n" }.joined()) }
}

/// A standard stream that takes nothing.
public struct WriteError: Error, Hashable, CustomStringConvertible {
    public var code: Int32
    public var isBrokenPipe: Bool { code == EPIPE }
    public var description: String { "cannot write: \(unsafe String(cString: strerror(code)))" }
}
