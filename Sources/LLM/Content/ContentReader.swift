internal import JSON

/// Reads messages and their parts from bodies, in the shapes of Chat Completions, Responses and Messages. They share no names that
/// mean different things, so one reader serves requests and answers of all three.
struct ContentReader {
    var budget: ContentBudget

    // MARK: messages

    /// The messages of a request: a list of them, or of Responses items.
    @_lifetime(json: copy json)
    mutating func readMessages(_ json: inout JSONReader) throws(JSONError) -> [ContentMessage] {
        if let text = try json.string() { return [ContentMessage(role: Array("user".utf8), parts: [.text(budget.take(text))])] }
        var messages: [ContentMessage] = []
        guard try json.enterArray() else { return messages }
        while try json.nextElement() {
            if let message = try readMessage(&json) { messages.append(message) }
            if budget.isSpent {
                try json.leave()
                break
            }
        }
        return messages
    }

    /// One message, or one item of Responses.
    @_lifetime(json: copy json)
    mutating func readMessage(_ json: inout JSONReader) throws(JSONError) -> ContentMessage? {
        guard try json.peek() == .object else { return nil }
        let item = try JSONMembers(&json)
        let type = item.string("type")
        if let type, !type.is("message") {
            let isOutput = type.raw.ends(with: "_output")
            return ContentMessage(role: Array((isOutput ? "tool" : "assistant").utf8), parts: readItem(item, type: type))
        }
        var message = ContentMessage(role: budget.take(item.string("role")))
        if message.role.isEmpty { message.role = Array("assistant".utf8) }
        message.name = budget.take(item.string("name"))
        for name in ["reasoning_content", "reasoning"] as [StaticString] {
            if let text = item.string(name), !text.isEmpty {
                message.parts.append(.reasoning(budget.take(text)))
                break
            }
        }
        message.parts += readParts(item["content"])
        if let refusal = item.string("refusal") { message.parts.append(.text(budget.take(refusal))) }
        if let transcript = JSONMembers(of: item["audio"]).string("transcript") { message.parts.append(.text(budget.take(transcript))) }
        message.parts += readToolCalls(item["tool_calls"])
        if let call = item["function_call"] { message.parts += readFunction(call, id: []) }
        if let id = item.string("tool_call_id") {
            message.parts = [.toolResponse(id: budget.take(id), response: Self.joined(message.parts), isJSON: false)]
        }
        return message
    }

    /// What the parts of a tool's message say.
    private static func joined(_ parts: [ContentPart]) -> [UInt8] {
        var text: [UInt8] = []
        for case .text(let part) in parts { text += part }
        return text
    }

    /// `tool_calls` of a Chat Completions message.
    private mutating func readToolCalls(_ value: RawSpan?) -> [ContentPart] {
        guard let value else { return [] }
        var parts: [ContentPart] = []
        var json = JSONReader(value)
        do throws(JSONError) {
            guard try json.enterArray() else { return parts }
            while !budget.isSpent, try json.nextElement() {
                let call = try JSONMembers(&json)
                let id = budget.take(call.string("id"))
                if let function = call["function"] {
                    parts += readFunction(function, id: id)
                } else if let custom = call["custom"] {
                    parts += readFunction(custom, id: id)
                }
            }
        } catch {}  // the facts are read apart, and remember it
        return parts
    }

    private mutating func readFunction(_ value: RawSpan, id: [UInt8]) -> [ContentPart] {
        let function = JSONMembers(of: value)
        guard let name = function.string("name") else { return [] }
        return [.toolCall(id: id, name: budget.take(name), arguments: takeTextOrJSON(function["arguments", or: "input"]))]
    }

    /// The text of a string, the JSON of anything else.
    private mutating func takeTextOrJSON(_ value: RawSpan?) -> [UInt8] {
        guard let value else { return [] }
        var json = JSONReader(value)
        if let text = try? json.string() { return budget.take(text) }
        return budget.takeWhole(value)
    }

    // MARK: parts

    /// Content: a string, or a list of parts.
    mutating func readParts(_ value: RawSpan?) -> [ContentPart] {
        guard let value else { return [] }
        var parts: [ContentPart] = []
        var json = JSONReader(value)
        do throws(JSONError) {
            if let text = try json.string() {
                if !text.isEmpty { parts.append(.text(budget.take(text))) }
            } else if try json.enterArray() {
                while !budget.isSpent, try json.nextElement() {
                    let range = try json.rawValue()
                    budget.takeElement()
                    if let part = readPart(value.extracting(range)) { parts.append(part) }
                }
            }
        } catch {}  // as above
        return parts
    }

    /// One part, or content block.
    mutating func readPart(_ value: RawSpan) -> ContentPart? {
        let part = JSONMembers(of: value)
        guard let type = part.string("type") else { return nil }
        if type.is("text") || type.is("input_text") || type.is("output_text") || type.is("summary_text") || type.is("refusal") {
            return .text(budget.take(part.string("text", or: "refusal")))
        } else if type.is("thinking") || type.is("reasoning_text") {
            // Mistral has a list of texts here.
            guard let text = part.string("thinking", or: "text") else {
                return .reasoning(Self.joined(readParts(part["thinking"])))
            }
            return .reasoning(budget.take(text))
        } else if type.is("tool_use") {
            let id = budget.take(part.string("id"))
            return .toolCall(id: id, name: budget.take(part.string("name")), arguments: takeTextOrJSON(part["input"]))
        } else if type.is("tool_result") {
            return readResult(part["content"], id: part.string("tool_use_id"))
        } else if type.is("image_url") {
            return readURL(part.string("image_url"), .image) ?? readURL(JSONMembers(of: part["image_url"]).string("url"), .image)
        } else if type.is("input_image") {
            return readURL(part.string("image_url"), .image) ?? readFile(part, .image)
        } else if type.is("image") || type.is("document") {
            return readSource(part["source"], type.is("image") ? .image : .document)
        } else if type.is("input_audio") {
            let audio = JSONMembers(of: part["input_audio"])
            let format = budget.take(audio.string("format"))
            return .blob(.audio, mimeType: Array("audio/".utf8) + format, content: takeData(audio.string("data")))
        } else if type.is("file") {
            return readFile(JSONMembers(of: part["file"]), .document)
        } else if type.is("input_file") {
            return readFile(part, .document) ?? readURL(part.string("file_url"), .document)
        } else if type.is("redacted_thinking") {
            return nil
        }
        let json = budget.takeWhole(value)
        guard !json.isEmpty else { return nil }
        if type.is("server_tool_use") || type.is("mcp_tool_use") {
            return .serverToolCall(id: budget.take(part.string("id")), name: budget.take(part.string("name")), json: json)
        } else if type.raw.ends(with: "_tool_result") {
            return .serverToolResponse(id: budget.take(part.string("tool_use_id")), json: json)
        }
        return .other(json)
    }

    private mutating func readResult(_ value: RawSpan?, id: JSONString?) -> ContentPart {
        let id = budget.take(id)
        guard let value else { return .toolResponse(id: id, response: [], isJSON: false) }
        var json = JSONReader(value)
        if let text = try? json.string() { return .toolResponse(id: id, response: budget.take(text), isJSON: false) }
        let whole = budget.takeWhole(value)
        return .toolResponse(id: id, response: whole, isJSON: !whole.isEmpty)
    }

    /// Base64, all of it or nothing.
    private mutating func takeData(_ data: JSONString?) -> [UInt8] {
        guard let data else { return [] }
        return budget.takeWhole(data.raw)
    }

    /// A URL, or a `data:` URL, whose content is a blob (RFC 2397).
    private mutating func readURL(_ url: JSONString?, _ modality: ContentPart.Modality) -> ContentPart? {
        guard let url else { return nil }
        guard url.raw.begins(with: "data:") else { return .uri(modality, uri: budget.take(url)) }
        let comma = url.raw.firstIndex(of: UInt8(ascii: ",")) ?? url.raw.byteCount
        let head = unsafe url.raw.extracting(first: comma).withUnsafeBytes { unsafe Array($0) }
        let mimeType = head.dropFirst(5).prefix { $0 != UInt8(ascii: ";") }
        guard comma < url.raw.byteCount else { return .blob(modality, mimeType: Array(mimeType), content: []) }
        return .blob(modality, mimeType: Array(mimeType), content: budget.takeWhole(url.raw.extracting(from: comma + 1)))
    }

    private mutating func readFile(_ part: JSONMembers, _ modality: ContentPart.Modality) -> ContentPart? {
        if let id = part.string("file_id") { return .file(modality, id: budget.take(id)) }
        guard let data = part.string("file_data") else { return nil }
        return data.raw.begins(with: "data:") ? readURL(data, modality) : .blob(modality, mimeType: [], content: takeData(data))
    }

    /// `source` of an Anthropic image or document.
    private mutating func readSource(_ value: RawSpan?, _ modality: ContentPart.Modality) -> ContentPart? {
        let source = JSONMembers(of: value)
        if let url = source.string("url") { return .uri(modality, uri: budget.take(url)) }
        if let id = source.string("file_id") { return .file(modality, id: budget.take(id)) }
        guard let data = source.string("data") else { return nil }
        if let type = source.string("type"), type.is("text") { return .text(budget.take(data)) }
        return .blob(modality, mimeType: budget.take(source.string("media_type")), content: takeData(data))
    }

    // MARK: items

    /// An item of Responses that is no message.
    private mutating func readItem(_ item: JSONMembers, type: JSONString) -> [ContentPart] {
        if type.is("function_call") || type.is("custom_tool_call") {
            let id = budget.take(item.string("call_id"))
            return [.toolCall(id: id, name: budget.take(item.string("name")), arguments: takeTextOrJSON(item["arguments", or: "input"]))]
        } else if type.raw.ends(with: "_output") {
            return [readResult(item["output"], id: item.string("call_id"))]
        } else if type.is("reasoning") {
            let texts = readParts(item["summary"]) + readParts(item["content"])
            return texts.compactMap { part in
                switch part {
                case .text(let text), .reasoning(let text): .reasoning(text)
                default: nil
                }
            }
        }
        let json = budget.takeWhole(item.whole)
        guard !json.isEmpty else { return [] }
        guard type.raw.ends(with: "_call") else { return [.other(json)] }
        // `web_search_call`: the tool is `web_search`.
        return [.serverToolCall(id: budget.take(item.string("id")), name: Array(budget.take(type).dropLast(5)), json: json)]
    }

    /// The items of a Responses answer, which are one message.
    mutating func readOutput(_ value: RawSpan) -> [ContentPart] {
        var parts: [ContentPart] = []
        var json = JSONReader(value)
        do throws(JSONError) {
            guard try json.enterArray() else { return parts }
            while !budget.isSpent, try json.nextElement() { parts += try readMessage(&json)?.parts ?? [] }
        } catch {}  // as above
        return parts
    }

    // MARK: tools

    /// `tools` of a request.
    mutating func readTools(_ value: RawSpan) -> [ToolDefinition] {
        var tools: [ToolDefinition] = []
        var json = JSONReader(value)
        do throws(JSONError) {
            guard try json.enterArray() else { return tools }
            while try json.nextElement() {
                let tool = try JSONMembers(&json)
                let type = tool.string("type")
                // Chat Completions put what matters into a member named like the type.
                let inner = JSONMembers(of: tool["function", or: "custom"])
                let isFunction = type == nil || type!.is("function") || (type!.is("custom") && tool["input_schema"] != nil)
                let typeName = isFunction ? Array("function".utf8) : budget.take(type)
                var definition = ToolDefinition(type: typeName, name: budget.take(tool.string("name")) + budget.take(inner.string("name")))
                if definition.name.isEmpty { definition.name = typeName }
                definition.description = budget.take(tool.string("description")) + budget.take(inner.string("description"))
                if let schema = tool["parameters", or: "input_schema"] { definition.parameters = budget.takeWhole(schema) }
                if let schema = inner["parameters"] { definition.parameters = budget.takeWhole(schema) }
                tools.append(definition)
            }
        } catch {}  // as above
        return tools
    }
}
