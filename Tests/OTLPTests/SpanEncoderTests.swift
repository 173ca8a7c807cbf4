import COTLP
import OTLP
import Testing
import Tracing

/// What a draft becomes, decoded again.
private func span(limits: AttributeLimits = AttributeLimits(), _ fill: (inout SpanDraft) -> Void) throws -> OTLPSpan {
    var draft = SpanDraft()
    fill(&draft)
    var encoder = SpanEncoder(limits: limits)
    draft.withEntries { encoder.encode(draft.record, $0) }
    return try withBytes(array(encoder.bytes)) { try OTLPSpan(decoding: $0) }
}

@Suite struct `A span encoder` {
    @Test(arguments: Example.allCases)
    func `writes the golden bytes`(example: Example) throws {
        var frame = TracesFrame(source: Example.source)
        withBytes(example.encoded()) { frame.append($0) }
        let message = frame.withMessage { array($0) }
        #expect(hex(message) == (try Fixture.text("\(example.rawValue).otlp.hex")))
    }

    @Test(arguments: Example.allCases)
    func `writes what libprotobuf-c writes of the whole message, but for the order of its fields`(example: Example) {
        #expect(ordered(example.encoded()) == repacked(example.encoded()))
    }

    @Test func `writes links behind everything else, each with its state and flags`() throws {
        let other = TraceContext(traceID: TraceID(high: 7, low: 8), spanID: SpanID(9), flags: .sampled)
        let second = TraceContext(traceID: TraceID(high: 10, low: 11), spanID: SpanID(12), flags: [])
        let state = String(repeating: "a", count: 200) + "=1"
        func fill(_ draft: inout SpanDraft) {
            draft.record.traceID = TraceID(high: 1, low: 2)
            draft.record.spanID = SpanID(3)
            draft.record.kind = SpanKind.client.rawValue
            withBytes(Array(state.utf8)) { draft.link(other, traceState: $0) }
            draft.setName("tools/call x")
            withBytes([]) { draft.link(second, traceState: $0) }
            // One that is set again moves what follows it.
            draft.set(.toolName, String("a"))
            draft.set(.toolName, String("a longer name"))
        }
        let span = try span(fill)
        #expect(span.links.map(\.traceID) == [other.traceID, second.traceID] && span.links.map(\.spanID) == [other.spanID, second.spanID])
        #expect(span.links.map(\.traceState) == [state, ""])
        #expect(span.links.map(\.flags) == [0x301, 0x300])
        #expect(span.name == "tools/call x" && span.value(of: .toolName) == .string("a longer name"))
        var draft = SpanDraft()
        fill(&draft)
        var encoder = SpanEncoder()
        draft.withEntries { encoder.encode(draft.record, $0) }
        let message = array(encoder.bytes)
        #expect(ordered(message) == repacked(message))
    }

    @Test func `writes each span on its own, whatever came before it`() {
        var encoder = SpanEncoder()
        let first = Example.allCases.map { $0.encoded(by: &encoder) }
        let second = Example.allCases.reversed().map { $0.encoded(by: &encoder) }
        #expect(first == second.reversed())
        #expect(first == Example.allCases.map { $0.encoded() })
    }

    @Test func `says what the record says`() throws {
        let span = try span { draft in
            draft.record.traceID = TraceID(high: 1, low: 2)
            draft.record.spanID = SpanID(3)
            draft.record.parent = 4
            draft.record.run = RunKey(high: 0xAB, low: 0xCD)
            draft.record.startTime = 5
            draft.record.endTime = 6
            draft.record.hopKind = HopKind.llm.rawValue
            draft.record.linkedBy = LinkedBy.content.rawValue
            draft.record.tokens.input = 10
            draft.record.tokens.output = 0
            draft.record.tokens.cacheWrite = 3
            draft.record.costSource = CostSource.estimated.rawValue
            draft.record.cost = USD("0.0001625")
            draft.record.timeToFirstContent = 250_000_000
        }
        #expect(span.traceID == TraceID(high: 1, low: 2))
        #expect(span.spanID == SpanID(3) && span.parentSpanID == SpanID(4))
        #expect(span.startTime.nanoseconds == 5 && span.endTime.nanoseconds == 6)
        #expect(span.kind == 3)
        #expect(span.attributes == [
            KeyValue("hopspan.run.id", .string("00000000000000ab00000000000000cd")),
            KeyValue("hopspan.hop.kind", .string("llm")), KeyValue("hopspan.linked_by", .string("content")),
            KeyValue("gen_ai.usage.input_tokens", .int(10)), KeyValue("gen_ai.usage.output_tokens", .int(0)),
            KeyValue("gen_ai.usage.cache_write.input_tokens", .int(3)),
            KeyValue("hopspan.cost.usd", .string("0.0001625")), KeyValue("hopspan.cost.source", .string("estimated")),
            KeyValue("gen_ai.usage.cost", .double(0.0001625)), KeyValue("llm.cost.total", .double(0.0001625)),
            KeyValue("hopspan.ttft", .double(0.25)), KeyValue("hopspan.timing", .string("measured")),
        ])
    }

    @Test func `leaves out what is not known`() throws {
        let span = try span { $0.record.spanID = SpanID(3) }
        #expect(span.parentSpanID == nil)
        #expect(span.status == nil)
        #expect(span.attributes.map(\.key) == ["hopspan.run.id", "hopspan.hop.kind", "hopspan.linked_by", "hopspan.timing"])
        #expect(span.droppedAttributesCount == 0)
    }

    @Test(arguments: [
        (TraceFlags([]), false, 0x100), (.sampled, false, 0x101), (.sampled, true, 0x301), ([.sampled, .random], true, 0x303),
    ] as [(TraceFlags, Bool, UInt32)])
    func `writes the flags of W3C and whether the parent is remote`(flags: TraceFlags, isRemote: Bool, expected: UInt32) throws {
        let span = try span { draft in
            draft.record.flags = flags.rawValue
            draft.record.parentIsRemote = isRemote
        }
        #expect(span.flags == expected)
    }

    @Test func `writes a status for errors only`() throws {
        let failed = try span { draft in
            draft.record.isError = true
            draft.setStatusMessage("boom")
        }
        #expect(failed.status == OTLPSpan.Status(code: 2, message: "boom") && failed.isError)
        let silent = try span { $0.record.isError = true }
        #expect(silent.status == OTLPSpan.Status(code: 2, message: ""))
        let fine = try span { $0.setStatusMessage("boom") }
        #expect(fine.status == nil && !fine.isError)
    }

    @Test func `keeps the last value of an attribute, in the place of the first`() throws {
        let span = try span { draft in
            draft.set(.requestModel, "a" as StaticString)
            draft.set(.hops, 1)
            draft.set(.requestModel, "b" as StaticString)
            draft.set(.hops, 2.5)
        }
        #expect(span.attributes.filter { ["gen_ai.request.model", "hopspan.run.hops"].contains($0.key) } == [
            KeyValue("gen_ai.request.model", .string("b")), KeyValue("hopspan.run.hops", .double(2.5)),
        ])
    }

    @Test func `lets nothing contradict the record`() throws {
        let span = try span { draft in
            draft.record.tokens.input = 10
            draft.set(.usageInputTokens, 99)
            draft.set(.usageOutputTokens, 99)
            draft.set(.hopKind, "other" as StaticString)
            draft.set(.timing, "inferred" as StaticString)
        }
        #expect(span.value(of: .usageInputTokens) == .int(10))
        #expect(span.value(of: .usageOutputTokens) == .int(99))
        #expect(span.value(of: .hopKind) == .string("http"))
        // How its time is known is not in the record.
        #expect(span.value(of: .timing) == .string("inferred"))
        #expect(Set(span.attributes.map(\.key)).count == span.attributes.count)
    }

    @Test func `names a run as its caller did`() throws {
        let span = try span { draft in
            draft.record.runIsNamed = true
            draft.set(.runID, "nightly-42" as StaticString)
        }
        #expect(span.value(of: .runID) == .string("nightly-42"))
    }

    @Test func `never writes an empty name, or an end before the start`() throws {
        let span = try span { draft in
            draft.record.hopKind = HopKind.tool.rawValue
            draft.setName("")
            draft.record.startTime = 10
            draft.record.endTime = 9
        }
        #expect(span.name == "tool")
        #expect(span.endTime.nanoseconds == 10)
    }

    @Test func `mends what is no UTF-8 and keeps NUL`() throws {
        let span = try span { draft in
            withBytes([0x61, 0xFF, 0x62]) { draft.setName($0) }
            withBytes([0x61, 0x00, 0x62]) { draft.set(.requestModel, $0) }
            withBytes([0xC3]) { draft.setTraceState($0) }
            draft.beginList(.responseFinishReasons)
            withBytes([0xE2, 0x82]) { draft.appendElement($0) }
            draft.appendElement("ok")
            draft.endList()
        }
        #expect(span.name == "a\u{FFFD}b")
        #expect(span.value(of: .requestModel) == .string("a\0b"))
        #expect(span.traceState == "\u{FFFD}")
        #expect(span.value(of: .responseFinishReasons) == .array([.string("\u{FFFD}"), .string("ok")]))
    }

    @Test func `cuts texts at the length limit, by characters`() throws {
        let span = try span(limits: AttributeLimits(valueLength: 3)) { draft in
            draft.record.costSource = CostSource.catalogue.rawValue
            draft.record.cost = USD("0.0012345")
            draft.set(.costPrice, #"{"input":"1.25"}"# as StaticString)
            draft.set(.requestModel, "abcdef" as StaticString)
            draft.set(.responseModel, String("äöüß"))
            draft.set(.agentName, String("漢"))
            withBytes([0x61, 0xFF, 0x62, 0x63]) { draft.set(.responseID, $0) }
            draft.set(.hops, 123_456)
            draft.beginList(.responseFinishReasons)
            draft.appendElement("length")
            draft.appendElement("no")
            draft.endList()
            draft.setName("a long name")
        }
        #expect(span.value(of: .requestModel) == .string("abc"))
        #expect(span.value(of: .responseModel) == .string("äöü"))
        #expect(span.value(of: .agentName) == .string("漢"))
        #expect(span.value(of: .responseID) == .string("a\u{FFFD}b"))
        #expect(span.value(of: .hops) == .int(123_456))
        #expect(span.value(of: .responseFinishReasons) == .array([.string("len"), .string("no")]))
        // What money and runs are told by is not the caller's text: cut it would say something else.
        #expect(span.value(of: .hopKind) == .string("http"))
        #expect(span.value(of: .runID) == .string(TraceID(high: 0, low: 0).description))
        #expect(span.value(of: .costUSD) == .string("0.0012345"))
        #expect(span.value(of: .costSource) == .string("catalogue"))
        #expect(span.value(of: .costPrice) == .string(#"{"input":"1.25"}"#))
        #expect(span.value(of: .timing) == .string("measured"))
        #expect(span.name == "a long name")
    }

    @Test func `leaves out and counts attributes beyond the count limit`() throws {
        let span = try span(limits: AttributeLimits(count: 5)) { draft in
            draft.set(.requestModel, "a" as StaticString)
            draft.set(.hops, 1)
            draft.set(.errors, 1)
            draft.set(.requestModel, "b" as StaticString)
            draft.set(.errors, 2)
        }
        #expect(span.attributes.count == 5)
        #expect(span.value(of: .runID) != nil)
        #expect(span.value(of: .requestModel) == .string("b"))
        #expect(span.value(of: .hops) == .int(1))
        // Not twice for one that is set twice; the timing goes too.
        #expect(span.droppedAttributesCount == 2)
    }

    @Test func `holds every attribute at once, and large ones`() throws {
        let large = String(repeating: "ü", count: 300_000)
        let span = try span { draft in
            for attribute in Attribute.allCases { draft.set(attribute, large) }
        }
        #expect(Set(span.attributes.map(\.key)) == Set(Attribute.allCases.map { $0.name.description }))
        #expect(span.value(of: .inputMessages) == .string(large))
    }

    @Test func `is not led astray by long lists`() throws {
        let span = try span { draft in
            draft.beginList(.toolCallIDs)
            for index in 0..<5000 { draft.appendElement("\(index)") }
            draft.endList()
        }
        #expect(span.value(of: .toolCallIDs) == .array((0..<5000).map { .string("\($0)") }))
    }

    /// Heads and attributes are kept encoded from one span to the next: nothing of one may show in another.
    @Test(arguments: [AttributeLimits(), AttributeLimits(count: 9, valueLength: 5)])
    func `writes what a new one writes, whatever it has kept`(limits: AttributeLimits) throws {
        var random = Randomness(state: 7)
        var encoder = SpanEncoder(limits: limits)
        var draft = SpanDraft()
        for _ in 0..<3000 {
            draft.reset()
            random.setHead(of: &draft)
            if random.below(2) == 0 { draft.record.tokens.input = [0, 1, 127, 128, 16_383, 16_384, .max][random.below(7)] }
            if random.below(3) == 0 {
                draft.record.costSource = CostSource.catalogue.rawValue
                draft.record.cost = USD(units: Int128(random.below(4)) * 10_000_000_000_000_000)
            }
            var expected: [(key: String, value: AnyValue)] = []
            for _ in 0..<random.below(12) {
                let attribute = Attribute.allCases[random.below(6)]
                let value = random.set(attribute, in: &draft)
                let key = attribute.name.description
                if let index = expected.firstIndex(where: { $0.key == key }) { expected[index].value = value } else { expected.append((key, value)) }
            }
            let bytes = draft.withEntries { entries in
                encoder.encode(draft.record, entries)
                return array(encoder.bytes)
            }
            var fresh = SpanEncoder(limits: limits)
            draft.withEntries { fresh.encode(draft.record, $0) }
            #expect(bytes == array(fresh.bytes))
            #expect(ordered(bytes) == repacked(bytes))
            if limits == AttributeLimits() {
                let own = try withBytes(bytes) { try OTLPSpan(decoding: $0) }.attributes.filter { $0.key.hasPrefix("gen_ai.") && !$0.key.hasPrefix("gen_ai.usage.") }
                #expect(own == expected.map { KeyValue($0.key, $0.value) })
            }
        }
    }
}

/// The fields of a span by their numbers.
private func ordered(_ span: [UInt8]) -> [UInt8] {
    var fields: [(number: Int, bytes: ArraySlice<UInt8>)] = []
    var offset = 0
    func varint() -> Int {
        var value = 0
        for shift in stride(from: 0, to: 63, by: 7) {
            value |= Int(span[offset] & 0x7F) << shift
            offset += 1
            if span[offset - 1] < 0x80 { break }
        }
        return value
    }
    while offset < span.count {
        let start = offset
        let tag = varint()
        switch tag & 7 {
        case 0: _ = varint()
        case 1: offset += 8
        case 2: offset += varint()
        default: offset += 4
        }
        fields.append((tag >> 3, span[start..<offset]))
    }
    // The sort is stable: attributes stay in their order.
    return fields.sorted { $0.number < $1.number }.flatMap(\.bytes)
}

/// The span as libprotobuf-c reads and writes it as a whole; empty where it cannot read it.
private func repacked(_ span: [UInt8]) -> [UInt8] {
    // Sound: libprotobuf-c copies what it reads, writes as much as it says, and frees what it made.
    unsafe span.withUnsafeBufferPointer { buffer -> [UInt8] in
        guard let message = unsafe opentelemetry__proto__trace__v1__span__unpack(nil, buffer.count, buffer.baseAddress) else { return [] }
        defer { unsafe opentelemetry__proto__trace__v1__span__free_unpacked(message, nil) }
        let size = unsafe opentelemetry__proto__trace__v1__span__get_packed_size(message)
        return unsafe [UInt8](unsafeUninitializedCapacity: size) { packed, count in
            count = unsafe opentelemetry__proto__trace__v1__span__pack(message, packed.baseAddress)
        }
    }
}

/// A generator whose numbers are the same in every run.
private struct Randomness {
    var state: UInt64

    mutating func below(_ limit: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 33) % limit
    }

    /// Gives the span one of few heads, most of the usual kind: with ids, times and a name, without the rest.
    mutating func setHead(of draft: inout SpanDraft) {
        draft.record.traceID = TraceID(high: UInt64(below(1000)), low: UInt64(below(1000)))
        draft.record.spanID = SpanID(UInt64(below(1000)))
        if below(3) > 0 { draft.record.parent = UInt64(below(3)) }
        draft.record.startTime = UInt64(below(8)) * 1_000_000_007
        draft.record.endTime = UInt64(below(8)) * 1_000_000_007
        draft.record.kind = [3, 3, 3, 1, 0, 200][below(6)]
        draft.record.flags = below(4) == 0 ? 0 : 1
        draft.record.isError = below(8) == 0
        if below(8) == 0 { withBytes(Array("a=1".utf8)) { draft.setTraceState($0) } }
        if below(8) == 0 { draft.setStatusMessage("boom") }
        switch below(8) {
        case 0: break
        case 1: draft.setName("")
        case 2: withBytes([0xF0, 0x9F, 0x98]) { draft.setName($0) }
        case 3: draft.setName("\u{FFFD}")
        case 4: draft.setName(String(repeating: "long", count: 100))
        default: draft.setName(["abc", "abd"][below(2)])
        }
    }

    /// Sets an attribute to one of few values, so that they come again: of every kind, of the lengths that are kept and longer.
    mutating func set(_ attribute: Attribute, in draft: inout SpanDraft) -> AnyValue {
        switch below(6) {
        case 5:
            // As long as others, and no UTF-8.
            let count = [1, 7, 8, 64][below(4)]
            withBytes([UInt8](repeating: 0xFF, count: count)) { draft.set(attribute, $0) }
            return .string(String(repeating: "\u{FFFD}", count: count))
        case 0:
            let text = String(repeating: ["a", "b", "€"][below(3)], count: [0, 1, 7, 8, 63, 64, 65, 192, 200][below(9)])
            draft.set(attribute, text)
            return .string(text)
        case 1:
            let value = [0, 1, -1, .max, .min, 0x6162_6162_6162_6162][below(6)] as Int64
            draft.set(attribute, value)
            return .int(value)
        case 2:
            let value = [0.0, 0.5, -1e300, .infinity][below(4)]
            draft.set(attribute, value)
            return .double(value)
        case 3:
            let value = below(2) == 0
            draft.set(attribute, value)
            return .bool(value)
        default:
            let texts = (0..<below(4)).map { _ in String(repeating: "x", count: [0, 1, 60, 100][below(4)]) }
            draft.beginList(attribute)
            for text in texts { draft.appendElement(text) }
            draft.endList()
            return .array(texts.map { .string($0) })
        }
    }
}
