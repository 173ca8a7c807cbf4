public import Tracing

/// Makes the OTLP `Span` message of a finished span: the bytes that are stored, exported and read again, encoded this once.
///
/// Owned by the store's thread. All of the span but its attributes is one message of libprotobuf-c's (`SpanHead`); the attributes stand
/// behind it as they were encoded one by one, most of them for a span before (`AttributeTable`): protobuf messages concatenate, and
/// their fields may come in any order. Nothing is allocated once buffers and arena have grown to the usual size.
///
///     encoder.encode(record, entries)
///     insert(encoder.bytes)             // until the next span
@safe public struct SpanEncoder: ~Copyable {
    private var head = SpanHead()
    private var attributes: AttributeTable
    private var arena = Arena()
    /// The cost last written, and its text.
    private var cost = USD.zero
    private var costText: [UInt8] = [UInt8(ascii: "0")]

    public init(limits: AttributeLimits = AttributeLimits()) {
        attributes = AttributeTable(limits: limits)
    }

    /// The message last encoded; valid until the next.
    public var bytes: RawSpan {
        @_lifetime(borrow self) get { attributes.message.bytes }
    }

    /// Encodes a span and hands its bytes to `take`, once.
    public mutating func encode(_ record: SpanRecord, _ entries: RawSpan, _ take: (RawSpan) -> Void) {
        encode(record, entries)
        take(bytes)
    }

    /// Encodes a span as a loop recorded it: `SpanChunk.forEach` gives both.
    public mutating func encode(_ record: SpanRecord, _ entries: RawSpan) {
        arena.reset()
        attributes.reset()
        head.reset()
        setAttributes(of: record)
        attributes.seal()
        // Sound: the head's texts point into `entries`, which stays where it is until the head is packed below.
        let hasLinks = unsafe setEntries(entries)
        if !attributes.isSet(.timing) { attributes.set(.timing, "measured", &arena) }
        if hasLinks { appendLinks(entries) }
        unsafe attributes.message.putInFront(head.pack(record, dropped: attributes.dropped, &arena))
    }

    /// What the record itself says. It goes first and nothing replaces it, so that the span cannot disagree with the ledger.
    private mutating func setAttributes(of record: SpanRecord) {
        if !record.runIsNamed {
            let hex = TraceID(high: record.runHigh, low: record.runLow).hex
            attributes.set(Attribute.runID.rawValue, .string, unsafe hex.span.bytes, &arena)  // sound: a UInt8 has no padding
        }
        if let kind = HopKind(rawValue: record.hopKind) { attributes.set(.hopKind, kind.name, &arena) }
        if let linkedBy = LinkedBy(rawValue: record.linkedBy) { attributes.set(.linkedBy, linkedBy.name, &arena) }
        let tokens = record.tokens
        if tokens.input >= 0 { attributes.set(.usageInputTokens, tokens.input, &arena) }
        if tokens.output >= 0 { attributes.set(.usageOutputTokens, tokens.output, &arena) }
        if tokens.cacheRead >= 0 { attributes.set(.usageCacheReadInputTokens, tokens.cacheRead, &arena) }
        if tokens.cacheWrite >= 0 { attributes.set(.usageCacheWriteInputTokens, tokens.cacheWrite, &arena) }
        if tokens.reasoning >= 0 { attributes.set(.usageReasoningOutputTokens, tokens.reasoning, &arena) }
        if let cost = record.cost, let source = CostSource(rawValue: record.costSource)?.name {
            // Calls of one model with one prompt cost the same.
            if cost != self.cost {
                costText.removeAll(keepingCapacity: true)
                cost.write(into: &costText)
                self.cost = cost
            }
            let text = costText
            attributes.set(Attribute.costUSD.rawValue, .string, unsafe text.span.bytes, &arena)  // sound: as above
            attributes.set(.costSource, source, &arena)
            let rounded = cost.double
            attributes.set(.usageCost, rounded, &arena)
            attributes.set(.llmCostTotal, rounded, &arena)
        }
        if record.timeToFirstContent >= 0 { attributes.set(.ttft, Double(record.timeToFirstContent) / 1e9, &arena) }
    }

    /// What the loop wrote.
    /// - Parameter entries: must stay where they are until the head is packed.
    /// - Returns: whether there are links among it.
    @unsafe private mutating func setEntries(_ entries: RawSpan) -> Bool {
        var hasLinks = false
        SpanEntry.forEach(in: entries) { tag, type, value in
            if let tag = SpanEntry.Tag(rawValue: tag) {
                if tag == .link { hasLinks = true } else { unsafe head.set(tag, value) }
            } else {
                attributes.set(tag, type, value, &arena)
            }
        }
        return hasLinks
    }

    /// Puts the links behind the attributes. They are few, and seldom there.
    @inline(never) private mutating func appendLinks(_ entries: RawSpan) {
        SpanEntry.forEach(in: entries) { tag, _, value in
            if tag == SpanEntry.Tag.link.rawValue { attributes.message.append(link: value, &arena) }
        }
    }
}
