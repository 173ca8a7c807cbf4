internal import EventLoop
public import TLS

/// Why TLS could not be begun.
public enum HandshakeError: Error, Equatable, Sendable {
    case tls(TLSError)
    /// Out of time, or nobody wants it any more.
    case stream(StreamError)
}

extension ByteStream {
    /// Shakes hands; from then on all that is read and written goes through TLS. Nothing may wait unread, and after an error the stream
    /// is of no further use.
    public func startTLS(_ tls: TLSConnection, until deadline: UInt64) async throws(HandshakeError) {
        while true {
            let step: TLSConnection.Handshake
            do { step = try tls.handshake() } catch { throw .tls(error) }
            do {
                switch step {
                case .done:
                    self.tls = tls
                    // A caller that leaves says `close_notify` first, which is no request.
                    socket.unreadIsEnd = { tls.peerHasEnded() }
                    return
                case .wantRead: try await waitForTLS(reading: true, until: deadline)
                case .wantWrite: try await waitForTLS(reading: false, until: deadline)
                }
            } catch { throw .stream(error) }
        }
    }

    /// The kernel had nothing in this direction: waits until it has.
    private func waitForTLS(reading: Bool, until deadline: UInt64) async throws(StreamError) {
        socket.sawWouldBlock(reading: reading)
        try check(reading ? await socket.waitToRead(until: deadline) : await socket.waitToWrite(until: deadline))
    }

    /// Sends `close_notify`, if the socket takes it in time.
    func sayEnd(_ tls: TLSConnection, until deadline: UInt64) async {
        while !socket.isClosed {
            let isReading: Bool
            switch tls.shutdown() {
            case .done: return
            case .wantRead: isReading = true
            case .wantWrite: isReading = false
            }
            guard (try? await waitForTLS(reading: isReading, until: deadline)) != nil else { return }
        }
    }

    // MARK: reading

    /// Both ends of a stream are its end here; `wasTruncated` tells them apart.
    @unsafe func readNow(_ tls: TLSConnection, into buffer: UnsafeMutableRawBufferPointer) -> IOResult {
        guard socket.mayBeReadable || tls.hasBufferedInput else { return .wouldBlock }
        do {
            switch unsafe try tls.read(into: buffer) {
            case .bytes(let count): return .bytes(count)
            case .wantRead:
                socket.sawWouldBlock(reading: true)
                return .wouldBlock
            case .wantWrite:
                socket.sawWouldBlock(reading: false)
                readWantsWrite = true
                return .wouldBlock
            case .closed, .truncated: return .end
            }
        } catch { return .failed(0) }
    }

    /// Session tickets come when the server likes, to idle connections as well (RFC 8446 §4.6.1). They are nothing unexpected: they
    /// are read, and kept for the next handshake.
    func isIdleAndOpen(_ tls: TLSConnection) -> Bool {
        if !tls.hasBufferedInput, socket.isIdleAndOpen() { return true }
        guard !socket.isClosed, !socket.peerEnded else { return false }
        var byte: UInt8 = 0
        // Sound: the byte is lent for the call.
        let result = unsafe withUnsafeMutableBytes(of: &byte) { unsafe readNow(tls, into: $0) }
        return result == .wouldBlock && !readWantsWrite
    }

    // MARK: writing

    /// A record's contents at most (RFC 8446 §5.1).
    private static var recordSize: Int { 16 << 10 }

    func write(
        _ tls: TLSConnection, _ first: RawSpan, _ second: RawSpan, _ third: RawSpan, until deadline: UInt64, heard: HTTP1Connection?
    ) async throws(StreamError) -> Bool {
        let total = first.byteCount + second.byteCount + third.byteCount
        var written = 0
        var share = EventLoop.bytesPerTurn
        while written < total {
            if written >= share {
                try await takeTurns(until: deadline)
                share = written + EventLoop.bytesPerTurn
            }
            let result: TLSConnection.Transfer
            do { result = try writeNow(tls, first, second, third, from: written, atMost: share - written) } catch { throw .reset }
            switch result {
            case .bytes(let count): written += count
            case .wantRead: try await waitForTLS(reading: true, until: deadline)
            case .wantWrite:
                if let heard, heard.hasRefusal() { return false }
                socket.sawWouldBlock(reading: false)
                try check(await socket.waitToWrite(until: deadline, orRead: heard != nil))
            case .closed, .truncated: throw .reset
            }
        }
        return true
    }

    /// Writes what is left of the pieces, or the next records of it. Called again from the same place, it hands OpenSSL the same bytes
    /// again, as it wants them after a write that the socket did not take.
    ///
    /// Small pieces leave as one record, put together in a buffer that is lent for the call: a head and its body, an event and its
    /// framing. What fills records by itself is not copied; of that, `limit` bytes are written at most.
    private func writeNow(
        _ tls: TLSConnection, _ first: RawSpan, _ second: RawSpan, _ third: RawSpan, from written: Int, atMost limit: Int
    ) throws(TLSError) -> TLSConnection.Transfer {
        let a = min(written, first.byteCount)
        let b = min(written - a, second.byteCount)
        let c = written - a - b
        let (first, second, third) = (first.extracting(a..<first.byteCount), second.extracting(b..<second.byteCount), third.extracting(c..<third.byteCount))
        let left = first.byteCount + second.byteCount + third.byteCount
        let next = first.byteCount > 0 ? first : second.byteCount > 0 ? second : third
        if next.byteCount == left { return try tls.write(next.extracting(0..<min(left, limit))) }
        if next.byteCount >= Self.recordSize { return try tls.write(next.extracting(0..<min(next.byteCount / Self.recordSize * Self.recordSize, limit))) }

        let buffer = unsafe socket.loop.buffers.take()
        defer { unsafe socket.loop.buffers.giveBack(buffer) }
        let room = min(Self.recordSize, buffer.count)
        var count = 0
        func join(_ piece: RawSpan) {
            let length = min(piece.byteCount, room - count)
            guard length > 0 else { return }
            // Sound: `length` bytes are there and have room.
            unsafe piece.withUnsafeBytes { unsafe (buffer.baseAddress! + count).copyMemory(from: $0.baseAddress!, byteCount: length) }
            count += length
        }
        join(first)
        join(second)
        join(third)
        return try tls.write(unsafe UnsafeRawBufferPointer(rebasing: buffer[..<count]).bytes)
    }
}
