// Sending a request to a peer that may answer before it has all of it.
extension HTTP1Connection {
    /// Writes a request, or a part of one, up to three pieces, as `ByteStream.write` does; ends early where the peer refuses it meanwhile
    /// and takes no more: "If the client sees a response that indicates the server does not wish to receive the message body and is closing
    /// the connection, the client SHOULD immediately cease transmitting the body" (RFC 9112 §9.5).
    /// - Returns: whether all of it has gone out. If not, or where writing broke, the answer may still be there to be read, and the
    ///   connection is spent.
    @inline(__always)
    public func writeRequest(
        _ first: RawSpan, _ second: RawSpan = RawSpan(), _ third: RawSpan = RawSpan(), until deadline: UInt64
    ) async throws(StreamError) -> Bool {
        do {
            let written = try stream.writeNow(first, second, third)
            if written == first.byteCount + second.byteCount + third.byteCount { return true }
            if try await stream.writeRest(first, second, third, from: written, until: deadline, heard: self) { return true }
        } catch {
            guard error == .reset else { throw error }
        }
        isSpent = true
        return false
    }

    /// Whether an answer with a status of 400 or above has begun to come, or the end. Interim answers say nothing of the kind, and one
    /// that lets the request pass may still want all of it.
    func hasRefusal() -> Bool {
        while true {
            let input = input
            if input.count >= 10 { return input.bytes.at(9) >= UInt8(ascii: "4") }
            switch readNow() {
            case .some: continue
            case .nothing: return false
            case .ended: return true
            }
        }
    }
}
