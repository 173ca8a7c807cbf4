public import EventLoop
private import Synchronization
internal import TLS

// A new connection: name, address, tunnel where there is a proxy, TLS where the origin is `https`.
extension UpstreamPool {
    /// Opens a new connection, ready for a request.
    /// - Parameters:
    ///   - timeout: nanoseconds for all of it.
    ///   - caller: whose leaving ends the attempt.
    public func connect(timeout: UInt64, for caller: Socket?) async throws(ConnectFailure) -> HTTP1Connection {
        do {
            let connection = try await open(timeout, caller)
            counters.connected()
            return connection
        } catch {
            if error != .callerGone, error != .shutdown { counters.connectFailed(error) }
            throw error
        }
    }

    private func open(_ timeout: UInt64, _ caller: Socket?) async throws(ConnectFailure) -> HTTP1Connection {
        let deadline = timeout == .max ? .max : loop.now + timeout
        if let caller, caller.peerHasGone() { throw .callerGone }
        if let local {
            do { return HTTP1Connection(ByteStream(try Socket(local(), on: loop)), pool: loop.buffers) } catch { throw .refused(error.code) }
        }
        let addresses: [SocketAddress]
        do {
            addresses = try await resolver.addresses(
                of: proxy?.host ?? origin.host, port: proxy?.port ?? origin.port, on: loop, until: deadline, for: caller)
        } catch {
            switch error {
            case .notFound: throw proxy == nil ? .name(error.reason) : .proxy(.name(error.reason))
            case .timedOut: throw .timedOut
            case .interrupted(.callerGone): throw .callerGone
            case .interrupted(.shutdown): throw .shutdown
            }
        }
        if let caller, caller.peerHasGone() { throw .callerGone }
        let socket: Socket
        do { socket = try await connect(toFirstOf: addresses, until: deadline, for: caller) } catch {
            if proxy != nil, case .refused(let code) = error { throw .proxy(.refused(code)) }
            throw error
        }
        let connection = HTTP1Connection(ByteStream(socket), pool: loop.buffers)
        guard origin.isTLS else { return connection }

        caller?.onBehalf = socket
        defer { caller?.onBehalf = nil }
        do {
            if let proxy { try await tunnel(through: proxy, on: connection, until: deadline) }
            try await shakeHands(on: connection.stream, until: deadline)
            return connection
        } catch {
            switch error {
            case .callerGone, .shutdown, .timedOut: connection.stream.reset()
            default: connection.stream.close()  // the server is to hear what was wrong
            }
            throw error
        }
    }

    // MARK: addresses

    /// Tries the addresses in turn; one that does not answer leaves time for those behind it.
    ///
    /// The first that takes a connection is the one, as RFC 8305 §5 has it ("generally when the TCP handshake completes"): what goes wrong
    /// afterwards, in TLS or in a proxy's tunnel, is the origin's doing and ends the attempt. Another address is not asked for a better
    /// certificate (RFC 9110 §4.3.4 has the client end it).
    func connect(toFirstOf addresses: [SocketAddress], until deadline: UInt64, for caller: Socket?) async throws(ConnectFailure) -> Socket {
        var last = ConnectFailure.refused(0)
        for (index, address) in addresses.enumerated() {
            let limit = Self.limit(of: addresses.count - index, now: loop.now, until: deadline)
            do { return try await Socket.connect(to: address, on: loop, until: limit, for: caller) } catch {
                switch error {
                case .failed(let code): last = .refused(code)
                case .timedOut: last = .timedOut
                case .interrupted: throw caller?.interruption == .shutdown ? .shutdown : .callerGone
                }
            }
            if loop.now >= deadline { break }
        }
        throw last
    }

    /// By when the first of so many addresses must have answered: it gets an equal part of the time that is left, at least 250 ms (the
    /// delay of RFC 8305 §8), and where time has no end, ten seconds.
    static func limit(of addresses: Int, now: UInt64, until deadline: UInt64) -> UInt64 {
        guard addresses > 1 else { return deadline }
        guard deadline != .max else { return now + 10_000_000_000 }
        let left = deadline > now ? deadline - now : 0
        return min(deadline, now + max(250_000_000, left / UInt64(addresses)))
    }

    // MARK: the way through a proxy

    /// Asks the proxy for a tunnel to the origin (RFC 9110 §9.3.6).
    private func tunnel(through proxy: Proxy, on connection: HTTP1Connection, until deadline: UInt64) async throws(ConnectFailure) {
        let status: Int
        do { status = try await askForTunnel(proxy, on: connection, until: deadline) } catch {
            switch error {
            case .stream(.timedOut): throw .timedOut
            case .stream(.callerGone): throw .callerGone
            case .stream(.shutdown): throw .shutdown
            default: throw .proxy(.malformedAnswer)
            }
        }
        guard status < 300 else { throw .proxy(.status(status)) }
        // A TLS server waits to be spoken to: what comes before that is the proxy's.
        guard connection.input.isEmpty else { throw .proxy(.malformedAnswer) }
        connection.input.releaseIfEmpty()
    }

    /// The status of the proxy's answer, which is 200 or above.
    private func askForTunnel(_ proxy: Proxy, on connection: HTTP1Connection, until deadline: UInt64) async throws(HTTPError) -> Int {
        let target = "\(origin.host.contains(":") ? "[\(origin.host)]" : origin.host):\(origin.port)"
        let request = OutputBuffer(capacity: 256)
        request.append("CONNECT \(target) HTTP/1.1\r\nhost: \(target)\r\n")
        if let authorization = proxy.authorization { request.append("proxy-authorization: \(authorization)\r\n") }
        request.append("\r\n")
        let answer = MessageHead()
        do { try await connection.stream.write(request.bytes, until: deadline) } catch { throw .stream(error) }
        repeat { try await connection.readAnswer(to: .connect, into: answer, until: deadline) {} } while answer.status < 200
        return answer.status
    }

    // MARK: TLS

    private func shakeHands(on stream: ByteStream, until deadline: UInt64) async throws(ConnectFailure) {
        guard let tls else { throw .tls(.unavailable(reason: "no trust was configured for this connection")) }
        let connection: TLSConnection
        do {
            connection = try TLSConnection(tls, fileDescriptor: stream.socket.descriptor, serverName: origin.host, port: origin.port)
        } catch { throw .tls(error) }
        do { try await stream.startTLS(connection, until: deadline) } catch {
            switch error {
            case .tls(let error): throw .tls(error)
            case .stream(.callerGone): throw .callerGone
            case .stream(.shutdown): throw .shutdown
            case .stream: throw .timedOut
            }
        }
    }
}
