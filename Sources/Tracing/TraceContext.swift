/// What one hop tells the next about its trace: the content of a `traceparent`.
///
/// Read from a caller it names the caller's span, our parent. Written to an upstream or into an answer it names ours.
@frozen public struct TraceContext: Sendable, Hashable {
    public var traceID: TraceID
    /// The span that sends this context; the header's `parent-id`.
    public var spanID: SpanID
    public var flags: TraceFlags

    @inlinable public init(traceID: TraceID, spanID: SpanID, flags: TraceFlags) {
        self.traceID = traceID
        self.spanID = spanID
        self.flags = flags
    }

    /// A new trace, sampled. All sixteen bytes of its id are random, which Level 2 §3.2.2.5.2 lets us say with the random flag.
    public static func start(with ids: inout IDGenerator) -> TraceContext {
        TraceContext(traceID: ids.traceID(), spanID: ids.spanID(), flags: [.sampled, .random])
    }
}

// MARK: traceparent

extension TraceContext {
    /// Bytes of a version 00 header value.
    public static let traceparentLength = 55

    /// Reads the value of a `traceparent` header, nil where the specification wants a new trace
    /// (W3C Trace Context Level 2 §3.2 and §4.3).
    ///
    /// Versions 01 to fe are read by position, as "higher versions" are to be: what follows the flags must be nothing or begin
    /// with `-`. Flag bits that nobody has defined are not kept. A value with a comma is two headers that somebody joined.
    public init?(traceparent value: RawSpan) {
        let value = value.trimmingOptionalWhitespace()
        let length = Self.traceparentLength
        guard value.byteCount >= length,
            value.byte(at: 2) == UInt8(ascii: "-"), value.byte(at: 35) == UInt8(ascii: "-"), value.byte(at: 52) == UInt8(ascii: "-"),
            let version = Hexadecimal.decode2(value, at: 0), version != 0xFF,
            let high = Hexadecimal.decode16(value, at: 3), let low = Hexadecimal.decode16(value, at: 19),
            let span = Hexadecimal.decode16(value, at: 36),
            let flags = Hexadecimal.decode2(value, at: 53)
        else { return nil }
        if value.byteCount > length {
            guard version > 0, value.byte(at: length) == UInt8(ascii: "-") else { return nil }
            for offset in length..<value.byteCount where value.byte(at: offset) == UInt8(ascii: ",") { return nil }
        }
        self.init(
            traceID: TraceID(high: high, low: low), spanID: SpanID(span),
            flags: TraceFlags(rawValue: flags).intersection([.sampled, .random]))
        guard traceID.isValid, spanID.isValid else { return nil }
    }

    /// The value of a `traceparent`, also of a `traceresponse`: version 00, 55 bytes; `.span.bytes` lends them.
    public var traceparent: [55 of UInt8] {
        var value = [55 of UInt8](repeating: UInt8(ascii: "-"))
        var text = value.mutableSpan
        var bytes = unsafe text.mutableBytes  // sound: whatever is stored, a byte is a UInt8
        writeTraceparent(into: &bytes)
        return value
    }

    /// Writes the same 55 bytes at the front of the caller's buffer. Traps when it is shorter.
    public func writeTraceparent(into text: inout MutableRawSpan) {
        text.storeBytes(of: UInt16(0x3030), toByteOffset: 0, as: UInt16.self)
        text.storeBytes(of: UInt8(ascii: "-"), toByteOffset: 2, as: UInt8.self)
        Hexadecimal.encode16(traceID.high, into: &text, at: 3)
        Hexadecimal.encode16(traceID.low, into: &text, at: 19)
        text.storeBytes(of: UInt8(ascii: "-"), toByteOffset: 35, as: UInt8.self)
        Hexadecimal.encode16(spanID.value, into: &text, at: 36)
        text.storeBytes(of: UInt8(ascii: "-"), toByteOffset: 52, as: UInt8.self)
        Hexadecimal.encode2(flags.rawValue, into: &text, at: 53)
    }
}

extension TraceContext: CustomStringConvertible {
    public var description: String {
        let value = traceparent
        return String(copying: unsafe UTF8Span(unchecked: value.span))  // sound: ASCII
    }
}
