internal import HTTP
internal import JSON

// What is different with the native APIs of Gemini, Bedrock and Cohere: facts in the answer's head, streams that are no event streams.
extension LLMCall {
    /// The fields of the answer's head say something of the call: `readField` is to be given each, after `beginResponse`.
    public var readsFields: Bool { api.isNative }

    /// A field of the answer's head.
    public func readField(_ name: RawSpan, _ value: RawSpan) {
        guard let native else { return }
        if name.equalsIgnoringCase("content-type") {
            if value.starts(ignoringCase: "application/vnd.amazon.eventstream") { form = .amazonEventStream }
        } else if name.equalsIgnoringCase("x-amzn-requestid") {
            if response.id.isEmpty { response.id = response.texts.keep(value) }
        } else if name.starts(ignoringCase: "x-amzn-bedrock-") {
            if name.equalsIgnoringCase("x-amzn-bedrock-input-token-count") {
                native.bedrock.input = Self.count(value)
            } else if name.equalsIgnoringCase("x-amzn-bedrock-output-token-count") {
                native.bedrock.output = Self.count(value)
            } else if name.equalsIgnoringCase("x-amzn-bedrock-cache-read-input-token-count") {
                native.bedrock.cacheRead = Self.count(value)
            } else if name.equalsIgnoringCase("x-amzn-bedrock-cache-write-input-token-count") {
                native.bedrock.cacheWrite = Self.count(value)
            } else if name.equalsIgnoringCase("x-amzn-bedrock-service-tier") {
                native.bedrock.variant = PriceVariant(serviceTier: value)
            }
        } else if name.equalsIgnoringCase("x-gemini-service-tier") {
            native.gemini.variant = PriceVariant(serviceTier: value)
        }
    }

    /// A count in decimal digits; -1 where it is none.
    private static func count(_ text: RawSpan) -> Int64 {
        guard (1...15).contains(text.byteCount) else { return -1 }
        var count: Int64 = 0
        for at in 0..<text.byteCount {
            let digit = text.byte(at) &- UInt8(ascii: "0")
            guard digit <= 9 else { return -1 }
            count = count * 10 + Int64(digit)
        }
        return min(count, .countLimit)
    }

    // MARK: the answer

    /// The next bytes of an Amazon event stream.
    func observeMessages(_ chunk: RawSpan, now: UInt64) {
        guard let native else { return }
        native.messages.read(chunk) { message in
            guard message.kind == .event else { return takeFailure(message.name, message.payload, text: message.text) }
            guard message.payload.byteCount > 0 else { return }
            take(data: message.payload, name: message.name, isWhole: true, now: now)
        }
        if native.messages.isBroken || native.messages.hasPassedOver { responseIsUnreadable = true }
    }

    /// An exception or an error, which is a stream's last message.
    private func takeFailure(_ name: RawSpan, _ payload: RawSpan, text: RawSpan) {
        response.errorType = response.texts.keep(name)
        if text.byteCount > 0 { response.errorMessage = response.texts.keep(text) }
        var json = JSONReader(payload)
        do throws(JSONError) { try response.readError(&json) } catch {}  // that it is one is known
        response.hasError = true
        streamHasSaidAll = true
    }

    /// The next bytes of a stream that is one JSON array.
    func observeElements(_ chunk: RawSpan, now: UInt64) {
        guard let native else { return }
        native.elements.read(chunk) { piece, isLast in
            body.append(piece)
            guard isLast else { return }
            if body.isTooLarge { responseIsUnreadable = true } else { takeBody(now: now) }
            body.reset()
        }
        if native.elements.isMalformed { responseIsUnreadable = true }
        if native.elements.isAtEnd { response.sawEnd = true }
    }

    /// The stream went on in a way that is not its format's: how it ended, nobody can tell.
    var nativeStreamIsGarbled: Bool {
        guard let native else { return false }
        return native.messages.isBroken || native.elements.isMalformed
    }

    // MARK: what is in it

    /// A whole answer.
    @inline(never) @_lifetime(json: copy json)
    func readNative(_ json: inout JSONReader) throws(JSONError) {
        guard let native else { return }
        switch api {
        case .generateContent, .embedContent: try response.readGenerateContent(&json, &native.gemini)
        case .converse: try response.readConverse(&json, &native.bedrock)
        case .invokeModel: try response.readInvokedModel(&json, &native.bedrock)
        case .cohereChat, .cohereEmbed: try response.readCohere(&json, &native.cohere)
        case .chatCompletions, .responses, .embeddings, .messages: break
        }
    }

    /// An event of a stream.
    @inline(never) @_lifetime(json: copy json)
    func readNativeEvent(_ json: inout JSONReader, name: RawSpan) throws(JSONError) {
        guard let native else { return }
        switch api {
        case .generateContent, .embedContent: try response.readGenerateContent(&json, &native.gemini)
        case .converse: try response.readConverseEvent(&json, name: name, &native.bedrock)
        case .invokeModel:
            try WrappedEvent.unwrap(json.bytes, into: &native.unwrapped)
            let unwrapped = native.unwrapped
            // Sound: bytes have no padding.
            var event = JSONReader(unsafe unwrapped.span.bytes)
            try response.readInvokedEvent(&event, &native.bedrock)
            try event.finish()
        case .cohereChat, .cohereEmbed: try response.readCohereEvent(&json, name: name, &native.cohere)
        case .chatCompletions, .responses, .embeddings, .messages: break
        }
    }

    /// What the call consumed.
    var nativeUsage: Usage {
        guard let native else { return Usage() }
        switch api {
        case .generateContent, .embedContent: return response.settle(native.gemini)
        case .converse: return native.bedrock.usage
        case .invokeModel:
            // Claude's own count knows the lifetimes of what it cached; Bedrock's is there whatever the model.
            var usage = response.anthropicUsage.usage
            guard usage.reported.isSuperset(of: [.input, .output]) else { return native.bedrock.usage }
            if usage.variant == .standard { usage.variant = native.bedrock.variant }
            return usage
        case .cohereChat, .cohereEmbed: return native.cohere.usage
        case .chatCompletions, .responses, .embeddings, .messages: return Usage()
        }
    }
}
