internal import JSON

/// OpenAI Responses: the request. (OpenAI API reference, responses/create, as of 2026-11.)
extension RequestFacts {
    @_lifetime(json: copy json)
    mutating func readResponses(_ json: inout JSONReader) throws(JSONError) {
        guard try json.enterObject() else { throw .unexpectedByte }
        while let key = try json.nextMember() {
            if key.is("input") {
                try readInputItems(&json)
            } else if try readCommonMember(key, &json) {
                continue
            } else if key.is("max_output_tokens") {
                maxTokens = try json.int64()
            } else if key.is("previous_response_id") {
                previousResponseID = try json.text(into: &texts)
            } else if key.is("conversation") {
                conversationID = if let id = try json.string() { texts.keep(id) } else { try readText("id", &json) }
            } else if key.is("reasoning") {
                reasoningLevel = try readText("effort", &json)
            } else if key.is("text") {
                guard try json.enterObject() else { continue }
                while let key = try json.nextMember() {
                    if key.is("format") { try readOutputFormat(&json) }
                }
            }
        }
    }

    /// Input is a string or items: messages, tool results, and echoes of what the model said.
    @_lifetime(json: copy json)
    private mutating func readInputItems(_ json: inout JSONReader) throws(JSONError) {
        guard try json.enterArray() else { return }
        while try json.nextElement() {
            guard try json.enterObject() else { continue }
            var type: JSONString?
            var isAssistant = false
            var call: JSONString?
            while let key = try json.nextMember() {
                if key.is("type") {
                    type = try json.string()
                } else if key.is("role") {
                    isAssistant = try json.string()?.is("assistant") ?? false
                } else if key.is("call_id") {
                    call = try json.string()
                }
            }
            let isMessage = type == nil || type!.is("message")
            if isMessage {
                if isAssistant { assistantTurnEnded = true } else { addOtherInput() }
            } else if let type, type.raw.ends(with: "_output") {
                if let call { addToolResult(call) } else { addOtherInput() }
            } else if let type, type.raw.ends(with: "_response") {  // of an approval
                addOtherInput()
            } else {
                assistantTurnEnded = true
            }
        }
    }
}

/// Responses: the answer, whole or as events.
extension ResponseFacts {
    /// The response object: a body, or the `response` of an event.
    @_lifetime(json: copy json)
    mutating func readResponse(_ json: inout JSONReader) throws(JSONError) {
        guard try json.enterObject() else { throw .unexpectedByte }
        while let key = try json.nextMember() {
            if try readCommonMember(key, &json) {
                continue
            } else if key.is("status") {
                status = try json.text(into: &texts, or: status)
            } else if key.is("incomplete_details") {
                guard try json.enterObject() else { continue }
                while let key = try json.nextMember() {
                    if key.is("reason") { incompleteReason = try json.text(into: &texts) }
                }
            } else if key.is("output") {
                guard try json.enterArray() else { continue }
                (webSearchCalls, fileSearchCalls) = (0, 0)
                while try json.nextElement() { count(try readOutputItem(&json)) }
            } else if key.is("usage") {
                try openaiUsage.read(&json)
            } else if key.is("tool_usage") {
                try openaiUsage.readToolUsage(&json)
            } else if key.is("conversation") {
                guard try json.enterObject() else { continue }
                while let key = try json.nextMember() {
                    if key.is("id") { conversationID = try json.text(into: &texts, or: conversationID) }
                }
            }
        }
    }

    /// A search of the provider's own that one output item stands for.
    private enum Search { case none, web, file }

    private mutating func count(_ search: Search) {
        switch search {
        case .none: break
        case .web: webSearchCalls += 1
        case .file: fileSearchCalls += 1
        }
    }

    /// Whatever has a `call_id` and is no result waits for the client: `function_call`, `custom_tool_call`, `shell_call`, … A
    /// built-in tool has its type for a name.
    @_lifetime(json: copy json)
    private mutating func readOutputItem(_ json: inout JSONReader) throws(JSONError) -> Search {
        guard try json.enterObject() else { return .none }
        var type: JSONString?
        var call: JSONString?
        var name: JSONString?
        var isSearch = true
        while let key = try json.nextMember() {
            if key.is("type") {
                type = try json.string()
            } else if key.is("call_id") {
                call = try json.string()
            } else if key.is("name") {
                name = try json.string()
            } else if key.is("action") {  // of a web search call: opening a page it found is no search
                guard try json.enterObject() else { continue }
                while let key = try json.nextMember() {
                    if key.is("type") { isSearch = try json.string()?.is("search") ?? true }
                }
            }
        }
        guard let type else { return .none }
        if name == nil { name = type }
        if let call, !call.isEmpty, !type.raw.ends(with: "_output") { addToolCall(id: call, name: name) }
        return type.is("web_search_call") && isSearch ? .web : type.is("file_search_call") ? .file : .none
    }

    /// One event of a stream.
    /// - Parameter name: of the event; what stands in `type`, where that is missing.
    @_lifetime(json: copy json)
    mutating func readResponsesEvent(_ json: inout JSONReader, name: RawSpan) throws(JSONError) {
        guard try json.enterObject() else { throw .unexpectedByte }
        var type = name
        var hasDelta = false
        var search = Search.none
        var code = Text()
        var message: JSONString?
        while let key = try json.nextMember() {
            if key.is("type") {
                if let string = try json.string() { type = string.raw }
            } else if key.is("response") {
                if try json.peek() == .object { try readResponse(&json) }
            } else if key.is("item") {
                search = try readOutputItem(&json)
            } else if key.is("delta") {
                if let string = try json.string() { hasDelta = !string.isEmpty }
            } else if key.is("error") {
                try readError(&json)
            } else if key.is("code") {
                code = try json.text(into: &texts)
            } else if key.is("message") {
                message = try json.string()
            }
        }
        if type.equals("response.output_item.done") { count(search) }
        if hasDelta && type.ends(with: ".delta") {
            sawContent = true
        } else if endResponse(event: type) {
            return
        } else if type.equals("error") {
            setError(code: code, message: message)
        }
    }

    /// An event of which there is no more than the beginning.
    mutating func readBeginning(ofResponsesEvent beginning: RawSpan) {
        var json = JSONReader(beginning)
        do throws(JSONError) {
            guard try json.enterObject() else { return }
            while let key = try json.nextMember() {
                if key.is("type"), let type = try json.string() { endResponse(event: type.raw) }
            }
        } catch { return }
    }

    /// - Returns: whether the event of that name is a stream's last. It has been read, as far as it could be.
    @discardableResult
    mutating func endResponse(event name: RawSpan) -> Bool {
        guard name.equals("response.completed") || name.equals("response.incomplete") || name.equals("response.failed") else { return false }
        sawEnd = true
        // What the response said of itself when it began is over.
        if status.isEmpty || texts[status].equals("in_progress") || texts[status].equals("queued") {
            status = texts.keep(name.extracting(from: "response.".utf8.count))
        }
        finishResponse()
        return true
    }

    /// The response is final: what its `status` says becomes the finish reason.
    mutating func finishResponse() {
        if !status.isEmpty { setFinishReason(incompleteReason.isEmpty ? status : incompleteReason, choice: 0) }
        if texts[status].equals("failed") { hasError = true }
    }
}
