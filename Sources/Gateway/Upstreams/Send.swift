import EventLoop
import HTTP
import LLM
import TLS

extension Worker {
    /// Sends the request and reads the answer's head.
    ///
    /// A pooled connection may have died unnoticed. When it did so before any byte of an answer, and the request can be sent again
    /// (its body is still here), it is, once, on a fresh connection.
    func send(_ exchange: Exchange, to upstream: Upstream, for downstream: HTTP1Connection) async throws(GatewayError) -> HTTP1Connection {
        if let pooled = upstream.pool.takeIdle() {
            do {
                try await attempt(exchange, on: pooled, upstream, downstream)
                return pooled
            } catch {
                pooled.stream.close()
                guard error == .upstreamReset, pooled.input.isEmpty, exchange.canBeSentAgain else { throw error }
            }
        }
        return try await sendOnFresh(exchange, to: upstream, for: downstream)
    }

    private func sendOnFresh(_ exchange: Exchange, to upstream: Upstream, for downstream: HTTP1Connection) async throws(GatewayError) -> HTTP1Connection {
        let fresh: HTTP1Connection
        do {
            fresh = try await connect(to: upstream, for: downstream.stream.socket)
        } catch {
            if error == .callerGone { throw downstream.stream.socket.interruption == .shutdown ? .shutdown : .callerGone }
            throw .connect(error)
        }
        do {
            try await attempt(exchange, on: fresh, upstream, downstream)
            return fresh
        } catch {
            // A request that is given up is given up on the wire too: the upstream should stop working on it.
            if error == .callerGone || error == .shutdown { fresh.stream.reset() } else { fresh.stream.close() }
            // A server may refuse a TLS connection after the handshake, as seen from here: it wanted a certificate of ours (RFC 8446 §4.4.2.4).
            if error == .upstreamReset, let refusal = fresh.stream.tls?.failure { throw .connect(.tls(refusal)) }
            throw error
        }
    }

    /// Opens a connection, in a task of its own: memory that a task once had for its frames it keeps to its end, and opening has many
    /// that would stay with the caller's for as long as its connection lasts (2 KiB).
    private func connect(to upstream: Upstream, for caller: Socket) async throws(ConnectFailure) -> HTTP1Connection {
        // Sound: both tasks belong to this loop, and this one waits until the other is done.
        nonisolated(unsafe) let pool = upstream.pool
        nonisolated(unsafe) let caller = caller
        nonisolated(unsafe) var result = Result<HTTP1Connection, ConnectFailure>.failure(.timedOut)
        let timeout = upstream.settings.timeouts.connect
        await suspend { (opened: Resumption<Void>) in
            Task(executorPreference: loop) {
                do throws(ConnectFailure) {
                    unsafe result = .success(try await pool.connect(timeout: timeout, for: caller))
                } catch { unsafe result = .failure(error) }
                opened.resume()
            }
        }
        return try unsafe result.get()
    }

    /// One try on one connection: request out, answer's head in.
    private func attempt(_ exchange: Exchange, on connection: HTTP1Connection, _ upstream: Upstream, _ downstream: HTTP1Connection) async throws(GatewayError) {
        downstream.stream.socket.onBehalf = connection.stream.socket
        defer { downstream.stream.socket.onBehalf = nil }
        if downstream.stream.socket.peerHasGone() { throw .callerGone }
        exchange.writeRequestHead(upstream)
        let rest = exchange.joinBody()
        do {
            let output = exchange.output
            let body = exchange.body
            try await connection.stream.write(
                output.bytes, body.bytes.extracting(first: rest), until: exchange.deadline(loop.now, upstream.settings.timeouts.idle))
        } catch { throw Self.upstreamFailure(error, exchange, loop.now, .idleTimeout) }
        if exchange.api == nil { try await streamRequestBody(exchange, from: downstream, to: connection, upstream.settings.timeouts) }
        exchange.sent(clock)

        // Interim answers (RFC 9110 §15.2) come before the one that counts.
        let deadline = exchange.deadline(loop.now, upstream.settings.timeouts.firstByte)
        while true {
            try await readAnswerHead(exchange, connection, deadline)
            if exchange.answer.status >= 200 { break }
            guard exchange.answer.status != 101 else { throw .malformedAnswer }
            try await passInterim(exchange, downstream)
        }
        connection.beginBody(exchange.answer.framing)
        exchange.answered(upstream)
    }

    /// Passes a body on as it comes. An upstream that answers before it has all of it is listened to: the rest is not sent.
    private func streamRequestBody(
        _ exchange: Exchange, from downstream: HTTP1Connection, to connection: HTTP1Connection, _ timeouts: UpstreamTimeouts
    ) async throws(GatewayError) {
        guard !downstream.bodyIsDone else { return }
        // While the caller is read from, its own silence is watched; its leaving shows as a read error.
        try await continueIfExpected(exchange, downstream)
        let chunked = exchange.request.framing == .chunked
        let input = downstream.input
        let output = exchange.output
        while true {
            let count: Int
            do { count = try await downstream.nextPiece(until: exchange.deadline(loop.now, settings.callerIdleNanoseconds)) } catch {
                switch error {
                case .stream(.timedOut), .chunk, .head, .bodyTooLarge: throw .badRequest(error)
                case .stream(.shutdown): throw .shutdown
                case .stream: throw .callerGone
                }
            }
            exchange.bodyHasStreamed()
            do {
                let deadline = exchange.deadline(loop.now, timeouts.idle)
                if count == 0 {
                    if chunked { try await connection.stream.write(("0\r\n\r\n" as StaticString).bytes, until: deadline) }
                    return
                }
                if chunked {
                    output.removeAll()
                    output.append(hex: count)
                    output.append("\r\n")
                    try await connection.stream.write(output.bytes, input.bytes.extracting(first: count), ("\r\n" as StaticString).bytes, until: deadline)
                } else {
                    try await connection.stream.write(input.bytes.extracting(first: count), until: deadline)
                }
            } catch {
                // It may have answered before it stopped reading: that answer is what counts.
                if error == .reset { return }
                throw Self.upstreamFailure(error, exchange, loop.now, .idleTimeout)
            }
            downstream.consumePiece()
            if downstream.bodyIsDone, !chunked { return }
        }
    }

    @inline(__always)
    private func readAnswerHead(_ exchange: Exchange, _ connection: HTTP1Connection, _ deadline: UInt64) async throws(GatewayError) {
        let begins: Bool
        do { begins = try await connection.waitForMessage(until: deadline) } catch {
            throw Self.upstreamFailure(error, exchange, loop.now, .firstByteTimeout)
        }
        guard begins else { throw .upstreamReset }
        let input = connection.input
        if let length = HeadParser.responseAtHand(input.bytes, to: exchange.request.method, into: exchange.answer) {
            input.consume(length)
            return
        }
        let length: Int
        do { length = try await connection.readHead(until: deadline) } catch {
            switch error {
            case .stream(.cut): throw .malformedAnswer
            case .stream(let stream): throw Self.upstreamFailure(stream, exchange, loop.now, .firstByteTimeout)
            default: throw .malformedAnswer
            }
        }
        do {
            try HeadParser.parseResponse(input.bytes.extracting(first: length), to: exchange.request.method, into: exchange.answer)
        } catch { throw .malformedAnswer }
        input.consume(length)
    }

    /// What a failed read or write of the upstream's connection means.
    static func upstreamFailure(_ error: StreamError, _ exchange: Exchange, _ now: UInt64, _ timeout: GatewayError) -> GatewayError {
        switch error {
        case .reset: .upstreamReset
        case .cut: .upstreamCut
        case .timedOut: now >= exchange.totalDeadline ? .totalTimeout : timeout
        case .callerGone: .callerGone
        case .shutdown: .shutdown
        }
    }
}

extension Exchange {
    /// Head and body leave in one write. A small body is joined to the head in `output`, and one that gets a field added, in the three
    /// pieces that make it.
    /// - Returns: how much of the body is to be sent behind `output`.
    func joinBody() -> Int {
        guard api != nil else { return 0 }
        let body = body
        guard let edit = call.usageInjection else {
            guard body.count <= Worker.joinedSize else { return body.count }
            output.append(body.bytes)
            return 0
        }
        output.append(body.bytes.extracting(0..<edit.range.lowerBound))
        output.append(edit.text)
        output.append(body.bytes.extracting(edit.range.upperBound..<body.count))
        return 0
    }

    /// `now` and a time-out, but never past the exchange's own end.
    func deadline(_ now: UInt64, _ timeout: UInt64) -> UInt64 {
        min(totalDeadline, timeout == .max ? .max : now + timeout)
    }
}
