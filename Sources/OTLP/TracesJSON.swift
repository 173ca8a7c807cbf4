internal import JSON
internal import Tracing

/// Stored spans as OTLP/JSON `TracesData` (OTLP 1.11, "JSON Protobuf Encoding"): the proto3 JSON mapping with ids in hex, enums as
/// numbers, 64-bit integers as text, names in lowerCamelCase. Fields that hold their default are left out, as proto3 allows.
///
///     var traces = TracesJSON(source: source)
///     try traces.append(span)
///     answer(traces.finish())
public struct TracesJSON {
    private var json = JSONWriter()
    private let schemaURL: String

    public init(source: SpanSource) {
        schemaURL = source.schemaURL
        json.beginObject()
        json.key("resourceSpans")
        json.beginArray()
        json.beginObject()
        json.key("resource")
        json.beginObject()
        json.attributes(source.resource)
        json.endObject()
        json.key("scopeSpans")
        json.beginArray()
        json.beginObject()
        json.key("scope")
        json.beginObject()
        json.text("name", source.scopeName)
        json.text("version", source.scopeVersion)
        json.endObject()
        json.key("spans")
        json.beginArray()
    }

    /// - Parameter span: the bytes of one `Span` message.
    public mutating func append(_ span: RawSpan) throws(OTLPError) {
        append(try OTLPSpan(decoding: span))
    }

    public mutating func append(_ span: OTLPSpan) {
        json.beginObject()
        json.id("traceId", span.traceID)
        json.id("spanId", span.spanID)
        json.text("traceState", span.traceState)
        if let parent = span.parentSpanID { json.id("parentSpanId", parent) }
        json.text("name", span.name)
        json.number("kind", span.kind)
        json.time("startTimeUnixNano", span.startTime)
        json.time("endTimeUnixNano", span.endTime)
        json.attributes(span.attributes)
        json.number("droppedAttributesCount", span.droppedAttributesCount)
        json.list("events", span.events) { json, event in
            json.time("timeUnixNano", event.time)
            json.text("name", event.name)
            json.attributes(event.attributes)
            json.number("droppedAttributesCount", event.droppedAttributesCount)
        }
        json.number("droppedEventsCount", span.droppedEventsCount)
        json.list("links", span.links) { json, link in
            json.id("traceId", link.traceID)
            json.id("spanId", link.spanID)
            json.text("traceState", link.traceState)
            json.attributes(link.attributes)
            json.number("droppedAttributesCount", link.droppedAttributesCount)
            json.number("flags", link.flags)
        }
        json.number("droppedLinksCount", span.droppedLinksCount)
        if let status = span.status {
            json.key("status")
            json.beginObject()
            json.text("message", status.message)
            json.number("code", status.code)
            json.endObject()
        }
        json.number("flags", span.flags)
        json.endObject()
    }

    /// The whole text.
    public consuming func finish() -> [UInt8] {
        json.endArray()
        json.text("schemaUrl", schemaURL)
        json.endObject()
        json.endArray()
        json.text("schemaUrl", schemaURL)
        json.endObject()
        json.endArray()
        json.endObject()
        return json.bytes
    }
}

extension JSONWriter {
    fileprivate mutating func id(_ name: StaticString, _ id: TraceID) {
        key(name)
        string(id.description)
    }

    fileprivate mutating func id(_ name: StaticString, _ id: SpanID) {
        key(name)
        string(id.description)
    }

    fileprivate mutating func text(_ name: StaticString, _ value: String) {
        guard !value.isEmpty else { return }
        key(name)
        string(value)
    }

    fileprivate mutating func number(_ name: StaticString, _ value: some FixedWidthInteger) {
        guard value != 0 else { return }
        key(name)
        int(value)
    }

    fileprivate mutating func time(_ name: StaticString, _ value: Timestamp) {
        key(name)
        string(String(value.nanoseconds))
    }

    fileprivate mutating func list<Element>(_ name: StaticString, _ elements: [Element], _ body: (inout JSONWriter, Element) -> Void) {
        guard !elements.isEmpty else { return }
        key(name)
        beginArray()
        for element in elements {
            beginObject()
            body(&self, element)
            endObject()
        }
        endArray()
    }

    fileprivate mutating func attributes(_ attributes: [KeyValue], _ name: StaticString = "attributes") {
        list(name, attributes) { json, attribute in
            json.key("key")
            json.string(attribute.key)
            json.key("value")
            json.anyValue(attribute.value)
        }
    }

    private mutating func anyValue(_ value: AnyValue) {
        beginObject()
        switch value {
        case .empty: break
        case .string(let value):
            key("stringValue")
            string(value)
        case .bool(let value):
            key("boolValue")
            bool(value)
        case .int(let value):
            key("intValue")
            string(String(value))
        case .double(let value):
            key("doubleValue")
            if value.isFinite { double(value) } else { string(value.isNaN ? "NaN" : value > 0 ? "Infinity" : "-Infinity") }
        case .array(let values):
            key("arrayValue")
            beginObject()
            if !values.isEmpty {
                key("values")
                beginArray()
                for value in values { anyValue(value) }
                endArray()
            }
            endObject()
        case .keyValues(let values):
            key("kvlistValue")
            beginObject()
            attributes(values, "values")
            endObject()
        case .bytes(let bytes):
            key("bytesValue")
            string(Base64.encode(bytes))
        }
        endObject()
    }
}

/// RFC 4648 §4, with padding, as proto3 JSON wants bytes.
enum Base64 {
    static func encode(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            var bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
            var digits: [UInt8] = []
            for _ in 0..<4 {
                digits.append(alphabet[Int(bits & 63)])
                bits >>= 6
            }
            text += digits.reversed().prefix(group.count + 1)
            text += repeatElement(UInt8(ascii: "="), count: 3 - group.count)
        }
        return String(decoding: text, as: UTF8.self)
    }
}
