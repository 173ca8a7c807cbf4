internal import COTLP
internal import Tracing

extension MessageBuffer {
    /// Appends a link to a span's message, as a span of nothing else (opentelemetry.proto.trace.v1.Span.Link).
    /// - Parameter value: of a span draft's entry.
    mutating func append(link value: RawSpan, _ arena: inout Arena) {
        guard value.byteCount >= SpanEntry.linkHeadLength else { return }
        let state = unsafe EncodedText(value.extracting(SpanEntry.linkHeadLength..<value.byteCount), &arena)
        let link = unsafe arena.room(for: 1, of: PBLink.self)
        let links = unsafe arena.room(for: 1, of: UnsafeMutablePointer<PBLink>?.self)
        let span = unsafe arena.room(for: 1, of: PBSpan.self)
        unsafe opentelemetry__proto__trace__v1__span__link__init(link)
        unsafe opentelemetry__proto__trace__v1__span__init(span)
        // Sound: the value's bytes, the text and the arena stay where they are until the message is packed, below.
        unsafe value.withUnsafeBytes { bytes in
            unsafe link.pointee.trace_id = ProtobufCBinaryData(bytes.baseAddress!, 16)
            unsafe link.pointee.span_id = ProtobufCBinaryData(bytes.baseAddress! + 16, 8)
            // Whoever sent it is another process.
            unsafe link.pointee.flags =
                UInt32(bytes[24]) | OPENTELEMETRY__PROTO__TRACE__V1__SPAN_FLAGS__SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK.rawValue
                | OPENTELEMETRY__PROTO__TRACE__V1__SPAN_FLAGS__SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK.rawValue
        }
        unsafe link.pointee.trace_state = state.binary
        unsafe links.initialize(to: link)
        unsafe span.pointee.n_links = 1
        unsafe span.pointee.links = links
        let size = unsafe opentelemetry__proto__trace__v1__span__get_packed_size(span)
        // As many bytes as `append` reads at least.
        let packed = unsafe arena.bytes(max(size, Self.shortField))
        let length = unsafe opentelemetry__proto__trace__v1__span__pack(span, packed.baseAddress!.assumingMemoryBound(to: UInt8.self))
        unsafe append(packed.baseAddress!, length)
    }
}
