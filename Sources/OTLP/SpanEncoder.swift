internal import COTLP
public import Tracing

/// Makes the OTLP `Span` message of a finished span: the bytes that are stored, exported and read again, encoded this once.
///
/// Owned by the store's thread. All of the span but its attributes is a C struct that is set up once and points at texts where the
/// caller has them; libprotobuf-c packs it into a buffer that the next span uses again. The attributes are put behind it as they
/// were encoded one by one, most of them for a span before (`AttributeTable`): protobuf messages concatenate, and their fields may
/// come in any order. Nothing is allocated once buffer and arena have grown to the usual size.
///
///     encoder.encode(record, entries)
///     insert(encoder.bytes)             // until the next span
@safe public struct SpanEncoder: ~Copyable {
    private let span = UnsafeMutablePointer<PBSpan>.allocate(capacity: 1)
    private let status = UnsafeMutablePointer<PBStatus>.allocate(capacity: 1)
    /// Trace id, span id and parent id as the wire has them: 16, 8 and 8 bytes, big-endian.
    private let ids = UnsafeMutableRawBufferPointer.allocate(byteCount: 32, alignment: 8)
    private var attributes: AttributeTable
    private var arena = Arena()
    private var costText: [UInt8] = []
    private var output: UnsafeMutableRawBufferPointer
    private var length = 0

    public init(limits: AttributeLimits = AttributeLimits()) {
        attributes = AttributeTable(limits: limits)
        unsafe output = .allocate(byteCount: 4096, alignment: 8)
        unsafe opentelemetry__proto__trace__v1__span__init(span)
        unsafe opentelemetry__proto__trace__v1__status__init(status)
        unsafe span.pointee.trace_id = ProtobufCBinaryData(ids.baseAddress, 16)
        unsafe span.pointee.span_id = ProtobufCBinaryData(ids.baseAddress! + 16, 8)
        unsafe status.pointee.code = OPENTELEMETRY__PROTO__TRACE__V1__STATUS__STATUS_CODE__STATUS_CODE_ERROR
    }

    deinit {
        unsafe span.deallocate()
        unsafe status.deallocate()
        unsafe ids.deallocate()
        unsafe output.deallocate()
    }

    /// The message last encoded; valid until the next.
    public var bytes: RawSpan {
        @_lifetime(borrow self) get {
            // Sound: `length` bytes were written, and the buffer lives as long as `self`.
            let packed = unsafe UnsafeRawBufferPointer(rebasing: output[..<length])
            return unsafe _overrideLifetime(packed.bytes, borrowing: self)
        }
    }

    /// Encodes a span and hands its bytes to `take`, once.
    public mutating func encode(_ record: SpanRecord, _ entries: RawSpan, _ take: (RawSpan) -> Void) {
        encode(record, entries)
        take(bytes)
    }

    /// Encodes a span as a loop recorded it: `SpanChunk.forEach` gives both.
    public mutating func encode(_ record: SpanRecord, _ entries: RawSpan) {
        arena.reset()
        attributes.reset()
        setHead(record)
        setAttributes(of: record)
        attributes.seal()
        // Sound: the span's texts point into `entries`, which stays where it is until the span is packed below.
        let textSize = unsafe setEntries(entries)
        if !attributes.isSet(.timing) { attributes.set(.timing, "measured", &arena) }
        unsafe span.pointee.dropped_attributes_count = UInt32(attributes.dropped)
        pack(headAtMost: 256 + textSize)
    }

    private mutating func setHead(_ record: SpanRecord) {
        unsafe ids.storeBytes(of: record.traceHigh.bigEndian, toByteOffset: 0, as: UInt64.self)
        unsafe ids.storeBytes(of: record.traceLow.bigEndian, toByteOffset: 8, as: UInt64.self)
        unsafe ids.storeBytes(of: record.span.bigEndian, toByteOffset: 16, as: UInt64.self)
        unsafe ids.storeBytes(of: record.parent.bigEndian, toByteOffset: 24, as: UInt64.self)
        unsafe span.pointee.parent_span_id = ProtobufCBinaryData(ids.baseAddress! + 24, record.parent == 0 ? 0 : 8)
        // A name must not be empty: receivers may take such a span for broken. An entry replaces this one.
        unsafe span.pointee.name = ProtobufCBinaryData(HopKind(rawValue: record.hopKind)?.name ?? "span")
        unsafe span.pointee.trace_state = ProtobufCBinaryData(nil, 0)
        unsafe status.pointee.message = ProtobufCBinaryData(nil, 0)
        unsafe span.pointee.kind = PBSpanKind(UInt32(record.kind))
        unsafe span.pointee.start_time_unix_nano = record.startTime
        unsafe span.pointee.end_time_unix_nano = max(record.endTime, record.startTime)
        // Bits 0 to 7 are the W3C flags; we always know whether the parent is another process's.
        var flags = UInt32(record.flags) | OPENTELEMETRY__PROTO__TRACE__V1__SPAN_FLAGS__SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK.rawValue
        if record.parentIsRemote { flags |= OPENTELEMETRY__PROTO__TRACE__V1__SPAN_FLAGS__SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK.rawValue }
        unsafe span.pointee.flags = flags
        // Success stays unset: OK is for the operator to say (specification, trace API, "Set Status").
        unsafe span.pointee.status = record.isError ? status : nil
    }

    /// What the record itself says. It goes first and nothing replaces it, so that the span cannot disagree with the ledger.
    private mutating func setAttributes(of record: SpanRecord) {
        if !record.runIsNamed {
            let hex = TraceID(high: record.runHigh, low: record.runLow).hex
            attributes.set(.runID, .string, unsafe hex.span.bytes, &arena)  // sound: a UInt8 has no padding
        }
        if let kind = HopKind(rawValue: record.hopKind) { attributes.set(.hopKind, kind.name, &arena) }
        if let linkedBy = LinkedBy(rawValue: record.linkedBy) { attributes.set(.linkedBy, linkedBy.name, &arena) }
        let tokens = record.tokens
        if tokens.input >= 0 { attributes.set(.usageInputTokens, tokens.input, &arena) }
        if tokens.output >= 0 { attributes.set(.usageOutputTokens, tokens.output, &arena) }
        if tokens.cacheRead >= 0 { attributes.set(.usageCacheReadInputTokens, tokens.cacheRead, &arena) }
        if tokens.cacheWrite >= 0 { attributes.set(.usageCacheWriteInputTokens, tokens.cacheWrite, &arena) }
        if tokens.reasoning >= 0 { attributes.set(.usageReasoningOutputTokens, tokens.reasoning, &arena) }
        if let cost = record.cost, let source = CostSource(rawValue: record.costSource)?.name {
            costText.removeAll(keepingCapacity: true)
            cost.write(into: &costText)
            let text = costText
            attributes.set(.costUSD, .string, unsafe text.span.bytes, &arena)  // sound: as above
            attributes.set(.costSource, source, &arena)
            attributes.set(.usageCost, cost.double, &arena)
            attributes.set(.llmCostTotal, cost.double, &arena)
        }
        if record.timeToFirstContent >= 0 { attributes.set(.ttft, Double(record.timeToFirstContent) / 1e9, &arena) }
    }

    /// What the loop wrote. Returns the bytes of the texts that are no attributes.
    /// - Parameter entries: must stay where they are until the span is packed.
    @unsafe private mutating func setEntries(_ entries: RawSpan) -> Int {
        var textSize = 0
        SpanEntry.forEach(in: entries) { tag, type, value in
            guard let attribute = Attribute(rawValue: tag) else {
                let text = unsafe EncodedText(value, &arena)
                textSize += unsafe text.length
                switch SpanEntry.Tag(rawValue: tag) {
                case .name: if unsafe text.length > 0 { unsafe span.pointee.name = text.binary }
                case .statusMessage: unsafe status.pointee.message = text.binary
                case .traceState: unsafe span.pointee.trace_state = text.binary
                case nil: break
                }
                return
            }
            attributes.set(attribute, type, value, &arena)
        }
        return textSize
    }

    /// - Parameter headSize: no less than what the span takes without its attributes.
    private mutating func pack(headAtMost headSize: Int) {
        let size = headSize + attributes.byteCount
        if unsafe output.count < size {
            unsafe output.deallocate()
            unsafe output = .allocate(byteCount: max(size, 8192), alignment: 8)
        }
        // Sound: there is room for both.
        let start = unsafe output.baseAddress!
        let head = unsafe opentelemetry__proto__trace__v1__span__pack(span, start.assumingMemoryBound(to: UInt8.self))
        precondition(head <= headSize)
        unsafe attributes.write(to: start + head)
        length = head + attributes.byteCount
    }
}
