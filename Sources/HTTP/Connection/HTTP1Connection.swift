public import EventLoop

/// One HTTP/1.1 connection as its reader sees it: heads, and bodies piece by piece. The same for both sides; who writes what is the
/// business of whoever holds it. Confined to its loop.
public final class HTTP1Connection {
    public let stream: ByteStream
    public let input: InputBuffer
    private var body = Body.none
    private var decoder = ChunkedDecoder()
    /// How much of the input the piece last handed out stands for, framing included.
    private var pieceConsumed = 0
    private var headScanned = 0
    /// Empty lines that were skipped before the message that is waited for.
    private var emptyLines = 0
    /// Interim answers that have come before the one that counts.
    var interimAnswers = 0
    /// A message is being served; its holder's own mark.
    public var isServing = false
    /// What is served has no end of its own; its holder's mark as well.
    public var isListening = false
    /// Half a request has gone out on it: when its answer has come, it is of no further use.
    public var isSpent = false

    private enum Body {
        case none
        case length(Int)
        case chunked
        case untilClose
    }

    public init(_ stream: ByteStream, pool: BufferPool) {
        self.stream = stream
        input = InputBuffer(pool: pool)
    }

    // MARK: heads

    /// Waits for the first byte of a message.
    /// - Returns: false when the peer has ended its side instead.
    public func waitForMessage(until deadline: UInt64) async throws(StreamError) -> Bool { try await messageBegins(until: deadline) }

    @inline(__always)
    func messageBegins(until deadline: UInt64) async throws(StreamError) -> Bool {
        headScanned = 0
        emptyLines = 0
        while !messageHasBegun() {
            var count = try fillNow()
            while count == nil {
                try await stream.waitToRead(until: deadline)
                count = try fillNow()
            }
            if count == 0 { return false }
        }
        return true
    }

    private static let emptyLinesAtMost = 64

    private func messageHasBegun() -> Bool {
        let input = input
        let bytes = input.bytes
        guard bytes.byteCount > 0 else { return false }
        if bytes.byteCount >= 2, bytes.at(0) > 0x20 { return true }
        var skipped = 0
        // Empty lines before a message are skipped (RFC 9112 §2.2). One too many is read as the message, which it cannot be.
        while emptyLines < Self.emptyLinesAtMost, bytes.byteCount - skipped >= 2, bytes.at(skipped) == 0x0D, bytes.at(skipped + 1) == 0x0A {
            skipped += 2
            emptyLines += 1
        }
        let count = bytes.byteCount - skipped
        let hasBegun = count >= 2 || (count == 1 && bytes.at(skipped) != 0x0D)
        if skipped > 0 { input.consume(skipped) }
        return hasBegun
    }

    /// Reads a head; it then stands at the front of `input`.
    /// - Returns: its length, to be consumed once it is parsed.
    public func readHead(until deadline: UInt64) async throws(HTTPError) -> Int {
        let input = input
        while true {
            do {
                if let length = try HeadParser.end(in: input.bytes, scanned: &headScanned) { return length }
            } catch { throw .head(error) }
            let count: Int
            do { count = try await fill(until: deadline) } catch { throw .stream(error) }
            if count == 0 { throw .stream(.cut) }
        }
    }

    /// Reads some more into `input`; 0 at the end of the stream. Holds no buffer while it waits with nothing in it.
    @discardableResult
    public func fill(until deadline: UInt64) async throws(StreamError) -> Int {
        while true {
            if let count = try fillNow() { return count }
            try await stream.waitToRead(until: deadline)
        }
    }

    /// Reads into `input` what has come and is not read yet; 0 at the end of the stream, nil when there is nothing.
    func fillNow() throws(StreamError) -> Int? {
        if stream.mayBeReadable {
            guard let room = unsafe input.room(limit: HeadParser.bytesAtMost + BufferPool.bufferSize) else { throw .reset }
            switch unsafe stream.readNow(into: room) {
            case .bytes(let count):
                input.filled(count)
                return count
            case .end: return 0
            case .failed: throw .reset
            case .wouldBlock: break
            }
        }
        input.releaseIfEmpty()
        return nil
    }

    // MARK: bodies

    /// What follows in `input` is a body of this framing.
    public func beginBody(_ framing: BodyFraming) {
        pieceConsumed = 0
        switch framing {
        case .none: body = .none
        case .length(let length): body = length == 0 ? .none : .length(length)
        case .chunked:
            body = .chunked
            decoder = ChunkedDecoder()
        case .untilClose: body = .untilClose
        }
    }

    /// Trailer fields of the body that has just begun are kept until `appendTrailers`.
    public func keepTrailers() { decoder.keepTrailers() }

    /// Trailer fields have come, and are kept.
    public var hasTrailers: Bool { decoder.trailers?.isEmpty == false }

    func takeTrailers() -> [UInt8] { decoder.takeTrailers() }

    /// Whether the body has been read to its end; its last piece may still be in use.
    public var bodyIsDone: Bool {
        if case .none = body { return true }
        return false
    }

    /// Whether nothing of the message is left in `input`: its body has been read to its end, and the last piece handed out has been used.
    /// Only then is what comes next another message.
    public var isAtMessageEnd: Bool { bodyIsDone && pieceConsumed == 0 }

    /// The next byte of the body begins a chunk, and nothing waits in `input`.
    public var isBetweenChunks: Bool {
        if case .chunked = body { return input.isEmpty && decoder.isBetweenChunks }
        return false
    }

    /// The next piece of the body: its bytes stand at the front of `input` until `consumePiece`.
    /// - Returns: the piece's length; 0 at the body's end.
    public func nextPiece(until deadline: UInt64) async throws(HTTPError) -> Int {
        while true {
            if let ready = try pieceAtHand() { return ready }
            let count: Int
            do { count = try await fill(until: deadline) } catch { throw .stream(error) }
            if count == 0 {
                // A body that only the connection ends is whole only where the end can be believed.
                if case .untilClose = body, !stream.wasTruncated {
                    body = .none
                    return 0
                }
                throw .stream(.cut)
            }
        }
    }

    /// A piece of what has been read already, without reading more: nil when more must be read first.
    public func pieceAtHand() throws(HTTPError) -> Int? {
        switch body {
        case .none: return 0
        case .length(let remaining):
            guard !input.isEmpty else { return nil }
            let piece = min(remaining, input.count)
            body = remaining == piece ? .none : .length(remaining - piece)
            pieceConsumed = piece
            return piece
        case .untilClose:
            guard !input.isEmpty else { return nil }
            pieceConsumed = input.count
            return input.count
        case .chunked:
            guard !input.isEmpty else { return nil }
            let decoded: Int
            do { (decoded, pieceConsumed) = try unsafe decoder.decode(input.mutableBytes) } catch { throw .chunk(error) }
            if decoder.isDone { body = .none }
            if decoded == 0 {
                input.consume(pieceConsumed)
                pieceConsumed = 0
                return decoder.isDone ? 0 : nil
            }
            return decoded
        }
    }

    /// The last piece has been used.
    public func consumePiece() {
        input.consume(pieceConsumed)
        pieceConsumed = 0
    }

    /// Reads the rest of the body into `buffer`.
    /// - Parameters:
    ///   - idleNanoseconds: how long it may take for more of it to come.
    ///   - deadline: by when all of it must be here; monotonic nanoseconds.
    public func readBody(
        into buffer: OutputBuffer, atMost limit: Int, idleNanoseconds: UInt64, until deadline: UInt64 = .max
    ) async throws(HTTPError) {
        let loop = unsafe stream.socket.loop
        var nextYield = buffer.count + EventLoop.bytesPerTurn
        while try !bodyAtHand(into: buffer, atMost: limit) {
            guard loop.now < deadline else { throw .stream(.timedOut) }
            let count = try await nextPiece(until: min(deadline, loop.now + idleNanoseconds))
            guard count > 0 else { return }
            try take(count, into: buffer, atMost: limit)
            if buffer.count >= nextYield {
                nextYield = buffer.count + EventLoop.bytesPerTurn
                await loop.yield()
            }
        }
    }

    /// Reads into `buffer` what has arrived of the body, without reading more.
    /// - Returns: whether that was the rest of it.
    public func bodyAtHand(into buffer: OutputBuffer, atMost limit: Int) throws(HTTPError) -> Bool {
        if case .length(let length) = body, length > limit - buffer.count { throw .bodyTooLarge }
        while let count = try pieceAtHand() {
            guard count > 0 else { return true }
            try take(count, into: buffer, atMost: limit)
        }
        return false
    }

    private func take(_ count: Int, into buffer: OutputBuffer, atMost limit: Int) throws(HTTPError) {
        guard buffer.count + count <= limit else { throw .bodyTooLarge }
        let input = input
        buffer.append(input.bytes.extracting(first: count))
        consumePiece()
    }
}
