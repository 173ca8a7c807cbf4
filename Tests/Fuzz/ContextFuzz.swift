import Tracing

/// Trace context: what is sent on reads as what came, and stays within the limits. Lines are fields in turn.
func fuzzContext(_ input: [UInt8]) {
    let bytes = unsafe input.span.bytes
    if let context = TraceContext(traceparent: bytes) {
        let text = context.traceparent
        always(unsafe TraceContext(traceparent: text.span.bytes) == context, "a traceparent written reads the same")
    }
    for limit in [TraceState.guaranteedLength, 8192] {
        var state = TraceState(lengthLimit: limit)
        state.append(bytes)
        always(state.text.byteCount <= limit, "tracestate stays within its limit")
        var again = TraceState(lengthLimit: limit)
        again.append(state.text)
        always(again.text.array == state.text.array, "tracestate sent on is taken whole")
    }
    var decoded: [UInt8] = []
    PercentEncoding.decode(bytes, into: &decoded)
    always(decoded.count <= input.count, "percent-decoding never grows")

    var several = TraceState()
    var baggage = Baggage()
    for (index, line) in input.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
        let line = Array(line)
        let value = unsafe line.span.bytes
        switch index % 3 {
        case 0: if let context = TraceContext(traceparent: value) { always(context.traceID.isValid && context.spanID.isValid, "what is read is valid") }
        case 1: several.append(value)
        default: baggage.append(value)
        }
    }
    always(several.text.array.allSatisfy { 0x20...0x7E ~= $0 }, "tracestate sent on is a header value")
    let sent = baggage.text.array
    always(sent.count <= Baggage.lengthLimit, "baggage stays within its limit")
    always(!sent.contains { $0 < 0x20 && $0 != 0x09 || $0 > 0x7E }, "baggage sent on is a header value")
    var again = Baggage()
    again.append(unsafe sent.span.bytes)
    always(again.text.array == sent, "baggage sent on is taken whole")
    _ = baggage.withValue(of: "run.id") { value in
        always(String(validating: value.array, as: UTF8.self) != nil, "a baggage value is UTF-8")
    }
}
