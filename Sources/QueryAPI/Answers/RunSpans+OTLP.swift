import OTLP
import Runs
import Store

extension RunSpans {
    /// The spans as one OTLP `TracesData` message.
    func protobuf(_ source: SpanSource) -> [UInt8] {
        var frame = TracesFrame(source: source)
        forEach { frame.append($0) }
        // Sound: copied inside the closure.
        return frame.withMessage { message in unsafe message.withUnsafeBytes { unsafe Array($0) } }
    }

    /// The same in OTLP's JSON; what is damaged is left out.
    func json(_ source: SpanSource) -> [UInt8] {
        var traces = TracesJSON(source: source)
        forEach { try? traces.append($0) }
        return traces.finish()
    }

    /// What is damaged is left out.
    var decoded: [OTLPSpan] {
        var spans: [OTLPSpan] = []
        spans.reserveCapacity(count)
        forEach { if let span = try? OTLPSpan(decoding: $0) { spans.append(span) } }
        return spans
    }

    /// Lends each `Span` message, in the order the spans ended.
    func forEach(_ body: (RawSpan) -> Void) {
        let bytes = unsafe fields.span.bytes  // sound: a UInt8 has no padding
        for range in messages { body(bytes.extracting(range)) }
    }
}
