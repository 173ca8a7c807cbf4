internal import JSON
public import JSONRPC

extension MCPRequest {
    /// The trace context in its `_meta` (SEP-414).
    public var trace: TraceMembers { TraceMembers(traceparent: traceparent, tracestate: tracestate, baggage: baggage) }

    /// The change that makes a trace context the message's own: `traceparent`, `tracestate` and `baggage` in `params._meta` are the ones
    /// given, whatever was there; every other member stays as it is, byte for byte (SEP-414; MCP 2026-07-28, `_meta`).
    ///
    /// - Parameters:
    ///   - tracestate: empty: none. So `baggage`.
    /// - Returns: nil where `_meta` is something that no server takes.
    public func writing(traceparent: RawSpan, tracestate: RawSpan, baggage: RawSpan, in bytes: RawSpan) -> MessageEdit? {
        meta.writing("_meta", isFree: false, traceparent: traceparent, tracestate: tracestate, baggage: baggage, in: bytes)
    }
}
