internal import JSON
public import JSONRPC

extension MCPRequest {
    /// Calls `body` with a string of the message, decoded, where the range is one.
    public static func withText(_ range: Range<Int>, in bytes: RawSpan, _ body: (RawSpan) -> Void) {
        guard !range.isEmpty else { return }
        var json = JSONReader(bytes.extracting(range))
        guard let string = try? json.string() else { return }
        guard string.hasEscapes else { return body(string.raw) }
        var decoded: [UInt8] = []
        string.append(to: &decoded)
        // Sound: bytes have no padding.
        unsafe body(decoded.span.bytes)
    }

    /// The change that makes a trace context the message's own: `traceparent`, `tracestate` and `baggage` in `params._meta` are the ones
    /// given, whatever was there; every other member stays as it is, byte for byte (SEP-414; MCP 2026-07-28, `_meta`).
    ///
    /// - Parameters:
    ///   - tracestate: empty: none. So `baggage`.
    /// - Returns: nil where `_meta` is something that no server takes.
    public func writing(traceparent: RawSpan, tracestate: RawSpan, baggage: RawSpan, in bytes: RawSpan) -> MessageEdit? {
        var json = JSONWriter()
        switch meta {
        case .noParams(let place):
            json.key("params")
            json.beginObject()
            json.key("_meta")
            write(traceparent, tracestate, baggage, others: 0..<0, bytes, to: &json)
            json.endObject()
            return MessageEdit(range: place..<place, bytes: json.bytes + [UInt8(ascii: ",")])
        case .absent(let place, let isAlone):
            json.key("_meta")
            write(traceparent, tracestate, baggage, others: 0..<0, bytes, to: &json)
            return MessageEdit(range: place..<place, bytes: isAlone ? json.bytes : json.bytes + [UInt8(ascii: ",")])
        case .null(let range):
            write(traceparent, tracestate, baggage, others: 0..<0, bytes, to: &json)
            return MessageEdit(range: range, bytes: json.bytes)
        case .object(let range):
            write(traceparent, tracestate, baggage, others: range, bytes, to: &json)
            return MessageEdit(range: range, bytes: json.bytes)
        case .other: return nil
        }
    }

    /// - Parameter others: an object whose other members are written as they are; empty for none.
    private func write(_ traceparent: RawSpan, _ tracestate: RawSpan, _ baggage: RawSpan, others: Range<Int>, _ bytes: RawSpan, to json: inout JSONWriter) {
        json.beginObject()
        json.key("traceparent")
        json.string(utf8: traceparent)
        if !tracestate.isEmpty {
            json.key("tracestate")
            json.string(utf8: tracestate)
        }
        if !baggage.isEmpty {
            json.key("baggage")
            json.string(utf8: baggage)
        }
        if !others.isEmpty {
            // Read once already, without an error.
            var reader = JSONReader(bytes.extracting(others))
            let whole = reader.bytes
            _ = try? reader.enterObject()
            while let key = try? reader.nextMember() {
                guard let value = try? reader.rawValue() else { break }
                if key.is("traceparent") || key.is("tracestate") || key.is("baggage") { continue }
                json.raw(whole.extracting(key.start - 1..<value.upperBound))
            }
        }
        json.endObject()
    }
}
