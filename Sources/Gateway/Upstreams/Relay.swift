import EventLoop
import HTTP

extension Worker {
    /// Passes the answer on as it comes. The observer sees a piece before, and in the same turn as, its write.
    /// - Returns: whether the caller's connection can take another request.
    func relay(
        _ exchange: Exchange, from connection: HTTP1Connection, of upstream: Upstream, to downstream: HTTP1Connection
    ) async throws(GatewayError) -> Bool {
        downstream.stream.socket.onBehalf = connection.stream.socket
        var isWhole = false
        defer {
            downstream.stream.socket.onBehalf = nil
            if isWhole, exchange.answer.keepsAlive, exchange.answer.framing != .untilClose, !isDraining {
                upstream.pool.giveBack(connection)
            } else if isWhole {
                connection.stream.close()
            } else {
                connection.stream.reset()
            }
        }
        let keepsAlive = exchange.request.keepsAlive && downstream.isAtMessageEnd && !isDraining
        let output = exchange.output
        let filtered = exchange.body
        // The request will not be sent again: what it held, which may be much, goes.
        clear(filtered)
        let input = connection.input
        var idle = upstream.timeouts.idle
        if upstream.kind != .provider {
            exchange.message?.forgetEdits()
            // Where a client listens, silence is what there is to hear mostly.
            downstream.isListening = exchange.isListening(upstream)
            if downstream.isListening { idle = .max }
            if exchange.editor != nil { try await editBody(exchange, from: connection, idle: idle) }
        }
        let framing = exchange.writeAnswerHead(keepsAlive: keepsAlive)

        var piece: Int?
        if connection.bodyIsDone { piece = 0 } else { do { piece = try connection.pieceAtHand() } catch { throw .malformedAnswer } }
        if loop.now >= exchange.totalDeadline { throw .totalTimeout }
        // What was wrong until here could still be said in an answer of ours.
        exchange.answerHasStarted()
        if exchange.isCollected {
            try await writeCollected(exchange, framing, downstream)
            isWhole = true
            return keepsAlive && framing != .untilClose
        }
        if piece == nil {
            // The body is not here yet: the caller gets the head now.
            try await write(output.bytes, of: exchange, to: downstream)
            output.removeAll()
        }
        // Chunks that stay chunks need no new frame.
        let passesChunks = framing == .chunked && exchange.answer.framing == .chunked && downstream.stream.tls == nil
        while true {
            if piece == nil, passesChunks, connection.isBetweenChunks {
                try await waitPassing(exchange, from: connection, idle: idle, to: downstream)
                if exchange.editsEvents, let failure = exchange.editor?.failure { throw failure }
                do { piece = try connection.pieceAtHand() } catch { throw .malformedAnswer }
            }
            if piece == nil {
                do { piece = try await connection.nextPiece(until: exchange.silenceDeadline(loop.now, idle)) } catch {
                    guard case .stream(let stream) = error else { throw .malformedAnswer }
                    throw Self.failureInBody(stream, exchange, loop.now)
                }
            }
            let count = piece ?? 0
            piece = nil
            // Where everything is at hand, no wait would notice.
            if loop.now >= exchange.totalDeadline { throw .totalTimeout }
            let isLast = connection.bodyIsDone
            // The end of the last chunk is written with its trailers, where there are any.
            let endsPlainly = isLast && (framing != .chunked || !connection.hasTrailers)
            if exchange.hides {
                exchange.body.removeAll()
                if count > 0 {
                    if exchange.holdsLargeEvent { await filterBeside(exchange, input, count) } else { exchange.filter(input.bytes.extracting(first: count), clock) }
                }
                if isLast { exchange.answerEnded(clock) }
                if exchange.editsEvents, let failure = exchange.editor?.failure { throw failure }
                try await writePiece(filtered.bytes, of: exchange, isLast: endsPlainly, framing, output, downstream)
            } else if count > 0 {
                if exchange.observe(input.bytes.extracting(first: count), isLast: isLast, clock) { await endAnswerBeside(exchange) }
                try await writePiece(input.bytes.extracting(first: count), of: exchange, isLast: endsPlainly, framing, output, downstream)
            } else {
                if exchange.holdsMuch { await endAnswerBeside(exchange) } else { exchange.answerEnded(clock) }
                try await writePiece(RawSpan(), of: exchange, isLast: endsPlainly, framing, output, downstream)
            }
            exchange.passedOn()
            connection.consumePiece()
            if isLast {
                if !endsPlainly { try await writeTrailers(of: exchange, from: connection, to: downstream) }
                break
            }
            exchange.moved += count
            if exchange.hasHadItsTurn { await letOthers(exchange) }
        }
        isWhole = true
        return keepsAlive && framing != .untilClose
    }

    /// Where the answer is one text that is to be edited: takes it whole and edits it, before its caller gets any of it. What it takes
    /// then stands in `exchange.body`.
    @inline(never)
    private func editBody(_ exchange: Exchange, from connection: HTTP1Connection, idle: UInt64) async throws(GatewayError) {
        guard let editor = exchange.editor else { return }
        if let failure = editor.failure { throw failure }
        guard editor.takesBody else { return }
        do {
            try await connection.readBody(
                into: exchange.body, atMost: AnswerEditor.limit, idleNanoseconds: min(idle, .max / 2), until: exchange.totalDeadline)
        } catch {
            switch error {
            case .bodyTooLarge: throw .answerTooLarge(limit: AnswerEditor.limit)
            case .stream(let stream): throw Self.failureInBody(stream, exchange, loop.now)
            default: throw .malformedAnswer
            }
        }
        if exchange.body.count > Self.readAtOnce { await editBodyBeside(exchange) } else { exchange.editBody(clock) }
        if let failure = editor.failure { throw failure }
    }

    /// Sends the answer that was taken whole.
    @inline(never)
    private func writeCollected(_ exchange: Exchange, _ framing: BodyFraming, _ downstream: HTTP1Connection) async throws(GatewayError) {
        let body = exchange.body
        try await writePiece(body.bytes, of: exchange, isLast: true, framing, exchange.output, downstream)
        exchange.passedOn()
    }

    /// What a failed read of an answer's body means.
    static func failureInBody(_ error: StreamError, _ exchange: Exchange, _ now: UInt64) -> GatewayError {
        let failure = upstreamFailure(error, exchange, now, .idleTimeout)
        return failure == .upstreamReset ? .upstreamCut : failure
    }

    /// Bytes of a body up to which it is sent with its head as one piece.
    static let joinedSize = 2 << 10
    /// And one to which something is added: a second write costs more than to copy so much.
    static let editedSize = 64 << 10

    /// Head (if it still waits in `output`), chunk size, piece and chunk end in one write.
    @inline(__always)
    private func writePiece(
        _ piece: RawSpan, of exchange: Exchange, isLast: Bool, _ framing: BodyFraming, _ output: OutputBuffer, _ downstream: HTTP1Connection
    ) async throws(GatewayError) {
        let count = piece.byteCount
        guard framing == .chunked else {
            if output.count > 0, count <= Self.joinedSize {
                // One piece is cheaper to send than two, and to copy a small one costs next to nothing.
                output.append(piece)
                try await write(output.bytes, of: exchange, to: downstream)
                output.removeAll()
                return
            }
            if output.count > 0 || count > 0 { try await write(output.bytes, piece, of: exchange, to: downstream) }
            output.removeAll()
            return
        }
        if count > 0 {
            output.append(hex: count)
            output.append("\r\n")
            let end: StaticString = isLast ? "\r\n0\r\n\r\n" : "\r\n"
            try await write(output.bytes, piece, end.bytes, of: exchange, to: downstream)
        } else {
            if isLast { output.append("0\r\n\r\n") }
            if output.count > 0 { try await write(output.bytes, of: exchange, to: downstream) }
        }
        output.removeAll()
    }

    /// The last chunk, and the trailer fields that came behind the upstream's.
    @inline(never)
    private func writeTrailers(of exchange: Exchange, from connection: HTTP1Connection, to downstream: HTTP1Connection) async throws(GatewayError) {
        let output = exchange.output
        output.append("0\r\n")
        connection.appendTrailers(to: output, of: exchange.answer)
        output.append("\r\n")
        try await write(output.bytes, of: exchange, to: downstream)
        output.removeAll()
    }

    /// Writes to the caller, as long as the exchange may last.
    @inline(__always)
    func write(
        _ first: RawSpan, _ second: RawSpan = RawSpan(), _ third: RawSpan = RawSpan(), of exchange: Exchange, to downstream: HTTP1Connection
    ) async throws(GatewayError) {
        do {
            try await downstream.stream.write(first, second, third, until: exchange.deadline(loop.now, settings.callerIdleNanoseconds))
        } catch {
            switch error {
            case .shutdown: throw .shutdown
            case .timedOut where loop.now >= exchange.totalDeadline: throw .totalTimeout
            default: throw .callerGone
            }
        }
    }
}
