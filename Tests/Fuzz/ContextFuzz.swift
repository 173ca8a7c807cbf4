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

    var context = PropagatedContext()
    let fields: [PropagationField] = [.traceparent, .tracestate, .baggage]
    for (index, line) in input.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
        let line = Array(line)
        context.append(fields[index % 3], unsafe line.span.bytes)
    }
    always(context.parent != nil || context.traceState.byteCount == 0, "no tracestate without a traceparent")
    let baggage = context.baggage.text.array
    always(baggage.count <= Baggage.lengthLimit, "baggage stays within its limit")
    always(!baggage.contains { $0 < 0x20 && $0 != 0x09 || $0 > 0x7E }, "baggage sent on is a header value")
    var again = Baggage()
    again.append(unsafe baggage.span.bytes)
    always(again.text.array == baggage, "baggage sent on is taken whole")
    _ = context.withBaggageValue(of: "run.id") { value in
        always(String(validating: value.array, as: UTF8.self) != nil, "a baggage value is UTF-8")
    }
}
