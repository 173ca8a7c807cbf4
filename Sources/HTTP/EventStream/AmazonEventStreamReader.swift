private import CZlib

/// Reads `application/vnd.amazon.eventstream` (AWS, "Event stream encoding") from chunks that may be cut anywhere.
///
///     0   total length of the message, 32 bits, as all numbers here with the highest byte first
///     4   length of the headers
///     8   CRC-32 of these eight bytes
///     12  headers, payload
///         CRC-32 of all that precedes it
///
/// A message that lies whole inside one chunk is given as it lies there; one that is cut is put together in a buffer of the reader's,
/// which is kept for the next. One larger than the reader's limit is passed over. Nothing is believed of a length before its CRC is
/// right; at the first message that is not what it says, the reader stops for good: nobody knows where the next would begin.
/// One per stream at a time; not shared between threads.
@safe public struct AmazonEventStreamReader: ~Copyable {
    /// What AWS's own readers take.
    private static let headersLimit = 128 << 10
    private static let payloadLimit = 24 << 20

    /// The largest message that is read, in bytes.
    private let limit: Int
    /// The bytes of the open message that came in earlier chunks; allocated with the first message that is cut.
    private var held = unsafe UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private var heldCount = 0
    /// What the message that is held says of itself, once its prelude has come.
    private var open: Prelude?
    /// What is to come of a message that is passed over.
    private var toPassOver = 0
    /// A message was larger than the limit.
    public private(set) var hasPassedOver = false
    /// A message was not what it said; nothing is read any more.
    public private(set) var isBroken = false

    public init(limit: Int) { self.limit = limit }

    deinit { unsafe held.deallocate() }

    /// Ready for another stream; a buffer that a huge message has grown is given back.
    public mutating func reset() {
        heldCount = 0
        open = nil
        toPassOver = 0
        hasPassedOver = false
        isBroken = false
        if unsafe held.count > 16 << 10 {
            unsafe held.deallocate()
            unsafe held = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        }
    }

    /// The bytes of an unfinished message that are being held.
    public var heldByteCount: Int { heldCount }

    /// The next byte begins a message.
    public var isBetweenMessages: Bool { heldCount == 0 && toPassOver == 0 }

    /// Takes the next bytes of the stream and calls `body` for each message they complete, in order.
    public mutating func read(_ chunk: RawSpan, _ body: (borrowing AmazonEventStreamMessage) -> Void) {
        guard chunk.byteCount > 0 else { return }
        // Sound: the chunk is borrowed for the whole call, and the pointers do not leave the closure.
        unsafe chunk.withUnsafeBytes { bytes in
            var at = 0
            while at < bytes.count, !isBroken { unsafe at += take(UnsafeRawBufferPointer(rebasing: bytes[at...]), body) }
        }
    }

    /// Takes bytes from the front of `rest`, which has some.
    /// - Returns: how many.
    private mutating func take(_ rest: UnsafeRawBufferPointer, _ body: (borrowing AmazonEventStreamMessage) -> Void) -> Int {
        if toPassOver > 0 {
            let count = min(toPassOver, rest.count)
            toPassOver -= count
            return count
        }
        if heldCount == 0, rest.count >= Prelude.byteCount {
            guard let prelude = unsafe check(rest) else { return rest.count }
            if prelude.total > limit {
                passOver(prelude.total)
                return 0
            }
            if prelude.total <= rest.count {
                unsafe give(UnsafeRawBufferPointer(rebasing: rest[..<prelude.total]), prelude, body)
                return prelude.total
            }
        }
        // The message is cut: its prelude is put together first, then the whole.
        let wanted = open?.total ?? Prelude.byteCount
        let count = min(wanted - heldCount, rest.count)
        unsafe append(UnsafeRawBufferPointer(rebasing: rest[..<count]))
        guard heldCount == wanted else { return count }
        if let prelude = open {
            open = nil
            heldCount = 0
            unsafe give(UnsafeRawBufferPointer(rebasing: held[..<wanted]), prelude, body)
        } else if let prelude = unsafe check(UnsafeRawBufferPointer(rebasing: held[..<wanted])) {
            if prelude.total > limit {
                heldCount = 0
                passOver(prelude.total - wanted)
            } else {
                open = prelude
            }
        }
        return count
    }

    // MARK: one message

    private struct Prelude {
        static let byteCount = 12

        var total: Int
        var headers: Int
    }

    /// Reads the prelude at the front of `bytes`; nil, and the end, where it is not one.
    private mutating func check(_ bytes: UnsafeRawBufferPointer) -> Prelude? {
        let total = unsafe Int(Self.word(bytes, 0))
        let headers = unsafe Int(Self.word(bytes, 4))
        guard headers <= Self.headersLimit, total >= Prelude.byteCount + headers + 4, total - headers <= Prelude.byteCount + 4 + Self.payloadLimit,
            unsafe Self.sum(bytes, 8) == Self.word(bytes, 8)
        else {
            isBroken = true
            return nil
        }
        return Prelude(total: total, headers: headers)
    }

    /// A message is too large to be read: its next `count` bytes are passed over.
    private mutating func passOver(_ count: Int) {
        hasPassedOver = true
        toPassOver = count
    }

    private mutating func give(_ message: UnsafeRawBufferPointer, _ prelude: Prelude, _ body: (borrowing AmazonEventStreamMessage) -> Void) {
        let end = message.count - 4
        // Sound: chunk and `held` stay as they are until `body` has returned; it can not reach this reader.
        guard unsafe Self.sum(message, end) == Self.word(message, end),
            let read = unsafe AmazonEventStreamMessage.read(message.bytes, headerBytes: prelude.headers)
        else {
            isBroken = true
            return
        }
        body(read)
    }

    /// The CRC-32 of the first `count` bytes.
    private static func sum(_ bytes: UnsafeRawBufferPointer, _ count: Int) -> UInt32 {
        // Sound: there are as many; a message is far smaller than 4 GiB.
        UInt32(truncatingIfNeeded: unsafe crc32(0, bytes.baseAddress!.assumingMemoryBound(to: UInt8.self), UInt32(count)))
    }

    private static func word(_ bytes: UnsafeRawBufferPointer, _ at: Int) -> UInt32 {
        UInt32(bigEndian: unsafe bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self))
    }

    private mutating func append(_ piece: UnsafeRawBufferPointer) {
        let end = heldCount + piece.count
        if unsafe end > held.count {
            // Towards the message's length, which is known by then, as its bytes come.
            let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1024, end, min(open?.total ?? 0, end * 4)), alignment: 8)
            if heldCount > 0 { unsafe larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: held[..<heldCount])) }
            unsafe held.deallocate()
            unsafe held = larger
        }
        unsafe UnsafeMutableRawBufferPointer(rebasing: held[heldCount...]).copyMemory(from: piece)
        heldCount = end
    }
}
