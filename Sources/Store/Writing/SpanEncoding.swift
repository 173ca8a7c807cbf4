public import Tracing

/// Encodes a span as an OTLP `Span` message and calls `take` with the bytes, once. Called on the store's thread only, so it may
/// reuse an arena.
public typealias SpanEncoding = (_ record: SpanRecord, _ entries: RawSpan, _ take: (_ otlp: RawSpan) -> Void) -> Void
