internal import JSON

/// Gemini generateContent and embedContent: the request. (Gemini API reference, v1beta; Vertex AI, v1; as of 2026-11.) Names are those
/// of proto JSON, which takes both spellings.
extension RequestFacts {
    @_lifetime(json: copy json)
    mutating func readGenerateContent(_ json: inout JSONReader) throws(JSONError) {
        guard try json.enterObject() else { throw .unexpectedByte }
        while let key = try json.nextMember() {
            if key.is("contents") {
                try readContents(&json)
            } else if key.is("generationConfig") || key.is("generation_config") {
                try readGenerationConfig(&json)
            }
        }
    }

    @_lifetime(json: copy json)
    mutating func readEmbedContent(_ json: inout JSONReader) throws(JSONError) {
        guard try json.enterObject() else { throw .unexpectedByte }
        while let key = try json.nextMember() {
            if key.is("outputDimensionality") || key.is("output_dimensionality") {
                dimensions = try json.int64()
            } else if key.is("embedContentConfig") || key.is("embed_content_config") {
                if try json.peek() == .object { try readEmbedContent(&json) }
            } else if key.is("requests") {
                guard try json.enterArray() else { continue }
                while try json.nextElement() {
                    if try json.peek() == .object { try readEmbedContent(&json) }
                }
            }
        }
    }

    /// Results are parts of user turns; `id` is there where the model's call had one.
    @_lifetime(json: copy json)
    private mutating func readContents(_ json: inout JSONReader) throws(JSONError) {
        guard try json.enterArray() else { return }
        while try json.nextElement() {
            guard try json.enterObject() else { continue }
            var isModel = false
            var hasResults = false
            while let key = try json.nextMember() {
                if key.is("role") {
                    isModel = try json.string()?.is("model") ?? false
                } else if key.is("parts") {
                    hasResults = try readFunctionResponses(&json)
                }
            }
            if isModel { assistantTurnEnded = true } else if !hasResults { addOtherInput() }
        }
    }

    @_lifetime(json: copy json)
    private mutating func readFunctionResponses(_ json: inout JSONReader) throws(JSONError) -> Bool {
        var found = false
        guard try json.enterArray() else { return found }
        while try json.nextElement() {
            guard try json.enterObject() else { continue }
            while let key = try json.nextMember() {
                guard key.is("functionResponse") || key.is("function_response"), try json.enterObject() else { continue }
                while let key = try json.nextMember() {
                    guard key.is("id"), let id = try json.string(), !id.isEmpty else { continue }
                    addToolResult(id)
                    found = true
                }
            }
        }
        return found
    }

    @_lifetime(json: copy json)
    private mutating func readGenerationConfig(_ json: inout JSONReader) throws(JSONError) {
        guard try json.enterObject() else { return }
        while let key = try json.nextMember() {
            if key.is("temperature") {
                temperature = try json.double()
            } else if key.is("topP") || key.is("top_p") {
                topP = try json.double()
            } else if key.is("topK") || key.is("top_k") {
                topK = (try json.double()).flatMap { Int64(exactly: $0) }  // a float in the older schema
            } else if key.is("candidateCount") || key.is("candidate_count") {
                choiceCount = try json.int64()
            } else if key.is("maxOutputTokens") || key.is("max_output_tokens") {
                maxTokens = try json.int64()
            } else if key.is("stopSequences") || key.is("stop_sequences") {
                try readStopSequences(&json)
            } else if key.is("seed") {
                seed = try json.int64()
            } else if key.is("presencePenalty") || key.is("presence_penalty") {
                presencePenalty = try json.double()
            } else if key.is("frequencyPenalty") || key.is("frequency_penalty") {
                frequencyPenalty = try json.double()
            } else if key.is("responseMimeType") || key.is("response_mime_type") {
                guard let type = try json.string(), outputType == nil else { continue }
                if type.is("application/json") { outputType = .json }
                if type.is("text/plain") { outputType = .text }
            } else if key.is("responseModalities") || key.is("response_modalities") {
                guard try json.enterArray() else { continue }
                while try json.nextElement() {
                    guard let modality = try json.string() else { continue }
                    if modality.is("AUDIO") { outputType = .speech }
                    if modality.is("IMAGE") { outputType = .image }
                }
            } else if key.is("thinkingConfig") || key.is("thinking_config") {
                guard try json.enterObject() else { continue }
                while let key = try json.nextMember() {
                    guard key.is("thinkingLevel") || key.is("thinking_level"), let level = try json.string() else { continue }
                    reasoningLevel = texts.keep(lowercase: level)
                }
            }
        }
    }
}

/// generateContent: the answer. An event of a stream is one as well, with what is new.
extension ResponseFacts {
    @_lifetime(json: copy json)
    mutating func readGenerateContent(_ json: inout JSONReader, _ usage: inout GeminiUsage) throws(JSONError) {
        guard try json.enterObject() else { throw .unexpectedByte }
        while let key = try json.nextMember() {
            if key.is("candidates") {
                guard try json.enterArray() else { continue }
                var position = 0
                while try json.nextElement() {
                    try readCandidate(&json, position: position, &usage)
                    position += 1
                }
            } else if key.is("usageMetadata") {
                try usage.read(&json)
            } else if key.is("modelVersion") {
                model = try json.text(into: &texts, or: model)
            } else if key.is("responseId") {
                if id.isEmpty { id = try json.text(into: &texts) }
            } else if key.is("promptFeedback") {
                // A prompt that is blocked has no candidates, and HTTP says 200: this is why it ended.
                guard try json.enterObject() else { continue }
                while let key = try json.nextMember() {
                    if key.is("blockReason") { setReason(try json.string(), candidate: 0) }
                }
            } else if key.is("error") {
                try readError(&json)
            }
        }
    }

    @_lifetime(json: copy json)
    private mutating func readCandidate(_ json: inout JSONReader, position: Int, _ usage: inout GeminiUsage) throws(JSONError) {
        guard try json.enterObject() else { return }
        var index = position
        var reason: JSONString?
        while let key = try json.nextMember() {
            if key.is("index") {
                if let number = try json.int64() { index = Int(clamping: number) }
            } else if key.is("finishReason") {
                reason = try json.string()
            } else if key.is("content") {
                guard try json.enterObject() else { continue }
                while let key = try json.nextMember() {
                    guard key.is("parts"), try json.enterArray() else { continue }
                    while try json.nextElement() { try readPart(&json, candidate: position) }
                }
            } else if key.is("groundingMetadata") {
                try readGrounding(&json, &usage)
            }
        }
        setReason(reason, candidate: index)
    }

    /// A call comes whole, in one part; where its arguments are streamed, the parts after the first have no name.
    @_lifetime(json: copy json)
    private mutating func readPart(_ json: inout JSONReader, candidate: Int) throws(JSONError) {
        guard try json.enterObject() else { return }
        while let key = try json.nextMember() {
            if key.is("functionCall") {
                var id: JSONString?
                var name: JSONString?
                guard try json.enterObject() else { continue }
                while let key = try json.nextMember() {
                    if key.is("id") {
                        id = try json.string()
                    } else if key.is("name") {
                        name = try json.string()
                    }
                }
                sawContent = true
                if let id, !id.isEmpty {
                    addToolCall(id: id, name: name)
                } else if let name, !name.isEmpty {
                    addToolCall(choice: candidate, index: toolCalls.count, id: nil, name: name)
                }
            } else if !sawContent, key.is("text") || key.is("inlineData") || key.is("executableCode") || key.is("codeExecutionResult") {
                sawContent = try json.isNonEmptyTextOrList()
            }
        }
    }

    /// What is billed beside tokens. A stream says it once, or again with more; never twice the same.
    @_lifetime(json: copy json)
    private mutating func readGrounding(_ json: inout JSONReader, _ usage: inout GeminiUsage) throws(JSONError) {
        guard try json.enterObject() else { return }
        while let key = try json.nextMember() {
            if key.is("webSearchQueries") {
                guard try json.enterArray() else { continue }
                var queries: Int64 = 0
                while try json.nextElement() { queries += 1 }
                usage.webSearches = max(usage.webSearches, queries)
            } else if key.is("groundingChunks") {
                guard try json.enterArray() else { continue }
                while try json.nextElement() {
                    guard try json.enterObject() else { continue }
                    while let key = try json.nextMember() {
                        if key.is("maps") { usage.mapsQueries = 1 }
                    }
                }
            }
        }
    }

    /// Reasons are recorded in lower case, as the conventions write them.
    private mutating func setReason(_ word: JSONString?, candidate index: Int) {
        guard let word, !word.isEmpty, !word.is("FINISH_REASON_UNSPECIFIED"), !word.is("BLOCK_REASON_UNSPECIFIED") else {
            return setFinishReason(Text(), choice: index)
        }
        let reason = texts.keep(lowercase: word)
        setFinishReason(reason, choice: index)
    }

    /// What a call is billed for: up to Gemini 2 a grounded prompt, whatever number of searches it took; each search from Gemini 3 on.
    /// (ai.google.dev/gemini-api/docs/pricing, as of 2026-11.)
    func settle(_ usage: GeminiUsage) -> Usage {
        var settled = usage.usage
        if texts[model].begins(with: "gemini-1") || texts[model].begins(with: "gemini-2") { settled.webSearches = min(settled.webSearches, 1) }
        return settled
    }
}

extension Texts {
    /// Keeps an ASCII word in lower case.
    fileprivate mutating func keep(lowercase word: JSONString) -> Text {
        var lower: [UInt8] = []
        word.append(to: &lower)
        for at in lower.indices where lower[at] >= UInt8(ascii: "A") && lower[at] <= UInt8(ascii: "Z") { lower[at] |= 0x20 }
        // Sound: bytes have no padding.
        return keep(unsafe lower.span.bytes)
    }
}
