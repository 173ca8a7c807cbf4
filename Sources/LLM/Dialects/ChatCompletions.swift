internal import JSON

/// OpenAI Chat Completions: the request. (OpenAI API reference, chat/create, as of 2026-11.)
extension RequestFacts {
    @_lifetime(json: copy json)
    mutating func readChatCompletions(_ json: inout JSONReader, _ injection: inout UsageInjection) throws(JSONError) {
        guard try json.enterObject() else { throw .unexpectedByte }
        injection.start = json.offset
        while let key = try json.nextMember() {
            if key.is("messages") {
                try readChatMessages(&json)
            } else if try readCommonMember(key, &json) {
                continue
            } else if key.is("stream_options") {
                try injection.readStreamOptions(&json)
            } else if key.is("max_completion_tokens") {
                maxTokens = try json.int64() ?? maxTokens
            } else if key.is("max_tokens"), maxTokens == nil {  // the older name yields to the newer
                maxTokens = try json.int64()
            } else if key.is("n") {
                choiceCount = try json.int64()
            } else if key.is("stop") {
                try readStopSequences(&json)
            } else if key.is("seed") {
                seed = try json.int64()
            } else if key.is("frequency_penalty") {
                frequencyPenalty = try json.double()
            } else if key.is("presence_penalty") {
                presencePenalty = try json.double()
            } else if key.is("top_k") {  // of compatible servers
                topK = try json.int64()
            } else if key.is("reasoning_effort") {
                reasoningLevel = try json.text(into: &texts)
            } else if key.is("reasoning") {  // OpenRouter's spelling
                reasoningLevel = try readText("effort", &json)
            } else if key.is("response_format") {
                if outputType != .speech { try readOutputFormat(&json) }
            } else if key.is("modalities") {
                try readModalities(&json)
            }
        }
    }

    @_lifetime(json: copy json)
    private mutating func readModalities(_ json: inout JSONReader) throws(JSONError) {
        guard try json.enterArray() else { return }
        while try json.nextElement() {
            guard let modality = try json.string() else { continue }
            if modality.is("audio") { outputType = .speech }
            if modality.is("image") { outputType = .image }
        }
    }

    @_lifetime(json: copy json)
    private mutating func readChatMessages(_ json: inout JSONReader) throws(JSONError) {
        guard try json.enterArray() else { return }
        while try json.nextElement() {
            guard try json.enterObject() else { continue }
            var isAssistant = false
            var result: JSONString?
            while let key = try json.nextMember() {
                if key.is("role") {
                    isAssistant = try json.string()?.is("assistant") ?? false
                } else if key.is("tool_call_id") {
                    result = try json.string()
                }
            }
            if isAssistant {
                assistantTurnEnded = true
            } else if let result {
                addToolResult(result)
            } else {
                addOtherInput()
            }
        }
    }
}

/// Chat Completions: the answer, whole or in chunks. Both have the same members, but for `message` and `delta`.
extension ResponseFacts {
    /// - Returns: whether this is the chunk that exists for its usage alone: empty `choices`, and a `usage`.
    @_lifetime(json: copy json)
    mutating func readChatCompletion(_ json: inout JSONReader) throws(JSONError) -> Bool {
        guard try json.enterObject() else { throw .unexpectedByte }
        var hasEmptyChoices = false
        var hasUsage = false
        while let key = try json.nextMember() {
            if key.is("choices") {
                hasEmptyChoices = try readChatChoices(&json)
            } else if try readCommonMember(key, &json) {
                continue
            } else if key.is("usage") {
                hasUsage = try json.peek() == .object
                try openaiUsage.read(&json)
            } else if key.is("system_fingerprint") {
                if systemFingerprint.isEmpty { systemFingerprint = try json.text(into: &texts) }
            } else if key.is("x_groq") {
                guard try json.enterObject() else { continue }
                while let key = try json.nextMember() {
                    if key.is("usage") {
                        try openaiUsage.read(&json)
                    } else if key.is("error") {
                        try readError(&json)
                    }
                }
            } else if key.is("object") {
                if try json.string()?.is("error") ?? false { hasError = true }  // a flat error, as Mistral and vLLM send
            } else if key.is("message") || key.is("type") || key.is("code") {
                try readErrorMember(key, &json)  // of the flat error
            }
        }
        return hasEmptyChoices && hasUsage
    }

    /// - Returns: whether there is a list, and nothing in it.
    @_lifetime(json: copy json)
    private mutating func readChatChoices(_ json: inout JSONReader) throws(JSONError) -> Bool {
        guard try json.enterArray() else { return false }
        var position = 0
        while try json.nextElement() {
            try readChatChoice(&json, position: position)
            position += 1
        }
        return position == 0
    }

    @_lifetime(json: copy json)
    private mutating func readChatChoice(_ json: inout JSONReader, position: Int) throws(JSONError) {
        guard try json.enterObject() else { return }
        // `index` stands before `delta` and `message` wherever it was seen; a server that puts it last has one choice.
        var index = position
        var reason: JSONString?
        while let key = try json.nextMember() {
            if key.is("index") {
                index = Int(clamping: try json.int64() ?? Int64(position))
            } else if key.is("delta") {
                try readChatMessage(&json, choice: index, isWhole: false)
            } else if key.is("message") {
                try readChatMessage(&json, choice: index, isWhole: true)
            } else if key.is("finish_reason") {
                reason = try json.string()
            }
        }
        setFinishReason(reason, choice: index)
    }

    @_lifetime(json: copy json)
    private mutating func readChatMessage(_ json: inout JSONReader, choice: Int, isWhole: Bool) throws(JSONError) {
        guard try json.enterObject() else { return }
        while let key = try json.nextMember() {
            if key.is("tool_calls") {
                guard try json.enterArray() else { continue }
                var position = 0
                while try json.nextElement() {
                    try readChatToolCall(&json, choice: choice, index: isWhole ? position : nil)
                    position += 1
                }
            } else if sawContent {
                if key.is("function_call") { try readChatFunctionCall(&json, choice: choice) }
            } else if key.is("content") || key.is("reasoning_content") || key.is("reasoning") || key.is("refusal") {
                sawContent = try json.isNonEmptyTextOrList()
            } else if key.is("reasoning_details") {
                sawContent = try json.isNonEmptyTextOrList()
            } else if key.is("audio") {
                guard try json.enterObject() else { continue }
                while let key = try json.nextMember() {
                    if key.is("data") || key.is("transcript"), try json.isNonEmptyTextOrList() { sawContent = true }
                }
            } else if key.is("function_call") {
                try readChatFunctionCall(&json, choice: choice)
            }
        }
    }

    /// One element of `tool_calls`. In a stream the pieces of a call share its `index`; id and name come with the first.
    @_lifetime(json: copy json)
    private mutating func readChatToolCall(_ json: inout JSONReader, choice: Int, index: Int?) throws(JSONError) {
        guard try json.enterObject() else { return }
        var index = index
        var id: JSONString?
        var name: JSONString?
        while let key = try json.nextMember() {
            if key.is("index") {
                if let number = try json.int64() { index = Int(clamping: number) }
            } else if key.is("id") {
                id = try json.string()
            } else if key.is("function") || key.is("custom") {
                name = try readChatFunction(&json)
            }
        }
        addToolCall(choice: choice, index: index, id: id, name: name)
    }

    /// The deprecated `function_call`: one call, without an id.
    @_lifetime(json: copy json)
    private mutating func readChatFunctionCall(_ json: inout JSONReader, choice: Int) throws(JSONError) {
        if let name = try readChatFunction(&json), !name.isEmpty { addToolCall(choice: choice, index: 0, id: nil, name: name) }
    }

    /// - Returns: the name, where it is given.
    @_lifetime(copy json) @_lifetime(json: copy json)
    private mutating func readChatFunction(_ json: inout JSONReader) throws(JSONError) -> JSONString? {
        var name: JSONString?
        guard try json.enterObject() else { return name }
        while let key = try json.nextMember() {
            if key.is("name") {
                name = try json.string()
                if let name, !name.isEmpty { sawContent = true }
            } else if key.is("arguments") || key.is("input"), try json.isNonEmptyTextOrList() {
                sawContent = true
            }
        }
        return name
    }
}
