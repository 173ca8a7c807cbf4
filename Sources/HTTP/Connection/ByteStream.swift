public import EventLoop

/// Why reading or writing a connection failed.
public enum StreamError: UInt8, Error, Sendable {
    /// Reset, broken pipe, or any other end out of order.
    case reset
    /// The peer ended its side in the middle of something.
    case cut
    case timedOut
    /// The caller on whose behalf this was done has gone.
    case callerGone
    /// The program is ending.
    case shutdown
}

/// A connected stream of bytes: a socket, with or without TLS over it. Confined to its loop.
///
/// Reads and writes are tried at once and suspend only when the kernel has nothing; deadlines are monotonic nanoseconds.
@safe public final class ByteStream {
    public let socket: Socket

    public init(_ socket: Socket) { self.socket = socket }

    /// Reads what there is, without waiting.
    @unsafe public func readNow(into buffer: UnsafeMutableRawBufferPointer) -> IOResult { unsafe socket.readNow(into: buffer) }

    /// Suspends until there may be something to read.
    public func waitToRead(until deadline: UInt64) async throws(StreamError) {
        try Self.check(await socket.waitToRead(until: deadline), socket)
    }

    /// Writes everything: up to three pieces, in one system call where the kernel takes them.
    /// What the pieces lend must stay as it is until this returns, suspensions included.
    public func write(_ first: RawSpan, _ second: RawSpan = RawSpan(), _ third: RawSpan = RawSpan(), until deadline: UInt64) async throws(StreamError) {
        let total = first.byteCount + second.byteCount + third.byteCount
        switch socket.writeNow(first, second, third) {
        case .bytes(let count):
            if count == total { return }
            try await writeRest(first, second, third, from: count, until: deadline)
        case .wouldBlock: try await writeRest(first, second, third, from: 0, until: deadline)
        case .end, .failed: throw .reset
        }
    }

    private func writeRest(_ first: RawSpan, _ second: RawSpan, _ third: RawSpan, from written: Int, until deadline: UInt64) async throws(StreamError) {
        var written = written
        let total = first.byteCount + second.byteCount + third.byteCount
        while written < total {
            let a = min(written, first.byteCount)
            let b = min(written - a, second.byteCount)
            let c = written - a - b
            let result = socket.writeNow(
                first.extracting(a..<first.byteCount), second.extracting(b..<second.byteCount), third.extracting(c..<third.byteCount))
            switch result {
            case .bytes(let count): written += count
            case .wouldBlock: try Self.check(await socket.waitToWrite(until: deadline), socket)
            case .end, .failed: throw .reset
            }
        }
    }

    private static func check(_ readiness: Readiness, _ socket: Socket) throws(StreamError) {
        switch readiness {
        case .ready: return
        case .timedOut: throw .timedOut
        case .interrupted: throw socket.interruption == .shutdown ? .shutdown : .callerGone
        }
    }

    public func close() { socket.close() }
    public func reset() { socket.reset() }
}
