public import Tracing

/// What the span carries of a call (OpenTelemetry GenAI conventions as of 2026-08: inference and embeddings spans).
extension LLMCall {
    /// Sets name, attributes, token counts and time to the first content; for an error inside a good answer, also the span's
    /// error. What else can go wrong (status, connection, caller) is its caller's to say. Call once, when the exchange is over.
    public func describe(into draft: inout SpanDraft) {
        request.describe(api, into: &draft)
        describeConversation(&draft)
        response.describe(api, into: &draft)
        describeTimes(&draft)
        describeUsage(&draft)
        describeErrors(&draft)
        recorder?.describe(into: &draft)
    }

    private func describeConversation(_ draft: inout SpanDraft) {
        // The answer names the conversation too, and knows it where the request made it.
        if response.conversationID.isEmpty {
            draft.set(.conversationID, unlessEmpty: request.conversationID, request.texts)
        } else {
            draft.set(.conversationID, unlessEmpty: response.conversationID, response.texts)
        }
    }

    private func describeTimes(_ draft: inout SpanDraft) {
        if let time = timeToFirstChunk { draft.set(.responseTimeToFirstChunk, Double(time) / 1e9) }
        // An attribute too, as the tokens are, of what the record says.
        if let time = timeToFirstContent { draft.record.timeToFirstContent = Int64(clamping: time) }
    }

    private func describeUsage(_ draft: inout SpanDraft) {
        settleUsage()
        draft.record.tokens = settledUsage.tokens
    }

    private func describeErrors(_ draft: inout SpanDraft) {
        if requestIsUnreadable || responseIsUnreadable || codingIsUnreadable {
            draft.beginList(.unreadable)
            if requestIsUnreadable { draft.appendElement("request") }
            if responseIsUnreadable { draft.appendElement("response") }
            if codingIsUnreadable { draft.appendElement("content-encoding") }
            draft.endList()
        }
        if hasErrorInside {
            draft.record.isError = true
            response.withErrorKind { draft.set(.errorType, $0) }
        }
        if (hasErrorInside || status >= 400), !response.errorMessage.isEmpty {
            // Some providers quote the key they refuse.
            let texts = response.texts
            let message = unsafe texts[response.errorMessage].withUnsafeBytes { unsafe Array($0) }
            draft.setStatusMessage(unsafe Redaction.apply(to: message).span.bytes)
        }
    }
}

extension RequestFacts {
    /// Sets what the request says.
    fileprivate func describe(_ api: API, into draft: inout SpanDraft) {
        let operation = api == .invokeModel && invokesEmbedding ? API.embeddings.operationName : api.operationName
        draft.setName(operation, texts[model])
        draft.set(.operationName, operation)
        draft.set(.requestModel, unlessEmpty: model, texts)
        if stream { draft.set(.requestStream, true) }
        switch api {
        case .chatCompletions: draft.set(.openaiAPIType, "chat_completions")
        case .responses: draft.set(.openaiAPIType, "responses")
        case .embeddings, .messages, .generateContent, .embedContent, .converse, .invokeModel, .cohereChat, .cohereEmbed: break
        }
        if let value = maxTokens { draft.set(.requestMaxTokens, value) }
        if let value = temperature { draft.set(.requestTemperature, value) }
        if let value = topP { draft.set(.requestTopP, value) }
        if let value = topK { draft.set(.requestTopK, value) }
        if let value = frequencyPenalty { draft.set(.requestFrequencyPenalty, value) }
        if let value = presencePenalty { draft.set(.requestPresencePenalty, value) }
        if let value = seed { draft.set(.requestSeed, value) }
        if let value = choiceCount, value != 1 { draft.set(.requestChoiceCount, value) }
        if let value = dimensions { draft.set(.embeddingsDimensionCount, value) }
        if let type = outputType { draft.set(.outputType, type.name) }
        draft.set(.requestReasoningLevel, unlessEmpty: reasoningLevel, texts)
        draft.set(.requestPreviousResponseID, unlessEmpty: previousResponseID, texts)
        if api.isOpenAI, !texts[serviceTier].equals("auto") {
            draft.set(.openaiRequestServiceTier, unlessEmpty: serviceTier, texts)
        }
        if !encodingFormat.isEmpty {
            draft.beginList(.requestEncodingFormats)
            draft.appendElement(texts[encodingFormat])
            draft.endList()
        }
        draft.set(.requestStopSequences, stopSequences, texts)
        draft.set(.toolResultIDs, toolResultIDs, texts)
    }
}

extension ResponseFacts {
    /// Sets what the answer says.
    fileprivate func describe(_ api: API, into draft: inout SpanDraft) {
        draft.set(.responseID, unlessEmpty: id, texts)
        draft.set(.responseModel, unlessEmpty: model, texts)
        if api.isOpenAI { draft.set(.openaiResponseServiceTier, unlessEmpty: serviceTier, texts) }
        draft.set(.openaiResponseSystemFingerprint, unlessEmpty: systemFingerprint, texts)
        if choices.contains(where: { !$0.finishReason.isEmpty }) {
            draft.beginList(.responseFinishReasons)
            for choice in choices where !choice.finishReason.isEmpty { draft.appendElement(texts[choice.finishReason]) }
            draft.endList()
        }
        if !toolCalls.isEmpty {
            draft.beginList(.toolCallIDs)
            for call in toolCalls { draft.appendElement(texts[call.id]) }
            draft.endList()
            draft.beginList(.toolCallNames)
            for call in toolCalls { draft.appendElement(texts[call.name]) }
            draft.endList()
        }
    }
}

extension SpanDraft {
    fileprivate mutating func set(_ attribute: Attribute, unlessEmpty text: Text, _ texts: Texts) {
        if !text.isEmpty { set(attribute, texts[text]) }
    }

    fileprivate mutating func set(_ attribute: Attribute, _ list: [Text], _ texts: Texts) {
        guard !list.isEmpty else { return }
        beginList(attribute)
        for text in list { appendElement(texts[text]) }
        endList()
    }
}
