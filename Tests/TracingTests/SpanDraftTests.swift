import Testing
import Tracing

/// The entries of a draft, readable.
private func entries(_ draft: borrowing SpanDraft) -> [String] {
    var result: [String] = []
    draft.withEntries { bytes in
        SpanEntry.forEach(in: bytes) { tag, type, value in
            let name = Attribute(rawValue: tag).map { $0.name.description } ?? SpanEntry.Tag(rawValue: tag).map { "\($0)" } ?? "?"
            var shown = ""
            switch type {
            case .string: shown = text(value)
            case .bool: shown = "\(SpanEntry.bool(value))"
            case .int: shown = "\(SpanEntry.int(value))"
            case .double: shown = "\(SpanEntry.double(value))"
            case .strings:
                var elements: [String] = []
                SpanEntry.forEachElement(of: value) { elements.append(text($0)) }
                shown = "\(elements)"
            }
            result.append("\(name)=\(shown)")
        }
    }
    return result
}

@Suite struct `A span draft` {
    @Test func `gives back what was set, in the order it was set`() {
        var draft = SpanDraft()
        draft.setName("chat gpt-4o")
        draft.set(.operationName, "chat" as StaticString)
        draft.set(.requestModel, String("gpt-4o"))
        draft.set(.usageInputTokens, 12)
        draft.set(.requestSeed, Int64.min)
        draft.set(.requestTemperature, 0.25)
        draft.set(.requestStream, true)
        withBytes("é\u{0}x") { draft.set(.responseID, $0) }
        draft.setStatusMessage("boom")
        withBytes("foo=1") { draft.setTraceState($0) }
        #expect(entries(draft) == [
            "name=chat gpt-4o", "gen_ai.operation.name=chat", "gen_ai.request.model=gpt-4o", "gen_ai.usage.input_tokens=12",
            "gen_ai.request.seed=\(Int64.min)", "gen_ai.request.temperature=0.25", "gen_ai.request.stream=true",
            "gen_ai.response.id=é\u{0}x", "statusMessage=boom", "traceState=foo=1",
        ])
    }

    @Test func `holds links to other spans, with their state`() {
        var draft = SpanDraft()
        let context = TraceContext(traceID: TraceID(high: 0x4142_4344_4546_4748, low: 0x4142_4344_4546_4748), spanID: SpanID(0x3132_3334_3536_3738), flags: .sampled)
        withBytes("foo=1") { draft.link(context, traceState: $0) }
        withBytes("") { draft.link(context, traceState: $0) }
        #expect(entries(draft) == ["link=ABCDEFGHABCDEFGH12345678\u{1}foo=1", "link=ABCDEFGHABCDEFGH12345678\u{1}"])
    }

    @Test func `holds lists of texts`() {
        var draft = SpanDraft()
        draft.beginList(.responseFinishReasons)
        draft.appendElement("stop")
        withBytes("") { draft.appendElement($0) }
        withBytes("length") { draft.appendElement($0) }
        draft.endList()
        draft.beginList(.toolCallIDs)
        draft.endList()
        draft.set(.hops, 1)
        #expect(entries(draft) == [
            "gen_ai.response.finish_reasons=[\"stop\", \"\", \"length\"]", "hopspan.tool_call.ids=[]", "hopspan.run.hops=1",
        ])
    }

    @Test func `names a span by one word or two`() {
        var draft = SpanDraft()
        withBytes("gpt-4o") { draft.setName("chat", $0) }
        withBytes("") { draft.setName("chat", $0) }
        #expect(entries(draft) == ["name=chat gpt-4o", "name=chat"])
    }

    @Test func `grows as it must and is empty after a reset`() {
        var draft = SpanDraft(capacity: 8)
        let long = String(repeating: "x", count: 200_000)
        draft.set(.inputMessages, long)
        draft.beginList(.requestStopSequences)
        for index in 0..<1000 { draft.appendElement("stop \(index)") }
        draft.endList()
        draft.record.isError = true
        #expect(entries(draft).count == 2)
        #expect(entries(draft)[0] == "gen_ai.input.messages=" + long)
        draft.reset()
        #expect(entries(draft).isEmpty)
        #expect(!draft.record.isError)
        draft.set(.hops, 1)
        #expect(entries(draft) == ["hopspan.run.hops=1"])
    }

    @Test func `has room for every attribute beside its own tags`() {
        #expect(Attribute.allCases.count <= 128)
        #expect(Set(Attribute.allCases.map { $0.name.description }).count == Attribute.allCases.count)
    }
}

@Suite struct `A span record` {
    @Test func `keeps a cost exactly, and the want of one`() {
        var record = SpanRecord()
        #expect(record.cost == nil)
        record.cost = USD("-12.00000000000000000001")
        record.costSource = CostSource.catalogue.rawValue
        #expect(record.cost == USD("-12.00000000000000000001"))
        record.cost = USD("1000000000000000000")
        #expect(record.cost == USD("1000000000000000000"))
        record.cost = nil
        #expect(record.cost == nil && record.costSource == CostSource.none.rawValue)
    }

    @Test func `tells unmetered from unpriced`() {
        var record = SpanRecord()
        #expect(!record.isUnmetered && !record.isUnpriced)
        record.hopKind = HopKind.llm.rawValue
        #expect(record.isUnmetered && !record.isUnpriced)
        record.wasTurnedAway = true
        #expect(!record.isUnmetered && !record.isUnpriced)
        record.wasTurnedAway = false
        record.tokens.input = 0
        #expect(!record.isUnmetered && record.isUnpriced)
        record.costSource = CostSource.catalogue.rawValue
        #expect(!record.isUnpriced)
    }

    @Test func `keeps ids`() {
        var record = SpanRecord()
        record.traceID = TraceID(high: 1, low: 2)
        record.spanID = SpanID(3)
        record.run = RunKey(TraceID(high: 4, low: 5))
        #expect(record.traceID == TraceID(high: 1, low: 2) && record.spanID == SpanID(3) && record.run == RunKey(high: 4, low: 5))
    }
}
