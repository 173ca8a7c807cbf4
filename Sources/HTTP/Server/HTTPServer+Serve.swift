import EventLoop

// The life of a connection.
extension HTTPServer {
    /// Serves a connection's requests in order until one side ends it.
    func serve(_ connection: HTTP1Connection, from peer: SocketAddress) async {
        let head = MessageHead()
        let output = OutputBuffer()
        let key = ObjectIdentifier(connection)
        var patience = limits.head
        var unbroken = 0
        while !isDraining {
            idle.insert(key)
            let hasCome = (try? await connection.waitForMessage(until: deadline(patience))) ?? false
            idle.remove(key)
            guard hasCome else { break }
            patience = limits.keepAlive
            requestBegan()
            let keepsAlive = await exchange(head, on: connection, from: peer, output)
            requestEnded()
            if !keepsAlive {
                await connection.closeAfterAnswer(on: loop)
                return
            }
            // Whoever sends requests without pause takes turns with the others.
            if connection.input.isEmpty, !connection.stream.mayBeReadable { unbroken = 0 } else { unbroken += 1 }
            if unbroken == Self.requestsPerTurn {
                unbroken = 0
                await loop.yield()
            }
        }
        connection.stream.close()
    }

    /// Requests of one connection that are served in a row: fewer than the gateway's, because an answer here is more work.
    static let requestsPerTurn = 8

    private func deadline(_ patience: Duration) -> UInt64 { loop.now + patience.nanoseconds }

    /// One request and its answer.
    /// - Returns: whether the connection can take another.
    private func exchange(_ head: MessageHead, on connection: HTTP1Connection, from peer: SocketAddress, _ output: OutputBuffer) async -> Bool {
        let request: HTTPRequest
        do {
            try await readHead(head, from: connection)
            request = try await readRest(of: head, from: connection, peer)
        } catch {
            guard let refusal = error.answer else { return false }
            _ = await send(refusal, to: head.method, on: connection, output, keepsAlive: false, minorVersion: 1)
            return false
        }
        let socket = connection.stream.socket
        socket.onEnd = { request.caller?.leave() }
        defer { socket.onEnd = nil }
        if socket.peerHasGone() { request.caller?.leave() }
        let response = await handler(request)
        let keepsAlive = head.keepsAlive && !isDraining
        return await send(response, to: head.method, on: connection, output, keepsAlive: keepsAlive, minorVersion: head.minorVersion)
    }

    private func readHead(_ head: MessageHead, from connection: HTTP1Connection) async throws(RequestError) {
        let length: Int
        do { length = try await connection.readHead(until: deadline(limits.head)) } catch { throw .unreadable(error, inBody: false) }
        let input = connection.input
        do { try HeadParser.parseRequest(input.bytes.extracting(first: length), into: head) } catch { throw .unreadable(.head(error), inBody: false) }
        input.consume(length)
        connection.beginBody(head.framing)
    }

    private func readRest(of head: MessageHead, from connection: HTTP1Connection, _ peer: SocketAddress) async throws(RequestError) -> HTTPRequest {
        if head.wantsUpgrade || head.method == .connect { throw .upgrade }
        if case .length(let length) = head.framing, length > limits.maxBody { throw .unreadable(.bodyTooLarge, inBody: true) }
        // The client waits for leave to send its body (RFC 9110 §10.1.1): it has ours.
        if head.expectsContinue, head.minorVersion >= 1, connection.input.isEmpty, !connection.bodyIsDone {
            do {
                try await connection.stream.write(("HTTP/1.1 100 Continue\r\n\r\n" as StaticString).bytes, until: deadline(limits.idle))
            } catch { throw .unreadable(.stream(error), inBody: true) }
        }
        let body = OutputBuffer(capacity: 16)
        do {
            try await connection.readBody(into: body, atMost: limits.maxBody, idleNanoseconds: limits.idle.nanoseconds)
        } catch { throw .unreadable(error, inBody: true) }
        return HTTPRequest(head, body: body, peer: peer)
    }

    private func send(
        _ response: HTTPResponse, to method: Method, on connection: HTTP1Connection, _ output: OutputBuffer, keepsAlive: Bool, minorVersion: Int
    ) async -> Bool {
        guard connection.stream.socket.interruption == nil else { return false }
        switch response.body {
        case .bytes(let bytes):
            let framing: ResponseFraming = response.hasNoBody ? .none : .length(bytes.count)
            response.writeHead(to: output, framing: framing, keepsAlive: keepsAlive, minorVersion: minorVersion)
            let writer = HTTPResponseWriter(connection, isChunked: false, idleNanoseconds: limits.idle.nanoseconds)
            do {
                try await writer.write(output, method == .head || response.hasNoBody ? [] : bytes)
                return keepsAlive
            } catch { return false }
        case .stream(let body):
            precondition(!response.hasNoBody, "a status that has no body was given one")
            let isChunked = minorVersion >= 1
            let keepsAlive = keepsAlive && (isChunked || method == .head)
            response.writeHead(to: output, framing: isChunked ? .chunked : .untilClose, keepsAlive: keepsAlive, minorVersion: minorVersion)
            let writer = HTTPResponseWriter(connection, isChunked: isChunked, idleNanoseconds: limits.idle.nanoseconds)
            do {
                try await writer.write(output, [])
                if method == .head { return keepsAlive }
                try await body(writer)
                try await writer.finish()
                return keepsAlive
            } catch {
                connection.stream.reset()
                return false
            }
        }
    }
}

/// Why a request was not handed on.
private enum RequestError: Error {
    case unreadable(HTTPError, inBody: Bool)
    case upgrade

    /// What the caller is told; nil where there is nobody to tell.
    var answer: HTTPResponse? {
        switch self {
        case .unreadable(.head(let error), _): .refusal(error.status, "The request could not be read: \(error.reason). \(error.advice)")
        case .unreadable(.chunk, _): .refusal(400, "The chunked body is malformed. Mend the client, or send the body with Content-Length.")
        case .unreadable(.bodyTooLarge, _): .refusal(413, "The body is larger than is taken here. Send less.")
        case .unreadable(.stream(.timedOut), inBody: true): .refusal(408, "The body did not arrive in time. Send it without long pauses.")
        case .unreadable(.stream(.timedOut), inBody: false): .refusal(408, "The head did not arrive in time. Send it at once.")
        case .unreadable(.stream, _): nil
        case .upgrade: .refusal(501, "Protocol upgrades are not supported here. Use plain HTTP.")
        }
    }
}
