import OTLP
import Testing
import Tracing

/// The fields of a message: number and bytes of each length-delimited one.
private func fields(_ message: [UInt8]) -> [(number: Int, bytes: [UInt8])] {
    var result: [(Int, [UInt8])] = []
    var offset = 0
    func varint() -> Int {
        var value = 0
        var shift = 0
        while true {
            let byte = message[offset]
            offset += 1
            value |= Int(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
    }
    while offset < message.count {
        let tag = varint()
        let length = varint()
        result.append((tag >> 3, Array(message[offset..<offset + length])))
        offset += length
    }
    return result
}

@Suite struct `A frame of spans` {
    @Test func `has one resource, one scope and every span as it was`() throws {
        var frame = TracesFrame(source: Example.source)
        let spans = (0..<700).map { index in Array(repeating: UInt8(truncatingIfNeeded: index), count: index) }
        for span in spans { withBytes(span) { frame.append($0) } }
        #expect(frame.spanCount == 700)
        let message = frame.withMessage { array($0) }

        let resourceSpans = fields(message)
        #expect(resourceSpans.map(\.number) == [1])
        let outer = fields(resourceSpans[0].bytes)
        #expect(outer.map(\.number) == [1, 2, 3])
        let inner = fields(outer[1].bytes)
        #expect(inner.map(\.number) == [1] + Array(repeating: 2, count: 700) + [3])
        #expect(inner.dropFirst().dropLast().map(\.bytes) == spans)
        #expect(String(decoding: inner[701].bytes, as: UTF8.self) == Example.source.schemaURL)
        #expect(String(decoding: outer[2].bytes, as: UTF8.self) == Example.source.schemaURL)
        #expect(fields(inner[0].bytes).map { String(decoding: $0.bytes, as: UTF8.self) } == ["hopspan", "1.0"])
        #expect(fields(outer[0].bytes).count == Example.source.resource.count)
    }

    @Test func `is the same around spans that somebody else has`() {
        var frame = TracesFrame(source: Example.source)
        var spans = [UInt8](repeating: 0, count: frame.frontRoom)
        for length in [0, 1, 130, 20_000] {
            withBytes(Array(repeating: 7, count: length)) { frame.append($0) }
            spans += [0x12] + (length < 128 ? [UInt8(length)] : length < 16_384 ? [UInt8(length & 127 | 128), UInt8(length >> 7)] : [0xA0, 0x9C, 0x01])
            spans += Array(repeating: 7, count: length)
            let before = spans
            let message = frame.withMessage(around: &spans) { array($0) }
            #expect(message == frame.withMessage { array($0) })
            let limit = frame.byteCount(around: spans.count - frame.frontRoom)
            #expect(message.count <= limit && limit < message.count + 300)
            let (front, back) = frame.envelope(around: spans.count - frame.frontRoom)
            #expect(message == front + spans.dropFirst(frame.frontRoom) + back)
            // Whatever is in the room is written over the next time.
            #expect(spans.dropFirst(frame.frontRoom) == before.dropFirst(frame.frontRoom))
        }
    }

    @Test func `can be lent, go on, and start again`() {
        var frame = TracesFrame(source: Example.source)
        #expect(frame.withMessage { $0.byteCount } == 0)
        withBytes([1, 2, 3]) { frame.append($0) }
        let one = frame.withMessage { array($0) }
        #expect(frame.withMessage { array($0) } == one)
        withBytes([4]) { frame.append($0) }
        let two = frame.withMessage { array($0) }
        #expect(two.count == one.count + 3)
        frame.reset()
        #expect(frame.spanCount == 0 && frame.withMessage { $0.byteCount } == 0)
        withBytes([1, 2, 3]) { frame.append($0) }
        #expect(frame.withMessage { array($0) } == one)
    }

    @Test func `carries values of every kind in its resource`() throws {
        let values: [AnyValue] = [
            .empty, .string("a\0b"), .string(""), .bool(false), .int(-1), .double(0), .bytes([0, 255]), .array([]),
            .array([.int(1), .array([.empty])]), .keyValues([KeyValue("k", .keyValues([])), KeyValue("", .bool(true))]),
        ]
        let source = SpanSource(
            resource: values.enumerated().map { KeyValue("k\($0)", $1) }, scopeName: "", scopeVersion: "")
        var frame = TracesFrame(source: source)
        withBytes([]) { frame.append($0) }
        let message = frame.withMessage { array($0) }
        let resource = fields(fields(fields(message)[0].bytes)[0].bytes)
        // A resource's attributes are a span's, by another number: read them as such.
        let span = resource.reduce(into: [UInt8]()) { $0 += [0x4A, UInt8($1.bytes.count)] + $1.bytes }
        #expect(try withBytes(span) { try OTLPSpan(decoding: $0) }.attributes == source.resource)
    }
}
