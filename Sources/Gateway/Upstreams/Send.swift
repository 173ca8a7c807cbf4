import EventLoop
import HTTP
import JSONRPC
import LLM
import TLS

extension Worker {
    /// Sends the request and reads the answer's head.
    ///
    /// A pooled connection may have died unnoticed. When it did so before any byte of an answer, interim ones included, and the request
    /// can be sent again (its body is still here), it is, once, on a fresh connection.
    func send(_ exchange: Exchange, to upstream: Upstream, for downstream: HTTP1Connection) async throws(GatewayError) -> HTTP1Connection {
        if let pooled = upstream.pool.takeIdle(), try await attempt(exchange, on: pooled, isPooled: true, upstream, downstream) { return pooled }
        let fresh = try await connect(exchange, to: upstream, for: downstream.stream.socket)
        _ = try await attempt(exchange, on: fresh, isPooled: false, upstream, downstream)
        return fresh
    }

    /// One try on one connection: request out, answer's head in. A connection on which none came is closed.
    /// - Returns: false where it was found dead and the request is to go out on another.
    private func attempt(
        _ exchange: Exchange, on connection: HTTP1Connection, isPooled: Bool, _ upstream: Upstream, _ downstream: HTTP1Connection
    ) async throws(GatewayError) -> Bool {
        do {
            try await ask(exchange, on: connection, upstream, downstream)
            return true
        } catch {
            giveUp(connection, error)
            guard error == .upstreamReset else { throw error }
            if isPooled, connection.input.isEmpty, exchange.canBeSentAgain { return false }
            // A server may refuse a TLS connection after the handshake, as seen from here: it wanted a certificate of ours (RFC 8446 §4.4.2.4).
            if !isPooled, let refusal = connection.stream.tls?.failure { throw .connect(.tls(refusal)) }
            throw error
        }
    }

    /// Closes a connection on which no answer came. A request that is given up is given up on the wire too: the upstream should stop
    /// working on it.
    private func giveUp(_ connection: HTTP1Connection, _ error: GatewayError) {
        switch error {
        case .callerGone, .shutdown, .totalTimeout, .firstByteTimeout, .idleTimeout: connection.stream.reset()
        default: connection.stream.close()
        }
    }

    /// Opens a connection, in a task of its own: memory that a task once had for its frames it keeps to its end, and opening has many
    /// that would stay with the caller's for as long as its connection lasts (2 KiB). Not part of its caller for the same reason.
    @inline(never)
    private func connect(_ exchange: Exchange, to upstream: Upstream, for caller: Socket) async throws(GatewayError) -> HTTP1Connection {
        let deadline = exchange.totalDeadline
        guard loop.now < deadline else { throw .totalTimeout }
        // Sound: both tasks belong to this loop, and this one waits until the other is done.
        nonisolated(unsafe) let pool = upstream.pool
        nonisolated(unsafe) let socket = caller
        nonisolated(unsafe) var result = Result<HTTP1Connection, ConnectFailure>.failure(.timedOut)
        let timeout = min(upstream.timeouts.connect, deadline == .max ? .max : deadline - loop.now)
        await suspend { (opened: Resumption<Void>) in
            Task(executorPreference: loop) {
                do throws(ConnectFailure) {
                    unsafe result = .success(try await pool.connect(timeout: timeout, for: socket))
                } catch { unsafe result = .failure(error) }
                opened.resume()
            }
        }
        switch unsafe result {
        case .success(let connection): return connection
        case .failure(.callerGone): throw caller.interruption == .shutdown ? .shutdown : .callerGone
        case .failure(.timedOut) where loop.now >= deadline: throw .totalTimeout
        case .failure(let error): throw .connect(error)
        }
    }

    @inline(__always)
    private func ask(_ exchange: Exchange, on connection: HTTP1Connection, _ upstream: Upstream, _ downstream: HTTP1Connection) async throws(GatewayError) {
        downstream.stream.socket.onBehalf = connection.stream.socket
        defer { downstream.stream.socket.onBehalf = nil }
        if downstream.stream.socket.peerHasGone() { throw .callerGone }
        exchange.writeRequestHead(upstream)
        // An upstream may answer before it has all of it: that answer is what counts.
        let isSent: Bool
        do {
            let deadline = exchange.deadline(loop.now, upstream.timeouts.idle)
            if exchange.joinBody() {
                let output = exchange.output
                isSent = try await connection.writeRequest(output.bytes, until: deadline)
            } else {
                isSent = try await writeApart(exchange, to: connection, until: deadline)
            }
        } catch { throw Self.upstreamFailure(error, exchange, loop.now, .idleTimeout) }
        if !exchange.isUnderstood, isSent { try await streamRequestBody(exchange, from: downstream, to: connection, upstream.timeouts) }
        exchange.sent(clock)

        // Interim answers (RFC 9110 §15.2) come before the one that counts.
        let deadline = exchange.deadline(loop.now, upstream.timeouts.firstByte)
        while true {
            try await readAnswerHead(exchange, connection, deadline)
            if exchange.answer.status >= 200 { break }
            try await passInterim(exchange, downstream)
        }
        connection.beginBody(exchange.answer.framing)
        // A caller of HTTP/1.0 gets no chunks, and none behind them.
        if exchange.answer.framing == .chunked, exchange.request.minorVersion >= 1 { connection.keepTrailers() }
        if upstream.kind == .mcpServer { try exchange.bindAnswer(upstream, by: self) }
        exchange.answered(upstream)
    }

    /// Writes head and body, which is not copied, and what is added to it.
    private func writeApart(_ exchange: Exchange, to connection: HTTP1Connection, until deadline: UInt64) async throws(StreamError) -> Bool {
        let output = exchange.output
        let body = exchange.body
        if let edits = exchange.message?.edits, !edits.isEmpty {
            return try await writeEdited(exchange, edits, to: connection, until: deadline)
        }
        guard let edit = exchange.call.usageInjection else { return try await connection.writeRequest(output.bytes, body.bytes, until: deadline) }
        let added = edit.text
        guard try await connection.writeRequest(output.bytes, body.bytes.extracting(0..<edit.range.lowerBound), added.bytes, until: deadline) else { return false }
        return try await connection.writeRequest(body.bytes.extracting(edit.range.upperBound..<body.count), until: deadline)
    }

    private func writeEdited(
        _ exchange: Exchange, _ edits: [MessageEdit], to connection: HTTP1Connection, until deadline: UInt64
    ) async throws(StreamError) -> Bool {
        let output = exchange.output
        let body = exchange.body
        var at = 0
        for edit in edits {
            let added = edit.bytes
            let head = at == 0 ? output.bytes : RawSpan()
            guard unsafe try await connection.writeRequest(head, body.bytes.extracting(at..<edit.range.lowerBound), added.span.bytes, until: deadline)
            else { return false }
            at = edit.range.upperBound
        }
        return try await connection.writeRequest(body.bytes.extracting(at..<body.count), until: deadline)
    }

    /// Passes a body on as it comes. The rest of it is not sent to an upstream that refuses it.
    private func streamRequestBody(
        _ exchange: Exchange, from downstream: HTTP1Connection, to connection: HTTP1Connection, _ timeouts: UpstreamTimeouts
    ) async throws(GatewayError) {
        guard !downstream.bodyIsDone else { return }
        // While the caller is read from, its own silence is watched; its leaving shows as a read error.
        try await continueIfExpected(exchange, downstream)
        let chunked = exchange.request.framing == .chunked
        if chunked { downstream.keepTrailers() }
        let input = downstream.input
        let output = exchange.output
        while true {
            let count: Int
            do { count = try await downstream.nextPiece(until: exchange.deadline(loop.now, settings.callerIdleNanoseconds)) } catch {
                switch error {
                case .stream(.timedOut) where loop.now >= exchange.totalDeadline: throw .totalTimeout
                case .stream(.timedOut), .chunk, .head, .bodyTooLarge: throw .badRequest(error)
                case .stream(.shutdown): throw .shutdown
                case .stream: throw .callerGone
                }
            }
            exchange.bodyHasStreamed()
            if loop.now >= exchange.totalDeadline { throw .totalTimeout }
            do {
                let deadline = exchange.deadline(loop.now, timeouts.idle)
                if count == 0 {
                    guard chunked else { return }
                    output.removeAll()
                    output.append("0\r\n")
                    downstream.appendTrailers(to: output, of: exchange.request)
                    output.append("\r\n")
                    _ = try await connection.writeRequest(output.bytes, until: deadline)
                    return
                }
                let isSent: Bool
                if chunked {
                    output.removeAll()
                    output.append(hex: count)
                    output.append("\r\n")
                    isSent = try await connection.writeRequest(output.bytes, input.bytes.extracting(first: count), ("\r\n" as StaticString).bytes, until: deadline)
                } else {
                    isSent = try await connection.writeRequest(input.bytes.extracting(first: count), until: deadline)
                }
                guard isSent else { return }
            } catch { throw Self.upstreamFailure(error, exchange, loop.now, .idleTimeout) }
            downstream.consumePiece()
            if downstream.bodyIsDone, !chunked { return }
            exchange.moved += count
            if exchange.moved >= EventLoop.bytesPerTurn {
                exchange.moved = 0
                await loop.yield()
            }
        }
    }

    @inline(__always)
    private func readAnswerHead(_ exchange: Exchange, _ connection: HTTP1Connection, _ deadline: UInt64) async throws(GatewayError) {
        do {
            try await connection.readAnswer(to: exchange.request.method, into: exchange.answer, until: deadline) { exchange.answerBegins() }
        } catch {
            switch error {
            case .stream(.cut): throw connection.input.isEmpty ? .upstreamReset : .malformedAnswer
            case .stream(let stream): throw Self.upstreamFailure(stream, exchange, loop.now, .firstByteTimeout)
            default: throw .malformedAnswer
            }
        }
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
    /// Head and body leave in one write: a small body is joined to the head in `output`, and up to a larger size one that gets a field
    /// added, in the three pieces that make it.
    /// - Returns: whether all that is to be sent stands there; a larger body does not.
    func joinBody() -> Bool {
        guard isUnderstood else { return true }
        let body = body
        let range: Range<Int>
        if let edit = call.usageInjection {
            guard body.count <= Worker.editedSize else { return false }
            range = edit.range
            output.append(body.bytes.extracting(0..<range.lowerBound))
            output.append(edit.text)
        } else if let edits = message?.edits, !edits.isEmpty {
            guard body.count <= Worker.editedSize else { return false }
            edits.apply(to: body.bytes) { output.append($0) }
            return true
        } else {
            guard body.count <= Worker.joinedSize else { return false }
            output.append(body.bytes)
            return true
        }
        output.append(body.bytes.extracting(range.upperBound..<body.count))
        return true
    }

    /// `now` and a time-out, but never past the exchange's own end.
    func deadline(_ now: UInt64, _ timeout: UInt64) -> UInt64 {
        min(totalDeadline, timeout == .max ? .max : now + timeout)
    }
}
