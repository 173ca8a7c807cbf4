internal import JSON

/// Bedrock Converse and ConverseStream: the request. (Amazon Bedrock API reference, 2023-09-30, as of 2026-11.)
extension RequestFacts {
    @_lifetime(json: copy json)
    mutating func readConverse(_ json: inout JSONReader) throws(JSONError) {
        guard try json.enterObject() else { throw .unexpectedByte }
        while let key = try json.nextMember() {
            if key.is("messages") {
                try readConverseMessages(&json)
            } else if key.is("inferenceConfig") {
                try readInferenceConfig(&json)
            } else if key.is("outputConfig") {
                guard try json.enterObject() else { continue }
                while let key = try json.nextMember() {
                    if key.is("effort") {
                        reasoningLevel = try json.text(into: &texts)
                    } else if key.is("textFormat") {
                        try readOutputFormat(&json)
                    }
                }
            } else if key.is("additionalModelRequestFields") {
                guard try json.enterObject() else { continue }
                while let key = try json.nextMember() {
                    if key.is("top_k") { topK = try json.int64() }
                }
            }
        }
    }

    @_lifetime(json: copy json)
    mutating func readInferenceConfig(_ json: inout JSONReader) throws(JSONError) {
        guard try json.enterObject() else { return }
        while let key = try json.nextMember() {
            if key.is("maxTokens") {
                maxTokens = try json.int64()
            } else if key.is("temperature") {
                temperature = try json.double()
            } else if key.is("topP") {
                topP = try json.double()
            } else if key.is("topK") {
                topK = try json.int64()
            } else if key.is("stopSequences") {
                try readStopSequences(&json)
            }
        }
    }

    /// Results are blocks of user turns.
    @_lifetime(json: copy json)
    private mutating func readConverseMessages(_ json: inout JSONReader) throws(JSONError) {
        guard try json.enterArray() else { return }
        while try json.nextElement() {
            guard try json.enterObject() else { continue }
            var isAssistant = false
            var hasResults = false
            while let key = try json.nextMember() {
                if key.is("role") {
                    isAssistant = try json.string()?.is("assistant") ?? false
                } else if key.is("content") {
                    guard try json.enterArray() else { continue }
                    while try json.nextElement() {
                        guard try json.enterObject() else { continue }
                        while let key = try json.nextMember() {
                            guard key.is("toolResult"), try json.enterObject() else { continue }
                            while let key = try json.nextMember() {
                                guard key.is("toolUseId"), let id = try json.string() else { continue }
                                addToolResult(id)
                                hasResults = true
                            }
                        }
                    }
                }
            }
            if isAssistant { assistantTurnEnded = true } else if !hasResults { addOtherInput() }
        }
    }
}

/// Converse: the answer, whole or as events. Neither has an id or, save where a router chose it, a model.
extension ResponseFacts {
    @_lifetime(json: copy json)
    mutating func readConverse(_ json: inout JSONReader, _ usage: inout BedrockUsage) throws(JSONError) {
        guard try json.enterObject() else { throw .unexpectedByte }
        while let key = try json.nextMember() { try readConverseMember(key, &json, &usage) }
    }

    /// The payload of one event. What a member means does not depend on the event's type, so they are read as they come.
    @_lifetime(json: copy json)
    mutating func readConverseEvent(_ json: inout JSONReader, name: RawSpan, _ usage: inout BedrockUsage) throws(JSONError) {
        guard try json.enterObject() else { throw .unexpectedByte }
        while let key = try json.nextMember() {
            if key.is("start") {
                try readConverseBlock(&json)
            } else if key.is("delta") {
                guard !sawContent, try json.enterObject() else { continue }
                while let key = try json.nextMember() {
                    if key.is("text") || key.is("reasoningContent") || key.is("toolUse") || key.is("image"), try json.isNonEmptyTextOrList() {
                        sawContent = true
                    }
                }
            } else {
                try readConverseMember(key, &json, &usage)
            }
        }
        // It comes last, after `messageStop`.
        if name.equals("metadata") { sawEnd = true }
    }

    @_lifetime(json: copy json)
    private mutating func readConverseMember(_ key: borrowing JSONString, _ json: inout JSONReader, _ usage: inout BedrockUsage) throws(JSONError) {
        if key.is("output") {
            guard try json.enterObject() else { return }
            while let key = try json.nextMember() {
                guard key.is("message"), try json.enterObject() else { continue }
                while let key = try json.nextMember() {
                    guard key.is("content"), try json.enterArray() else { continue }
                    while try json.nextElement() { try readConverseBlock(&json) }
                }
            }
        } else if key.is("stopReason") {
            setFinishReason(try json.string(), choice: 0)
        } else if key.is("usage") {
            try usage.read(&json)
        } else if key.is("serviceTier") {
            guard try json.enterObject() else { return }
            while let key = try json.nextMember() {
                if key.is("type"), let tier = try json.string() { usage.variant = PriceVariant(serviceTier: tier) }
            }
        } else if key.is("trace") {
            guard try json.enterObject() else { return }
            while let key = try json.nextMember() {
                guard key.is("promptRouter"), try json.enterObject() else { continue }
                while let key = try json.nextMember() {
                    if key.is("invokedModelId") { model = try json.text(into: &texts, or: model) }
                }
            }
        }
    }

    /// A content block, or the start of one.
    @_lifetime(json: copy json)
    private mutating func readConverseBlock(_ json: inout JSONReader) throws(JSONError) {
        guard try json.enterObject() else { return }
        while let key = try json.nextMember() {
            guard key.is("toolUse"), try json.enterObject() else { continue }
            var id: JSONString?
            var name: JSONString?
            while let key = try json.nextMember() {
                if key.is("toolUseId") {
                    id = try json.string()
                } else if key.is("name") {
                    name = try json.string()
                }
            }
            guard let id else { continue }
            addToolCall(id: id, name: name)
            sawContent = true
        }
    }
}
