import EventLoop

// Reading an answer: the one that counts, and those before it.
extension HTTP1Connection {
    /// More interim answers than anybody has a use for.
    private static let interimAnswersAtMost = 20

    /// Reads the head of the next answer into `head`: an interim one (RFC 9110 §15.2), or the one that counts, behind which comes its body.
    /// - Parameters:
    ///   - method: of the request that is answered.
    ///   - begins: called when something of it has come.
    /// - Throws: `.stream(.cut)` also where the peer has ended its side before the answer; `input` is empty then. An answer in another
    ///   protocol (101) is malformed, for nobody asks for one, and so are interim answers without end.
    public func readAnswer(
        to method: Method, into head: MessageHead, until deadline: UInt64, begins: () -> Void
    ) async throws(HTTPError) {
        // Where everything is at hand, no wait would notice.
        if unsafe stream.socket.loop.now >= deadline { throw .stream(.timedOut) }
        let hasBegun: Bool
        do { hasBegun = try await messageBegins(until: deadline) } catch { throw .stream(error) }
        guard hasBegun else { throw .stream(.cut) }
        begins()
        let input = input
        if let length = HeadParser.responseAtHand(input.bytes, to: method, into: head) {
            input.consume(length)
        } else {
            let length = try await readHead(until: deadline)
            do { try HeadParser.parseResponse(input.bytes.extracting(first: length), to: method, into: head) } catch { throw .head(error) }
            input.consume(length)
        }
        guard head.status < 200 else {
            interimAnswers = 0
            return
        }
        guard head.status != 101 else { throw .head(.switchedProtocol) }
        interimAnswers += 1
        guard interimAnswers <= Self.interimAnswersAtMost else { throw .head(.tooManyInterimAnswers) }
    }
}
