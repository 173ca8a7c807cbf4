public import EventLoop

extension HTTP1Connection {
    /// Closes after an answer that must arrive: what the caller still sends is read and dropped for a while, because closing with
    /// unread input would reset the connection under the answer (RFC 9112 §9.6).
    public func closeAfterAnswer(on loop: EventLoop) async {
        // A peer that has ended its side may still have sent more than was read.
        guard stream.socket.interruption == nil, !stream.socket.peerEnded || stream.mayBeReadable else {
            stream.close()
            return
        }
        let deadline = loop.now + 1_000_000_000
        await stream.shutdownWrite(until: deadline)
        var dropped = input.count
        input.consume(input.count)
        while dropped < 1 << 20 {
            guard let count = try? await fill(until: deadline), count > 0 else { break }
            dropped += count
            input.consume(count)
        }
        stream.close()
    }
}
