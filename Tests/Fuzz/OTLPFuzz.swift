import OTLP

/// OTLP: any bytes are a message or an error; a span has one reading, and what a collector answers keeps to its bounds.
func fuzzOTLP(_ input: [UInt8]) {
    let bytes = unsafe input.span.bytes
    if let span = try? OTLPSpan(decoding: bytes) {
        // As text: a double that is no number is not equal to itself.
        always((try? OTLPSpan(decoding: bytes)).map { "\($0)" } == "\(span)", "a span has one reading")
        _ = span.isError
        _ = span.value(of: "gen_ai.usage.input_tokens")
    }
    _ = try? ExportResponse(decoding: bytes)
    if let delay = RPCStatus(decoding: bytes)?.retryDelay { always(delay > .zero, "a delay is one") }
}
