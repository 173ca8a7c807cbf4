import JSON
import OTLP
import Testing
import Tracing

@Suite struct `A stored span` {
    private func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] { [number << 3 | 2, UInt8(bytes.count)] + bytes }

    @Test func `may be empty`() throws {
        #expect(try withBytes([]) { try OTLPSpan(decoding: $0) } == OTLPSpan())
    }

    @Test func `may hold events and links`() throws {
        let attribute = field(1, Array("k".utf8)) + field(2, [0x18, 0x05])
        let event = [0x09, 1, 0, 0, 0, 0, 0, 0, 0] + field(2, Array("e".utf8)) + field(3, attribute) + [0x20, 2]
        let trace = [UInt8](repeating: 1, count: 16)
        let link = field(1, trace) + field(2, [0, 0, 0, 0, 0, 0, 0, 9]) + field(3, Array("a=b".utf8)) + field(4, attribute)
            + [0x28, 3, 0x35, 1, 3, 0, 0]
        let bytes = field(11, event) + [0x60, 4] + field(13, link) + [0x70, 5, 0x50, 6]
        let span = try withBytes(bytes) { try OTLPSpan(decoding: $0) }
        #expect(span.events.count == 1 && span.droppedEventsCount == 4 && span.droppedLinksCount == 5 && span.droppedAttributesCount == 6)
        #expect(span.events[0].time.nanoseconds == 1 && span.events[0].name == "e" && span.events[0].droppedAttributesCount == 2)
        #expect(span.events[0].attributes == [KeyValue("k", .int(5))])
        #expect(span.links.count == 1 && span.links[0].traceID.description == String(repeating: "01", count: 16))
        #expect(span.links[0].spanID == SpanID(9) && span.links[0].traceState == "a=b" && span.links[0].flags == 0x301)
        #expect(span.links[0].attributes == [KeyValue("k", .int(5))] && span.links[0].droppedAttributesCount == 3)
    }

    @Test func `may hold fields and types we do not know`() throws {
        let unknown: [UInt8] = [0xF8, 0x07, 0x96, 0x01, 0xF9, 0x07, 1, 2, 3, 4, 5, 6, 7, 8, 0xFA, 0x07, 2, 1, 2, 0xFD, 0x07, 1, 2, 3, 4]
        // The name as a number, the kind as text.
        let wrong: [UInt8] = [0x28, 0x01, 0x32, 0x01, 0x41]
        let span = try withBytes(unknown + Vector.span + wrong) { try OTLPSpan(decoding: $0) }
        #expect(span == (try withBytes(Vector.span) { try OTLPSpan(decoding: $0) }))
    }

    @Test func `gives an attribute by name, the last of several`() throws {
        var span = OTLPSpan()
        span.attributes = [KeyValue("a", .int(1)), KeyValue("gen_ai.request.model", .string("m")), KeyValue("a", .int(2))]
        #expect(span.value(of: "a") == .int(2))
        #expect(span.value(of: .requestModel) == .string("m"))
        #expect(span.value(of: .responseModel) == nil)
    }

    @Test(arguments: [
        ([0x0A], OTLPError.truncated), ([0x0A, 0x05, 1], .truncated), ([0x39, 1, 2, 3], .truncated), ([0x85, 0x01, 1], .truncated),
        ([0x30], .truncated), ([0x30, 0x80], .truncated),
        ([0x30] + Array(repeating: 0xFF, count: 10), .malformed), ([0x00], .malformed), ([0x0B], .malformed), ([0x0C], .malformed),
        ([0x0E], .malformed), ([0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], .truncated),
        ([0x0A, 0x01, 7], .malformed), ([0x12, 0x09, 1, 2, 3, 4, 5, 6, 7, 8, 9], .malformed), ([0x4A, 0x02, 0x12, 0x05], .truncated),
    ] as [([UInt8], OTLPError)])
    func `is refused when it is none`(bytes: [UInt8], error: OTLPError) {
        #expect(throws: error) { try withBytes(bytes) { try OTLPSpan(decoding: $0) } }
    }

    @Test func `is refused when its values stand too deep in values`() throws {
        func nested(_ depth: Int) -> [UInt8] {
            func delimited(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
                var head = [tag]
                var length = content.count
                while length >= 0x80 {
                    head.append(UInt8(length & 0x7F) | 0x80)
                    length >>= 7
                }
                return head + [UInt8(length)] + content
            }
            var value: [UInt8] = []
            for _ in 0..<depth { value = delimited(0x2A, delimited(0x0A, value)) }
            return delimited(0x4A, delimited(0x12, value))
        }
        _ = try withBytes(nested(AnyValue.depthLimit - 1)) { try OTLPSpan(decoding: $0) }
        for depth in [AnyValue.depthLimit, 1000, 5000] {
            #expect(throws: OTLPError.tooDeep) { try withBytes(nested(depth)) { try OTLPSpan(decoding: $0) } }
        }
    }

    @Test func `is read or refused, whatever the bytes`() {
        var random = IDGenerator(seed: (11, 12, 13, 14))
        func next(_ bound: Int) -> Int { Int(random.spanID().value % UInt64(bound)) }
        let seeds = Example.allCases.map { $0.encoded() } + [Vector.span]
        var read = 0
        for round in 0..<20_000 {
            var bytes = seeds[round % seeds.count]
            switch round % 4 {
            case 0: bytes = (0..<next(64)).map { _ in UInt8(next(256)) }
            case 1: bytes[next(bytes.count)] = UInt8(next(256))
            case 2: for _ in 0..<8 { bytes[next(bytes.count)] ^= 1 << UInt8(next(8)) }
            default: bytes = Array(bytes.prefix(next(bytes.count))) + bytes.suffix(next(bytes.count))
            }
            guard let span = try? withBytes(bytes, { try OTLPSpan(decoding: $0) }) else { continue }
            read += 1
            var traces = TracesJSON(source: Example.source)
            traces.append(span)
            if round % 50 == 0 {
                let text = traces.finish()
                #expect((try? withBytes(text) { try JSONValue($0) }) != nil)
            }
        }
        #expect(read > 1000)
    }
}
