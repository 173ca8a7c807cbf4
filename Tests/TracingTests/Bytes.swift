import Tracing

/// Lends a text's bytes, as a header value lies in a read buffer.
func withBytes<Result>(_ text: String, _ body: (RawSpan) throws -> Result) rethrows -> Result {
    try withBytes(Array(text.utf8), body)
}

func withBytes<Result>(_ bytes: [UInt8], _ body: (RawSpan) throws -> Result) rethrows -> Result {
    try body(unsafe bytes.span.bytes)  // sound: a UInt8 has no padding
}

func text(_ bytes: RawSpan) -> String {
    // Sound: copied before the closure returns.
    unsafe bytes.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
}

extension TraceContext {
    init?(traceparent value: String) {
        guard let context = withBytes(value, { TraceContext(traceparent: $0) }) else { return nil }
        self = context
    }
}
