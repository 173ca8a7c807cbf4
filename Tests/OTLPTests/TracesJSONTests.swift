import OTLP
import Testing
import Tracing

@Suite struct `OTLP as JSON` {
    private static let head = #"{"resourceSpans":[{"resource":{},"scopeSpans":[{"scope":{},"spans":["#

    private func text(_ fill: (inout TracesJSON) -> Void) -> String {
        var traces = TracesJSON(source: SpanSource(resource: [], scopeName: "", scopeVersion: ""))
        fill(&traces)
        return String(decoding: traces.finish(), as: UTF8.self)
    }

    @Test(arguments: Example.allCases)
    func `is the golden text`(example: Example) throws {
        var traces = TracesJSON(source: Example.source)
        try withBytes(example.encoded()) { try traces.append($0) }
        #expect(String(decoding: traces.finish(), as: UTF8.self) == (try Fixture.text("\(example.rawValue).otlp.json")))
    }

    @Test func `has the forms of the specification`() throws {
        var traces = TracesJSON(source: SpanSource(
            resource: [KeyValue("service.name", .string("gw"))], scopeName: "gw", scopeVersion: "1", schemaURL: "https://x/1"))
        try withBytes(Vector.span) { try traces.append($0) }
        #expect(String(decoding: traces.finish(), as: UTF8.self) == """
            {"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"gw"}}]},\
            "scopeSpans":[{"scope":{"name":"gw","version":"1"},"spans":[{"traceId":"4bf92f3577b34da6a3ce929d0e0e4736",\
            "spanId":"00f067aa0ba902b7","parentSpanId":"b7ad6b7169203331","name":"chat m","kind":3,\
            "startTimeUnixNano":"1700000000000000000","endTimeUnixNano":"1700000001500000000","attributes":[\
            {"key":"gen_ai.usage.input_tokens","value":{"intValue":"7"}},{"key":"x","value":{"boolValue":false}},\
            {"key":"y","value":{"stringValue":""}},{"key":"t","value":{"doubleValue":0.5}},\
            {"key":"s","value":{"arrayValue":{"values":[{"stringValue":"stop"}]}}}],\
            "status":{"message":"boom","code":2},"flags":769}],"schemaUrl":"https://x/1"}],"schemaUrl":"https://x/1"}]}
            """)
    }

    @Test func `has a form for every kind of value`() {
        var span = OTLPSpan()
        span.attributes = [
            KeyValue("a", .empty), KeyValue("b", .int(.min)), KeyValue("c", .double(.nan)), KeyValue("d", .double(.infinity)),
            KeyValue("e", .double(-.infinity)), KeyValue("f", .double(1e-7)), KeyValue("g", .array([])),
            KeyValue("h", .keyValues([KeyValue("k", .bool(true))])), KeyValue("i", .keyValues([])), KeyValue("j\"", .string("\n\u{FFFD}")),
            KeyValue("k", .bytes([])), KeyValue("l", .bytes([0xFF])), KeyValue("m", .bytes([0xFF, 0xFE])),
            KeyValue("n", .bytes([0, 0x10, 0x83])), KeyValue("o", .bytes([0x10, 0x51, 0x87, 0x20])),
        ]
        #expect(text { $0.append(span) } == Self.head + """
            {"traceId":"00000000000000000000000000000000","spanId":"0000000000000000","startTimeUnixNano":"0","endTimeUnixNano":"0",\
            "attributes":[{"key":"a","value":{}},{"key":"b","value":{"intValue":"-9223372036854775808"}},\
            {"key":"c","value":{"doubleValue":"NaN"}},{"key":"d","value":{"doubleValue":"Infinity"}},\
            {"key":"e","value":{"doubleValue":"-Infinity"}},{"key":"f","value":{"doubleValue":1e-07}},\
            {"key":"g","value":{"arrayValue":{}}},{"key":"h","value":{"kvlistValue":{"values":[{"key":"k","value":{"boolValue":true}}]}}},\
            {"key":"i","value":{"kvlistValue":{}}},{"key":"j\\"","value":{"stringValue":"\\n\u{FFFD}"}},\
            {"key":"k","value":{"bytesValue":""}},{"key":"l","value":{"bytesValue":"/w=="}},{"key":"m","value":{"bytesValue":"//4="}},\
            {"key":"n","value":{"bytesValue":"ABCD"}},{"key":"o","value":{"bytesValue":"EFGHIA=="}}]}]}]}]}
            """)
    }

    @Test func `has events, links and counts`() {
        var span = OTLPSpan()
        var event = OTLPSpan.Event()
        event.time = Timestamp(nanoseconds: 5)
        event.name = "e"
        event.droppedAttributesCount = 1
        var link = OTLPSpan.Link()
        link.traceID = TraceID(high: 0, low: 1)
        link.spanID = SpanID(2)
        link.traceState = "a=b"
        link.flags = 0x301
        link.attributes = [KeyValue("k", .int(1))]
        span.events = [event]
        span.links = [link, OTLPSpan.Link()]
        span.droppedEventsCount = 2
        span.droppedLinksCount = 3
        span.status = OTLPSpan.Status()
        #expect(text { $0.append(span); $0.append(OTLPSpan()) } == Self.head + """
            {"traceId":"00000000000000000000000000000000","spanId":"0000000000000000","startTimeUnixNano":"0","endTimeUnixNano":"0",\
            "events":[{"timeUnixNano":"5","name":"e","droppedAttributesCount":1}],"droppedEventsCount":2,\
            "links":[{"traceId":"00000000000000000000000000000001","spanId":"0000000000000002","traceState":"a=b",\
            "attributes":[{"key":"k","value":{"intValue":"1"}}],"flags":769},\
            {"traceId":"00000000000000000000000000000000","spanId":"0000000000000000"}],"droppedLinksCount":3,"status":{}},\
            {"traceId":"00000000000000000000000000000000","spanId":"0000000000000000","startTimeUnixNano":"0","endTimeUnixNano":"0"}]}]}]}
            """)
    }
}
