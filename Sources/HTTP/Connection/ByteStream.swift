public import EventLoop
public import TLS

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
/// Reads and writes are tried at once and suspend only when the kernel has nothing; deadlines are monotonic nanoseconds. What TLS does
/// differently stands in `ByteStream+TLS.swift`.
@safe public final class ByteStream {
    public let socket: Socket
    /// TLS, once its handshake is done (`startTLS`).
    public internal(set) var tls: TLSConnection?
    /// A read of TLS waits for the socket to take something first.
    var readWantsWrite = false

    public init(_ socket: Socket) { self.socket = socket }

    /// Reads what there is, without waiting. Read on until `wouldBlock` before waiting: what TLS has taken off the socket already, no
    /// readiness will tell of.
    @unsafe public func readNow(into buffer: UnsafeMutableRawBufferPointer) -> IOResult {
        guard let tls else { return unsafe socket.readNow(into: buffer) }
        return unsafe readNow(tls, into: buffer)
    }

    /// Suspends until there may be something to read.
    public func waitToRead(until deadline: UInt64) async throws(StreamError) {
        if readWantsWrite {
            readWantsWrite = false
            try check(await socket.waitToWrite(until: deadline))
        } else {
            try check(await socket.waitToRead(until: deadline))
        }
    }

    /// Whether a read may find something: in the socket, or in what TLS has taken off it.
    public var mayBeReadable: Bool { socket.mayBeReadable || tls?.hasBufferedInput ?? false }

    /// Writes everything: up to three pieces, in one system call where the kernel takes them.
    /// What the pieces lend must stay as it is until this returns, suspensions included.
    @inlinable @inline(__always)
    public func write(_ first: RawSpan, _ second: RawSpan = RawSpan(), _ third: RawSpan = RawSpan(), until deadline: UInt64) async throws(StreamError) {
        let written = try writeNow(first, second, third)
        if written < first.byteCount + second.byteCount + third.byteCount {
            try await writeRest(first, second, third, from: written, until: deadline)
        }
    }

    /// Writes without waiting; how much the kernel took. Nothing where there is TLS, nor of more than a turn's share.
    public func writeNow(_ first: RawSpan, _ second: RawSpan = RawSpan(), _ third: RawSpan = RawSpan()) throws(StreamError) -> Int {
        guard tls == nil, first.byteCount + second.byteCount + third.byteCount <= EventLoop.bytesPerTurn else { return 0 }
        switch socket.writeNow(first, second, third) {
        case .bytes(let count): return count
        case .wouldBlock: return 0
        case .end, .failed: throw .reset
        }
    }

    /// Writes what is left, a turn's share at a time: a kernel that takes megabytes takes its time for them as well.
    /// - Parameter heard: the connection this is the stream of, where its peer's refusal ends the writing.
    /// - Returns: false where it did.
    @discardableResult
    @usableFromInline func writeRest(
        _ first: RawSpan, _ second: RawSpan, _ third: RawSpan, from written: Int, until deadline: UInt64, heard: HTTP1Connection? = nil
    ) async throws(StreamError) -> Bool {
        if let tls { return try await write(tls, first, second, third, until: deadline, heard: heard) }
        var written = written
        let total = first.byteCount + second.byteCount + third.byteCount
        // Where this turn's share ends.
        var share = min(total, written + EventLoop.bytesPerTurn)
        while written < total {
            if written == share {
                try await takeTurns(until: deadline)
                share = min(total, written + EventLoop.bytesPerTurn)
            }
            let a = min(written, first.byteCount)
            let b = min(written - a, second.byteCount)
            let c = written - a - b
            let end = (a: min(share, first.byteCount), b: min(max(share - first.byteCount, 0), second.byteCount))
            let result = socket.writeNow(
                first.extracting(a..<end.a), second.extracting(b..<end.b), third.extracting(c..<share - end.a - end.b))
            switch result {
            case .bytes(let count): written += count
            case .wouldBlock:
                if let heard, heard.hasRefusal() { return false }
                try check(await socket.waitToWrite(until: deadline, orRead: heard != nil))
                share = min(total, written + EventLoop.bytesPerTurn)
            case .end, .failed: throw .reset
            }
        }
        return true
    }

    /// Lets others have a turn in the middle of a write. Whoever was waited for may have gone meanwhile, or the time be over.
    func takeTurns(until deadline: UInt64) async throws(StreamError) {
        let loop = unsafe socket.loop
        await loop.yield()
        if socket.interruption != nil || socket.isClosed { try check(.interrupted) }
        if loop.now >= deadline { throw .timedOut }
    }

    func check(_ readiness: Readiness) throws(StreamError) {
        switch readiness {
        case .ready: return
        case .timedOut: throw .timedOut
        case .interrupted: throw socket.interruption == .shutdown ? .shutdown : .callerGone
        }
    }

    /// Whether an idle connection is still usable: open, and nothing has come that nobody asked for.
    public func isIdleAndOpen() -> Bool {
        guard let tls else { return socket.isIdleAndOpen() }
        return isIdleAndOpen(tls)
    }

    /// Whether the end that was read is one that anybody on the way could have made: TLS's peer has not said that it was all
    /// (RFC 8446 §6.1). Without TLS there is no telling.
    public var wasTruncated: Bool { tls?.isTruncated ?? false }

    // MARK: the end

    /// Ends our side only; the peer reads to the end. A full socket is waited for, so that TLS's end arrives as well.
    public func shutdownWrite(until deadline: UInt64) async {
        if let tls { await sayEnd(tls, until: deadline) }
        socket.shutdownWrite()
    }

    /// Closes the connection now; nothing is waited for.
    public func close() {
        // TLS's own end comes before the socket's: an end without it is a cut one.
        if let tls, !socket.isClosed { _ = tls.shutdown() }
        socket.close()
    }

    /// Closes so that the peer sees that something was wrong.
    public func reset() { socket.reset() }
}
