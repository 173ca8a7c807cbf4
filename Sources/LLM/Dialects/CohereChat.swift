internal import JSON

/// Cohere chat and embed, version 2: the requests. (Cohere API reference, v2, as of 2026-11.)
extension RequestFacts {
    @_lifetime(json: copy json)
    mutating func readCohereChat(_ json: inout JSONReader) throws(JSONError) {
        // What it shares with Chat Completions are the messages, tool results by `tool_call_id` among them, and most names.
        var chat = json
        var injection = UsageInjection()
        try readChatCompletions(&chat, &injection)
        guard try json.enterObject() else { throw .unexpectedByte }
        while let key = try json.nextMember() {
            if key.is("p") {
                topP = try json.double()
            } else if key.is("k") {
                topK = try json.int64()
            } else if key.is("stop_sequences") {
                try readStopSequences(&json)
            }
        }
    }

    @_lifetime(json: copy json)
    mutating func readCohereEmbed(_ json: inout JSONReader) throws(JSONError) {
        guard try json.enterObject() else { throw .unexpectedByte }
        while let key = try json.nextMember() {
            if key.is("model") {
                model = try json.text(into: &texts)
            } else if key.is("output_dimension") {
                dimensions = try json.int64()
            }
        }
    }
}

/// Cohere chat and embed: the answers, whole or as events.
extension ResponseFacts {
    @_lifetime(json: copy json)
    mutating func readCohere(_ json: inout JSONReader, _ usage: inout CohereUsage) throws(JSONError) {
        guard try json.enterObject() else { throw .unexpectedByte }
        while let key = try json.nextMember() {
            if key.is("id") {
                if id.isEmpty { id = try json.text(into: &texts) }
            } else if key.is("meta") {
                try usage.read(&json)
            } else {
                try readCohereMember(key, &json, &usage)
            }
        }
    }

    /// One event of a stream.
    /// - Parameter name: of the event; what stands in `type`, where that is missing.
    @_lifetime(json: copy json)
    mutating func readCohereEvent(_ json: inout JSONReader, name: RawSpan, _ usage: inout CohereUsage) throws(JSONError) {
        guard try json.enterObject() else { throw .unexpectedByte }
        var type = name
        while let key = try json.nextMember() {
            if key.is("type") {
                if let string = try json.string() { type = string.raw }
            } else if key.is("id") {
                if id.isEmpty { id = try json.text(into: &texts) }
            } else if key.is("delta") {
                guard try json.enterObject() else { continue }
                while let key = try json.nextMember() { try readCohereMember(key, &json, &usage) }
            }
        }
        if type.equals("message-end") { sawEnd = true }
    }

    /// A member of an answer, or of an event's `delta`.
    @_lifetime(json: copy json)
    private mutating func readCohereMember(_ key: borrowing JSONString, _ json: inout JSONReader, _ usage: inout CohereUsage) throws(JSONError) {
        if key.is("finish_reason") {
            setFinishReason(try json.string(), choice: 0)
        } else if key.is("usage") {
            try usage.read(&json)
        } else if key.is("error") {
            try readError(&json)
        } else if key.is("message") {
            guard try json.enterObject() else { return }
            while let key = try json.nextMember() {
                if key.is("tool_calls") {
                    try readCohereCalls(&json)
                } else if !sawContent, key.is("tool_plan") {
                    sawContent = try json.isNonEmptyTextOrList()
                } else if !sawContent, key.is("content") {
                    guard try json.peek() == .object else {
                        sawContent = try json.isNonEmptyTextOrList()
                        continue
                    }
                    _ = try json.enterObject()
                    while let key = try json.nextMember() {
                        if key.is("text") || key.is("thinking"), try json.isNonEmptyTextOrList() { sawContent = true }
                    }
                }
            }
        }
    }

    /// A list of calls; in an event one call, whose later pieces have no id.
    @_lifetime(json: copy json)
    private mutating func readCohereCalls(_ json: inout JSONReader) throws(JSONError) {
        if try json.peek() == .object { return try readCohereCall(&json) }
        guard try json.enterArray() else { return }
        while try json.nextElement() { try readCohereCall(&json) }
    }

    @_lifetime(json: copy json)
    private mutating func readCohereCall(_ json: inout JSONReader) throws(JSONError) {
        guard try json.enterObject() else { return }
        var id: JSONString?
        var name: JSONString?
        while let key = try json.nextMember() {
            if key.is("id") {
                id = try json.string()
            } else if key.is("function") {
                guard try json.enterObject() else { continue }
                while let key = try json.nextMember() {
                    if key.is("name") { name = try json.string() }
                }
            }
        }
        guard let id else { return }
        addToolCall(id: id, name: name)
        sawContent = true
    }
}
