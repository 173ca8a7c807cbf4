internal import JSON

/// Anthropic Messages: the request. (Anthropic API reference, messages, version 2023-06-01, as of 2026-11.)
extension RequestFacts {
    @_lifetime(json: copy json)
    mutating func readMessages(_ json: inout JSONReader) throws(JSONError) {
        guard try json.enterObject() else { throw .unexpectedByte }
        while let key = try json.nextMember() {
            if key.is("messages") {
                try readTurns(&json)
            } else if try readCommonMember(key, &json) {
                continue
            } else if key.is("max_tokens") {
                maxTokens = try json.int64()
            } else if key.is("top_k") {
                topK = try json.int64()
            } else if key.is("stop_sequences") {
                try readStopSequences(&json)
            } else if key.is("output_config") {
                guard try json.enterObject() else { continue }
                while let key = try json.nextMember() {
                    if key.is("effort") {
                        reasoningLevel = try json.text(into: &texts)
                    } else if key.is("format") {
                        try readOutputFormat(&json)
                    }
                }
            }
        }
    }

    /// Results stand in the blocks of user turns, which may come before the turn's role.
    @_lifetime(json: copy json)
    private mutating func readTurns(_ json: inout JSONReader) throws(JSONError) {
        guard try json.enterArray() else { return }
        while try json.nextElement() {
            guard try json.enterObject() else { continue }
            var isAssistant = false
            var hasResults = false
            while let key = try json.nextMember() {
                if key.is("role") {
                    isAssistant = try json.string()?.is("assistant") ?? false
                } else if key.is("content") {
                    hasResults = try readToolResults(&json)
                }
            }
            if isAssistant { assistantTurnEnded = true } else if !hasResults { addOtherInput() }
        }
    }

    /// Adds the `tool_result` blocks of one turn. Only user turns have them: an assistant's own are of other types.
    @_lifetime(json: copy json)
    private mutating func readToolResults(_ json: inout JSONReader) throws(JSONError) -> Bool {
        var found = false
        guard try json.enterArray() else { return found }
        while try json.nextElement() {
            guard try json.enterObject() else { continue }
            var isResult = false
            var id: JSONString?
            while let key = try json.nextMember() {
                if key.is("type") {
                    isResult = try json.string()?.is("tool_result") ?? false
                } else if key.is("tool_use_id") {
                    id = try json.string()
                }
            }
            if isResult, let id {
                addToolResult(id)
                found = true
            }
        }
        return found
    }
}

/// Messages: the answer, whole or as events.
extension ResponseFacts {
    /// The message object: a body, or the `message` of `message_start`. An error in its place has an `error`.
    @_lifetime(json: copy json)
    mutating func readMessage(_ json: inout JSONReader) throws(JSONError) {
        guard try json.enterObject() else { throw .unexpectedByte }
        while let key = try json.nextMember() {
            if key.is("content") {
                guard try json.enterArray() else { continue }
                while try json.nextElement() { try readContentBlock(&json) }
            } else if try readCommonMember(key, &json) {
                continue
            } else if key.is("stop_reason") {
                setFinishReason(try json.string(), choice: 0)
            } else if key.is("usage") {
                try anthropicUsage.read(&json)
            }
        }
    }

    /// A `tool_use` waits for the client; the server's own tools have types of their own.
    @_lifetime(json: copy json)
    private mutating func readContentBlock(_ json: inout JSONReader) throws(JSONError) {
        guard try json.enterObject() else { return }
        var isToolUse = false
        var id: JSONString?
        var name: JSONString?
        while let key = try json.nextMember() {
            if key.is("type") {
                isToolUse = try json.string()?.is("tool_use") ?? false
            } else if key.is("id") {
                id = try json.string()
            } else if key.is("name") {
                name = try json.string()
            }
        }
        guard isToolUse, let id else { return }
        addToolCall(id: id, name: name)
        sawContent = true
    }

    /// One event of a stream. What a member means does not depend on the event's type, so they are read as they come.
    /// - Parameter name: of the event; what stands in `type`, where that is missing.
    @_lifetime(json: copy json)
    mutating func readMessagesEvent(_ json: inout JSONReader, name: RawSpan) throws(JSONError) {
        guard try json.enterObject() else { throw .unexpectedByte }
        var type = name
        while let key = try json.nextMember() {
            if key.is("type") {
                if let string = try json.string() { type = string.raw }
            } else if key.is("delta") {
                try readMessagesDelta(&json)
            } else if key.is("usage") {
                try anthropicUsage.read(&json)
            } else if key.is("content_block") {
                try readContentBlock(&json)
            } else if key.is("message") {
                if try json.peek() == .object { try readMessage(&json) }
            } else if key.is("error") {
                try readError(&json)
            }
        }
        if type.equals("message_stop") { sawEnd = true }
    }

    /// The `delta` of `content_block_delta` and of `message_delta`.
    @_lifetime(json: copy json)
    private mutating func readMessagesDelta(_ json: inout JSONReader) throws(JSONError) {
        guard try json.enterObject() else { return }
        while let key = try json.nextMember() {
            if key.is("stop_reason") {
                setFinishReason(try json.string(), choice: 0)
            } else if !sawContent, key.is("text") || key.is("partial_json") || key.is("thinking") {
                sawContent = try json.isNonEmptyTextOrList()
            }
        }
    }
}
