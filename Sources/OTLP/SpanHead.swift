internal import COTLP
internal import Glibc
internal import Tracing

/// All of a `Span` message but its attributes, packed by libprotobuf-c.
///
/// The head of most spans differs from the one before in its ids and times only. They have fixed widths and places, so they are
/// written over those of the head before, where all else is the same.
@safe struct SpanHead: ~Copyable {
    /// What a usual head says beside its ids, its times and its name's bytes: trace id (16 bytes, from byte 2), span id (8, from 20), parent
    /// id where there is one (8, from 30), name, kind, start (8 bytes that end 15 before the end), end (8, 6 before the end), flags.
    private struct Shape: Equatable {
        var kind: UInt8
        var hasParent: Bool
        var flags: UInt32
        var nameLength: Int

        /// From the first byte of the name.
        var tailLength: Int { nameLength + 26 }
        var length: Int { (hasParent ? 38 : 28) + 1 + WireFormat.varintSize(UInt64(nameLength)) + tailLength }
    }

    // Sound: this struct's alone, and freed in `deinit` or to be replaced.
    private let span = UnsafeMutablePointer<PBSpan>.allocate(capacity: 1)
    private let status = UnsafeMutablePointer<PBStatus>.allocate(capacity: 1)
    /// Trace id, span id and parent id as the wire has them: 16, 8 and 8 bytes, big-endian.
    private let ids = UnsafeMutableRawBufferPointer.allocate(byteCount: 32, alignment: 8)
    private var packed = UnsafeMutableRawBufferPointer.allocate(byteCount: 512, alignment: 8)
    private var length = 0
    /// Of what is packed, where its ids and times can be written over.
    private var shape: Shape?

    // The span's texts, where they stand in its entries.
    private var name: UnsafeRawBufferPointer
    private var statusMessage: UnsafeRawBufferPointer
    private var traceState: UnsafeRawBufferPointer

    init() {
        let none = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
        unsafe (name, statusMessage, traceState) = (none, none, none)
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
        unsafe packed.deallocate()
    }

    /// Without texts again.
    mutating func reset() {
        let none = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
        unsafe (name, statusMessage, traceState) = (none, none, none)
    }

    /// - Parameter text: must stay where it is until the head is packed.
    @unsafe mutating func set(_ tag: SpanEntry.Tag, _ text: RawSpan) {
        let text = unsafe text.withUnsafeBytes { unsafe $0 }
        switch tag {
        case .name: if unsafe !text.isEmpty { unsafe name = text }
        case .statusMessage: unsafe statusMessage = text
        case .traceState: unsafe traceState = text
        case .link: break
        }
    }

    /// The head of a span with the texts that were set; valid until the next.
    @unsafe mutating func pack(_ record: SpanRecord, dropped: Int, _ arena: inout Arena) -> UnsafeRawBufferPointer {
        // Bits 0 to 7 are the W3C flags; we always know whether the parent is another process's.
        var flags = UInt32(record.flags) | OPENTELEMETRY__PROTO__TRACE__V1__SPAN_FLAGS__SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK.rawValue
        if record.parentIsRemote { flags |= OPENTELEMETRY__PROTO__TRACE__V1__SPAN_FLAGS__SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK.rawValue }

        // Not where a field is there that seldom is, or a time is 0 and so left out (proto3).
        let isUsual = unsafe !record.isError && dropped == 0 && traceState.isEmpty && !name.isEmpty && record.startTime != 0
        let shape = unsafe Shape(kind: record.kind, hasParent: record.parent != 0, flags: flags, nameLength: name.count)
        if isUsual, shape == self.shape, unsafe memcmp(packed.baseAddress! + length - shape.tailLength, name.baseAddress!, name.count) == 0 {
            unsafe writeOver(record, shape)
        } else {
            unsafe packAnew(record, flags: flags, dropped: dropped, &arena)
            self.shape = isUsual && length == shape.length ? shape : nil
        }
        return unsafe UnsafeRawBufferPointer(rebasing: packed[..<length])
    }

    @unsafe private func writeOver(_ record: SpanRecord, _ shape: Shape) {
        // Sound: a head of this shape was packed, as `Shape` describes it.
        let start = unsafe packed.baseAddress!
        unsafe start.storeBytes(of: record.traceHigh.bigEndian, toByteOffset: 2, as: UInt64.self)
        unsafe start.storeBytes(of: record.traceLow.bigEndian, toByteOffset: 10, as: UInt64.self)
        unsafe start.storeBytes(of: record.span.bigEndian, toByteOffset: 20, as: UInt64.self)
        if shape.hasParent { unsafe start.storeBytes(of: record.parent.bigEndian, toByteOffset: 30, as: UInt64.self) }
        unsafe start.storeBytes(of: record.startTime.littleEndian, toByteOffset: length - 23, as: UInt64.self)
        unsafe start.storeBytes(of: max(record.endTime, record.startTime).littleEndian, toByteOffset: length - 14, as: UInt64.self)
    }

    @unsafe @inline(never) private mutating func packAnew(_ record: SpanRecord, flags: UInt32, dropped: Int, _ arena: inout Arena) {
        unsafe ids.storeBytes(of: record.traceHigh.bigEndian, toByteOffset: 0, as: UInt64.self)
        unsafe ids.storeBytes(of: record.traceLow.bigEndian, toByteOffset: 8, as: UInt64.self)
        unsafe ids.storeBytes(of: record.span.bigEndian, toByteOffset: 16, as: UInt64.self)
        unsafe ids.storeBytes(of: record.parent.bigEndian, toByteOffset: 24, as: UInt64.self)
        unsafe span.pointee.parent_span_id = ProtobufCBinaryData(ids.baseAddress! + 24, record.parent == 0 ? 0 : 8)
        let texts = unsafe (
            name: EncodedText(name.bytes, &arena), state: EncodedText(traceState.bytes, &arena), message: EncodedText(statusMessage.bytes, &arena))
        // A name must not be empty: receivers may take such a span for broken.
        unsafe span.pointee.name = name.isEmpty ? ProtobufCBinaryData(HopKind(rawValue: record.hopKind)?.name ?? "span") : texts.name.binary
        unsafe span.pointee.trace_state = texts.state.binary
        unsafe status.pointee.message = texts.message.binary
        unsafe span.pointee.kind = PBSpanKind(UInt32(record.kind))
        unsafe span.pointee.start_time_unix_nano = record.startTime
        unsafe span.pointee.end_time_unix_nano = max(record.endTime, record.startTime)
        unsafe span.pointee.flags = flags
        unsafe span.pointee.dropped_attributes_count = UInt32(dropped)
        // Success stays unset: OK is for the operator to say (specification, trace API, "Set Status").
        unsafe span.pointee.status = record.isError ? status : nil

        let limit = unsafe 256 + texts.name.length + texts.state.length + texts.message.length
        if unsafe packed.count < limit {
            unsafe packed.deallocate()
            unsafe packed = .allocate(byteCount: limit, alignment: 8)
        }
        // Sound: there is room for the texts and all else, which is less than 256 bytes.
        length = unsafe opentelemetry__proto__trace__v1__span__pack(span, packed.baseAddress!.assumingMemoryBound(to: UInt8.self))
        precondition(length <= limit)
    }
}
