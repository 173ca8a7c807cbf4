public import Tracing

/// A stored span as its readers see it: the OTLP `Span` message, decoded (opentelemetry.proto.trace.v1.Span).
public struct OTLPSpan: Sendable, Hashable {
    public var traceID = TraceID(high: 0, low: 0)
    public var spanID = SpanID(0)
    /// W3C tracestate, as it was received.
    public var traceState = ""
    /// Nil of a root.
    public var parentSpanID: SpanID?
    public var name = ""
    /// `SpanKind` by its number; spans that others made may have kinds we do not make.
    public var kind: Int32 = 0
    public var startTime = Timestamp(nanoseconds: 0)
    public var endTime = Timestamp(nanoseconds: 0)
    /// In the order of the message.
    public var attributes: [KeyValue] = []
    public var droppedAttributesCount: UInt32 = 0
    public var events: [Event] = []
    public var droppedEventsCount: UInt32 = 0
    public var links: [Link] = []
    public var droppedLinksCount: UInt32 = 0
    public var status: Status?
    /// Bits 0 to 7 are the W3C trace flags, 8 and 9 say whether the parent is another process's.
    public var flags: UInt32 = 0

    public init() {}

    public struct Event: Sendable, Hashable {
        public var time = Timestamp(nanoseconds: 0)
        public var name = ""
        public var attributes: [KeyValue] = []
        public var droppedAttributesCount: UInt32 = 0

        public init() {}
    }

    public struct Link: Sendable, Hashable {
        public var traceID = TraceID(high: 0, low: 0)
        public var spanID = SpanID(0)
        public var traceState = ""
        public var attributes: [KeyValue] = []
        public var droppedAttributesCount: UInt32 = 0
        public var flags: UInt32 = 0

        public init() {}
    }

    public struct Status: Sendable, Hashable {
        /// `StatusCode` by its number: 0 unset, 1 ok, 2 error.
        public var code: Int32
        public var message: String

        public init(code: Int32 = 0, message: String = "") {
            self.code = code
            self.message = message
        }
    }

    public var isError: Bool { status?.code == 2 }

    /// The attribute's value; of several the last.
    public func value(of attribute: Attribute) -> AnyValue? { value(of: attribute.name.description) }

    public func value(of key: String) -> AnyValue? { attributes.last { $0.key == key }?.value }
}

// MARK: decoding

extension OTLPSpan {
    /// Reads the bytes of a `Span` message. Unknown fields and wrongly typed ones are skipped; text is mended to be UTF-8.
    public init(decoding message: RawSpan) throws(OTLPError) {
        var span = Self.empty
        try WireFormat.forEachField(in: message) { number, type, scalar, bytes throws(OTLPError) in
            switch (number, type) {
            case (1, .lengthDelimited): span.traceID = try TraceID(decoding: bytes)
            case (2, .lengthDelimited): span.spanID = try SpanID(decoding: bytes)
            case (3, .lengthDelimited): span.traceState = String(mending: bytes)
            case (4, .lengthDelimited): span.parentSpanID = bytes.byteCount == 0 ? nil : try SpanID(decoding: bytes)
            case (5, .lengthDelimited): span.name = String(mending: bytes)
            case (6, .varint): span.kind = Int32(truncatingIfNeeded: scalar)
            case (7, .fixed64): span.startTime = Timestamp(nanoseconds: scalar)
            case (8, .fixed64): span.endTime = Timestamp(nanoseconds: scalar)
            case (9, .lengthDelimited): span.attributes.append(try KeyValue(decoding: bytes))
            case (10, .varint): span.droppedAttributesCount = UInt32(truncatingIfNeeded: scalar)
            case (11, .lengthDelimited): span.events.append(try Event(decoding: bytes))
            case (12, .varint): span.droppedEventsCount = UInt32(truncatingIfNeeded: scalar)
            case (13, .lengthDelimited): span.links.append(try Link(decoding: bytes))
            case (14, .varint): span.droppedLinksCount = UInt32(truncatingIfNeeded: scalar)
            case (15, .lengthDelimited): span.status = try Status(decoding: bytes)
            case (16, .fixed32): span.flags = UInt32(truncatingIfNeeded: scalar)
            default: break
            }
        }
        self = span
    }

    private static let empty = OTLPSpan()
}

extension OTLPSpan.Event {
    init(decoding message: RawSpan) throws(OTLPError) {
        var event = Self()
        try WireFormat.forEachField(in: message) { number, type, scalar, bytes throws(OTLPError) in
            switch (number, type) {
            case (1, .fixed64): event.time = Timestamp(nanoseconds: scalar)
            case (2, .lengthDelimited): event.name = String(mending: bytes)
            case (3, .lengthDelimited): event.attributes.append(try KeyValue(decoding: bytes))
            case (4, .varint): event.droppedAttributesCount = UInt32(truncatingIfNeeded: scalar)
            default: break
            }
        }
        self = event
    }
}

extension OTLPSpan.Link {
    init(decoding message: RawSpan) throws(OTLPError) {
        var link = Self()
        try WireFormat.forEachField(in: message) { number, type, scalar, bytes throws(OTLPError) in
            switch (number, type) {
            case (1, .lengthDelimited): link.traceID = try TraceID(decoding: bytes)
            case (2, .lengthDelimited): link.spanID = try SpanID(decoding: bytes)
            case (3, .lengthDelimited): link.traceState = String(mending: bytes)
            case (4, .lengthDelimited): link.attributes.append(try KeyValue(decoding: bytes))
            case (5, .varint): link.droppedAttributesCount = UInt32(truncatingIfNeeded: scalar)
            case (6, .fixed32): link.flags = UInt32(truncatingIfNeeded: scalar)
            default: break
            }
        }
        self = link
    }
}

extension OTLPSpan.Status {
    init(decoding message: RawSpan) throws(OTLPError) {
        var status = Self()
        try WireFormat.forEachField(in: message) { number, type, scalar, bytes throws(OTLPError) in
            switch (number, type) {
            case (2, .lengthDelimited): status.message = String(mending: bytes)
            case (3, .varint): status.code = Int32(truncatingIfNeeded: scalar)
            default: break
            }
        }
        self = status
    }
}

extension TraceID {
    /// 16 bytes; none at all is the invalid id.
    init(decoding bytes: RawSpan) throws(OTLPError) {
        guard bytes.byteCount == 16 || bytes.byteCount == 0 else { throw .malformed }
        guard bytes.byteCount == 16 else {
            self.init(high: 0, low: 0)
            return
        }
        // Sound: any bytes are an integer, and the loads are checked.
        self.init(
            high: UInt64(bigEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: 0, as: UInt64.self)),
            low: UInt64(bigEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: 8, as: UInt64.self)))
    }
}

extension SpanID {
    /// 8 bytes; none at all is the invalid id.
    init(decoding bytes: RawSpan) throws(OTLPError) {
        guard bytes.byteCount == 8 || bytes.byteCount == 0 else { throw .malformed }
        // Sound: as above.
        self.init(bytes.byteCount == 0 ? 0 : UInt64(bigEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: 0, as: UInt64.self)))
    }
}
