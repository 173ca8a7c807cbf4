/// A batch of stored spans as one message: `ExportTraceServiceRequest` for a collector, `TracesData` for a file. Both have the same
/// bytes (opentelemetry.proto.collector.trace.v1, opentelemetry.proto.trace.v1).
///
///     frame.append(span); frame.append(span)
///     frame.withMessage { compress($0) }
///     frame.reset()
///
/// Spans go in as they were stored; only their heads, and those of the few messages around them, are written here. The lengths of
/// the outer messages stand in front and are known last, so room is left for them. Owned by one thread at a time; its storage is
/// used again. Whoever has the spans in an array already, with room in front, has the message made around them there.
public struct TracesFrame: Sendable {
    private let resource: [UInt8]
    private let scope: [UInt8]
    private let schemaURL: [UInt8]
    /// Room for what stands in front, then the spans, each with its head.
    private var bytes: [UInt8]
    /// Bytes that what stands in front takes at most.
    public let frontRoom: Int
    public private(set) var spanCount = 0

    private enum Field {
        static let resourceSpans = 1  // of ExportTraceServiceRequest and TracesData
        static let resource = 1, scopeSpans = 2  // of ResourceSpans
        static let scope = 1, spans = 2  // of ScopeSpans
        static let schemaURL = 3  // of both
    }

    public init(source: SpanSource) {
        resource = source.encodedResource()
        scope = source.encodedScope()
        schemaURL = Array(source.schemaURL.utf8)
        frontRoom = resource.count + scope.count + 4 * WireFormat.headSizeLimit
        bytes = Array(repeating: 0, count: frontRoom)
    }

    /// Without spans again.
    public mutating func reset() {
        bytes.removeLast(bytes.count - frontRoom)
        spanCount = 0
    }

    /// At least what the message around so many bytes of spans takes, by a few bytes at most.
    public func byteCount(around size: Int) -> Int { frontRoom + size + 2 * (schemaURL.count + WireFormat.headSizeLimit) }

    /// - Parameter span: the bytes of one `Span` message.
    public mutating func append(_ span: RawSpan) {
        WireFormat.appendHead(field: Field.spans, length: span.byteCount, to: &bytes)
        bytes.append(span)
        spanCount += 1
    }

    /// Lends the whole message. More spans may follow. Of no spans it is the empty message: an envelope around nothing is not to
    /// be sent.
    public mutating func withMessage<Result, Failure: Error>(_ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result {
        guard spanCount > 0 else { return try body(RawSpan()) }
        var spans: [UInt8] = []
        swap(&spans, &bytes)
        defer { swap(&spans, &bytes) }
        return try withMessage(around: &spans, body)
    }

    /// Lends the message that holds the spans of an array, made in that array, which is left with its spans.
    /// - Parameter spans: `frontRoom` bytes, then `spans` fields of a `ScopeSpans` message, one after the other, as the store keeps
    ///   them: taken as they are.
    public func withMessage<Result, Failure: Error>(
        around spans: inout [UInt8], _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let end = spans.count
        defer { spans.removeLast(spans.count - end) }
        let (front, back) = envelope(around: end - frontRoom)
        spans += back
        let start = frontRoom - front.count
        spans.replaceSubrange(start..<frontRoom, with: front)
        let whole = unsafe spans.span.bytes  // sound: a UInt8 has no padding
        return try body(whole.extracting(start..<whole.byteCount))
    }

    /// What stands before and behind the spans in the message: its two outer messages, but for the spans themselves.
    /// - Parameter size: bytes of the `spans` fields.
    public func envelope(around size: Int) -> (front: [UInt8], back: [UInt8]) {
        var back: [UInt8] = []
        appendSchemaURL(to: &back)
        let scopeSpans = WireFormat.headSize(field: Field.scope, length: scope.count) + scope.count + size + back.count
        appendSchemaURL(to: &back)
        let resourceSpans =
            WireFormat.headSize(field: Field.resource, length: resource.count) + resource.count
            + WireFormat.headSize(field: Field.scopeSpans, length: scopeSpans) + scopeSpans + back.count / 2

        var front: [UInt8] = []
        front.reserveCapacity(frontRoom)
        WireFormat.appendHead(field: Field.resourceSpans, length: resourceSpans, to: &front)
        WireFormat.appendHead(field: Field.resource, length: resource.count, to: &front)
        front += resource
        WireFormat.appendHead(field: Field.scopeSpans, length: scopeSpans, to: &front)
        WireFormat.appendHead(field: Field.scope, length: scope.count, to: &front)
        front += scope
        return (front, back)
    }

    private func appendSchemaURL(to bytes: inout [UInt8]) {
        guard !schemaURL.isEmpty else { return }
        WireFormat.appendHead(field: Field.schemaURL, length: schemaURL.count, to: &bytes)
        bytes += schemaURL
    }
}
