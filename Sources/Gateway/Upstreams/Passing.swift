import EventLoop
import HTTP
import LLM

// Chunks that come whole are passed on by the loop itself, as it takes its events: read, observed and written in one stretch, while
// the exchange's task goes on waiting. All that is out of the ordinary wakes the task: the last chunk, one that is not there to its
// end, a caller that does not take everything, an end before the end.
extension Worker {
    /// How `passChunks` ended.
    private enum Passing {
        /// That was all for now.
        case waiting
        /// There is more, but others have waited long enough.
        case paused
        /// There is something that only the task can see to.
        case stopped
    }

    /// Waits, and passes on meanwhile, until there is something that only the task can see to: in `input`, or in the connection.
    /// Nothing waits in `exchange.output`.
    func waitPassing(
        _ exchange: Exchange, from connection: HTTP1Connection, idle: UInt64, to downstream: HTTP1Connection
    ) async throws(GatewayError) {
        let socket = connection.stream.socket
        let rest = exchange.body
        defer { exchange.output.takeStorage(from: spare) }
        exchange.settle(spare)
        downstream.input.releaseIfEmpty()
        while true {
            switch passChunks(exchange, from: connection, to: downstream) {
            case .stopped: break
            case .paused:
                if loop.now >= exchange.totalDeadline { throw .totalTimeout }
                await letOthers(exchange)
                continue
            case .waiting:
                socket.onReadable = { [loop] in
                    exchange.moved = 0
                    exchange.turnBegins()
                    guard self.passChunks(exchange, from: connection, to: downstream) == .waiting else { return true }
                    socket.keepWaiting(until: exchange.silenceDeadline(loop.now, idle))
                    return false
                }
                defer { socket.onReadable = nil }
                do { try await connection.stream.waitToRead(until: exchange.silenceDeadline(loop.now, idle)) } catch {
                    throw Self.failureInBody(error, exchange, loop.now)
                }
            }
            guard rest.count > 0 else {
                guard exchange.hasHadItsTurn else { return }
                await letOthers(exchange)
                guard connection.isBetweenChunks else { return }
                continue
            }
            // The caller did not take all of it.
            try await write(rest.bytes, of: exchange, to: downstream)
            rest.removeAll()
            exchange.passedOn()
            guard connection.isBetweenChunks else { return }
        }
    }

    /// Ends the exchange's turn.
    func letOthers(_ exchange: Exchange) async {
        exchange.moved = 0
        await loop.yield()
        exchange.turnBegins()
    }

    /// Passes on what has come, as far as it is whole chunks.
    /// - Returns: where it stopped, what the caller has not taken stands in `exchange.body`, what nobody has looked at in `input`.
    private func passChunks(_ exchange: Exchange, from connection: HTTP1Connection, to downstream: HTTP1Connection) -> Passing {
        let input = connection.input
        let output = exchange.output
        while connection.stream.mayBeReadable {
            guard connection.isBetweenChunks, !exchange.editsEvents || !exchange.editsInTask else { return .stopped }
            guard !exchange.hasHadItsTurn else { return .paused }
            switch connection.readNow() {
            case .some: break
            case .nothing: return .waiting
            case .ended: return .stopped
            }
            exchange.moved += input.count
            var sent = 0
            var end = 0
            while let chunk = connection.chunk(at: end) {
                let start = end
                end = chunk.end
                if exchange.watch(input.bytes.extracting(chunk.data), clock) { continue }
                // Something of it is hidden, or held back until the rest of its event comes.
                exchange.frameRest()
                let isTaken = pass(input.bytes.extracting(sent..<start), output.bytes, of: exchange, to: downstream)
                output.removeAll()
                sent = end
                guard isTaken else {
                    input.consume(end)
                    return .stopped
                }
            }
            let isTaken = pass(input.bytes.extracting(sent..<end), RawSpan(), of: exchange, to: downstream)
            input.consume(end)
            guard isTaken, input.isEmpty else { return .stopped }
        }
        input.releaseIfEmpty()
        return .waiting
    }

    /// Writes both pieces, or keeps in `exchange.body` what the caller does not take now.
    private func pass(_ first: RawSpan, _ second: RawSpan, of exchange: Exchange, to downstream: HTTP1Connection) -> Bool {
        guard first.byteCount + second.byteCount > 0 else { return true }
        // What went wrong shows again when the rest is written.
        let written = (try? downstream.stream.writeNow(first, second)) ?? 0
        if written == first.byteCount + second.byteCount {
            exchange.passedOn()
            return true
        }
        exchange.body.append(first.extracting(min(written, first.byteCount)..<first.byteCount))
        exchange.body.append(second.extracting(max(0, written - first.byteCount)..<second.byteCount))
        return false
    }
}

extension Exchange {
    /// Streams last, and there are many: none keeps what it no longer needs. The request's body may be large, and its memory goes back;
    /// heads and output are for the next exchange.
    func settle(_ spare: SpareStorage) {
        body.giveStorage(to: spare)
        output.giveStorage(to: spare)
        // An answer's bytes are looked at again where it says that something is wrong, or which trailers go no further.
        guard answer.status < 400, !answer.namesOptions else { return }
        request.giveStorage(to: spare)
        answer.giveStorage(to: spare)
    }

    /// Takes back what the last exchange gave up.
    func takeStorage(from spare: SpareStorage) {
        request.takeStorage(from: spare)
        answer.takeStorage(from: spare)
        output.takeStorage(from: spare)
        body.takeStorage(from: spare)
    }

    /// A chunk of the answer that may pass as it came.
    /// - Returns: whether it may; otherwise what may pass of it is in `body`.
    func watch(_ data: RawSpan, _ clock: Clock) -> Bool {
        guard hides else {
            observe(data, clock)
            return true
        }
        if editsEvents {
            editEvents(data, clock)
            return false
        }
        let body = body
        return call.passes(data, now: call.wantsTime ? clock.monotonic : 0) { body.append($0) }
    }

    /// Makes a chunk, in `output`, of what is in `body`, if anything is.
    func frameRest() {
        let body = body
        guard body.count > 0 else { return }
        output.append(hex: body.count)
        output.append("\r\n")
        output.append(body.bytes)
        output.append("\r\n")
        body.removeAll()
    }
}
