/// One event of an event stream, as `EventStreamReader` gives it; it lives for the call it is given to.
///
/// The extents of all events given, `offset ..< offset + raw.byteCount`, tile the stream without gap or overlap: whoever relays
/// a stream can leave out one event and pass all other bytes.
@frozen public struct EventStreamEvent: ~Escapable {
    public enum Verdict: UInt8, Sendable {
        /// Ended by a blank line (or a comment, by the end of its line).
        case whole
        /// The stream ended before the blank line. The standard drops such an event; some providers end their streams so.
        case unterminated
        /// Larger than the reader's limit: `raw` is a piece of it, as it came, and the reader has read nothing of it. More follows.
        case piece
        /// The last piece of an event that is larger than the limit.
        case lastPiece
    }

    /// All bytes of the event as received: field lines, comments, the blank line.
    public let raw: RawSpan
    /// The values of its `data` fields, joined by LF. Empty: there is nothing to dispatch (a comment, a lone blank line).
    public let data: RawSpan
    /// The value of its last `event` field; empty stands for `message`.
    public let name: RawSpan
    /// Where `raw` begins, in bytes from the beginning of the stream.
    public let offset: UInt64
    public let verdict: Verdict

    @_lifetime(copy raw, copy data, copy name)
    init(raw: RawSpan, data: RawSpan, name: RawSpan, offset: UInt64, verdict: Verdict) {
        self.raw = raw
        self.data = data
        self.name = name
        self.offset = offset
        self.verdict = verdict
    }

    /// The offset of the first byte after the event.
    public var end: UInt64 { offset + UInt64(raw.byteCount) }
}
