internal import JSON

/// Puts a streamed reply together again: texts and tool calls grow piece by piece, told apart by choice and number.
struct ContentAssembly {
    private struct Part {
        enum Kind: UInt8 { case text, reasoning, toolCall, serverToolCall, whole }

        var kind: Kind
        /// The choice it belongs to.
        var choice: Int
        /// What its pieces call it: a tool call's place, a block's `index`, an item's `output_index`. -1 has none.
        var key: Int
        var id: [UInt8] = []
        var name: [UInt8] = []
        var text: [UInt8] = []
        /// Of a block that came whole.
        var content: ContentPart?
    }

    private static let mostParts = 1_000

    private var parts: [Part] = []
    /// The reply as a whole, where the last event brought it.
    private var whole: [ContentPart] = []
    private var reader: ContentReader

    /// Bytes taken of the stream.
    var byteCount: Int { reader.budget.taken }

    init(limit: Int) { reader = ContentReader(budget: ContentBudget(limit: limit)) }

    /// The reply's parts, a list for each choice that said something.
    var choices: [(choice: Int, parts: [ContentPart])] {
        guard whole.isEmpty else { return [(0, whole)] }
        var choices: [(choice: Int, parts: [ContentPart])] = []
        let sorted = parts.sorted { $0.choice < $1.choice }
        for (index, part) in sorted.enumerated() {
            // Whatever the choice was saying when there was no more room.
            var part = part
            if reader.budget.isSpent, index + 1 == sorted.count || sorted[index + 1].choice != part.choice {
                part.text = ContentBudget.withoutTornEnd(part.text)
            }
            if choices.last?.choice != part.choice { choices.append((part.choice, [])) }
            let content: ContentPart? =
                switch part.kind {
                case .text: part.text.isEmpty ? nil : .text(part.text)
                case .reasoning: part.text.isEmpty ? nil : .reasoning(part.text)
                case .toolCall: .toolCall(id: part.id, name: part.name, arguments: part.text)
                case .serverToolCall: .serverToolCall(id: part.id, name: part.name, json: Self.serverToolUse(part))
                case .whole: part.content
                }
            if let content { choices[choices.count - 1].parts.append(content) }
        }
        return choices
    }

    /// A server tool's call as a block that is not streamed has it.
    private static func serverToolUse(_ part: Part) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("type")
        writer.string("server_tool_use")
        writer.key("name")
        // Sound: bytes have no padding.
        unsafe writer.string(utf8: part.name.span.bytes)
        writer.key("input")
        var input = JSONReader(unsafe part.text.span.bytes)
        let isJSON = (try? input.finish()) != nil
        if isJSON { unsafe writer.raw(part.text.span.bytes) } else { unsafe writer.string(utf8: part.text.span.bytes) }
        writer.endObject()
        return writer.bytes
    }

    /// Adds a piece to the part with that key, or to the last part of the choice where it has none and is of the kind.
    private mutating func append(_ piece: JSONString?, _ kind: Part.Kind, choice: Int, key: Int = -1) {
        guard let piece, !piece.isEmpty else { return }
        let place = place(kind, choice: choice, key: key)
        parts[place].text += reader.budget.takePiece(piece)
    }

    private mutating func place(_ kind: Part.Kind, choice: Int, key: Int) -> Int {
        let last = parts.lastIndex { $0.choice == choice && (key < 0 || $0.key == key) }
        if let last, parts[last].kind == kind { return last }
        // Parts cost room and time even where nothing is in them.
        guard parts.count < Self.mostParts else { return parts.count - 1 }
        parts.append(Part(kind: kind, choice: choice, key: key))
        return parts.count - 1
    }

    private mutating func name(_ place: Int, id: JSONString?, name: JSONString?) {
        if parts[place].id.isEmpty { parts[place].id = reader.budget.take(id) }
        if parts[place].name.isEmpty { parts[place].name = reader.budget.take(name) }
    }

    // MARK: events

    /// Takes one event's data.
    /// - Parameter calls: for Chat Completions, the places of the tool calls that this event had pieces of, in order.
    mutating func take(_ data: RawSpan, api: API, calls: [Int]) {
        guard !reader.budget.isSpent else { return }
        var json = JSONReader(data)
        do throws(JSONError) {
            let event = try JSONMembers(&json)
            switch api {
            case .chatCompletions: try takeChunk(event, calls: calls)
            case .messages: takeMessagesEvent(event)
            case .responses: takeResponsesEvent(event)
            case .embeddings, .generateContent, .embedContent, .converse, .invokeModel, .cohereChat, .cohereEmbed: break
            }
        } catch {}  // the facts are read apart, and remember it
    }

    private mutating func takeChunk(_ event: JSONMembers, calls: [Int]) throws(JSONError) {
        guard let choices = event["choices"] else { return }
        var json = JSONReader(choices)
        var calls = calls[...]
        var position = 0
        guard try json.enterArray() else { return }
        while try json.nextElement() {
            let item = try JSONMembers(&json)
            let choice = item.int("index") ?? position
            position += 1
            let delta = JSONMembers(of: item["delta", or: "message"])
            append(delta.string("reasoning_content", or: "reasoning"), .reasoning, choice: choice)
            append(delta.string("content"), .text, choice: choice)
            append(delta.string("refusal"), .text, choice: choice)
            append(JSONMembers(of: delta["audio"]).string("transcript"), .text, choice: choice)
            if delta["content"].isArray { takeParts(delta["content"], choice: choice) }
            guard let list = delta["tool_calls"] else { continue }
            var pieces = JSONReader(list)
            guard try pieces.enterArray() else { continue }
            while try pieces.nextElement() {
                let piece = try JSONMembers(&pieces)
                guard let key = calls.popFirst() else { return }
                let function = JSONMembers(of: piece["function", or: "custom"])
                let place = place(.toolCall, choice: choice, key: key)
                name(place, id: piece.string("id"), name: function.string("name"))
                if let text = function.string("arguments", or: "input") {
                    parts[place].text += reader.budget.takePiece(text)
                } else if let object = function["arguments"] {
                    parts[place].text += reader.budget.takeWhole(object)
                }
            }
        }
    }

    /// Content in parts, as Mistral streams it.
    private mutating func takeParts(_ value: RawSpan?, choice: Int) {
        for part in reader.readParts(value) {
            switch part {
            case .text(let text): parts[place(.text, choice: choice, key: -1)].text += text
            case .reasoning(let text): parts[place(.reasoning, choice: choice, key: -1)].text += text
            default: break
            }
        }
    }

    private mutating func takeMessagesEvent(_ event: JSONMembers) {
        let key = event.int("index") ?? 0
        if let block = event["content_block"] {
            startBlock(block, key: key)
        } else if let type = event.string("type"), type.is("content_block_stop"), let last = parts.lastIndex(where: { $0.key == key }) {
            // No fragments are an empty object.
            let isCall = parts[last].kind == .toolCall || parts[last].kind == .serverToolCall
            if isCall && parts[last].text.isEmpty { parts[last].text = Array("{}".utf8) }
        }
        let delta = JSONMembers(of: event["delta"])
        append(delta.string("text"), .text, choice: 0, key: key)
        append(delta.string("thinking"), .reasoning, choice: 0, key: key)
        if let kind = parts.last(where: { $0.key == key })?.kind { append(delta.string("partial_json"), kind, choice: 0, key: key) }
    }

    private mutating func startBlock(_ block: RawSpan, key: Int) {
        let members = JSONMembers(of: block)
        guard let type = members.string("type") else { return }
        if type.is("text") {
            append(members.string("text"), .text, choice: 0, key: key)
        } else if type.is("thinking") {
            append(members.string("thinking"), .reasoning, choice: 0, key: key)
        } else if type.is("tool_use") {
            name(place(.toolCall, choice: 0, key: key), id: members.string("id"), name: members.string("name"))
        } else if type.is("server_tool_use") || type.is("mcp_tool_use") {
            name(place(.serverToolCall, choice: 0, key: key), id: members.string("id"), name: members.string("name"))
        } else if let content = reader.readPart(block) {
            let place = place(.whole, choice: 0, key: key)
            parts[place].content = content
        }
    }

    private mutating func takeResponsesEvent(_ event: JSONMembers) {
        guard let type = event.string("type") else { return }
        let key = event.int("output_index") ?? 0
        if type.is("response.output_text.delta") || type.is("response.refusal.delta") {
            append(event.string("delta"), .text, choice: 0, key: key)
        } else if type.is("response.reasoning_summary_text.delta") || type.is("response.reasoning_text.delta") {
            append(event.string("delta"), .reasoning, choice: 0, key: key)
        } else if type.is("response.function_call_arguments.delta") || type.is("response.custom_tool_call_input.delta") {
            append(event.string("delta"), .toolCall, choice: 0, key: key)
        } else if type.is("response.output_item.added") {
            let item = JSONMembers(of: event["item"])
            guard let type = item.string("type"), type.is("function_call") || type.is("custom_tool_call") else { return }
            name(place(.toolCall, choice: 0, key: key), id: item.string("call_id"), name: item.string("name"))
        } else if let response = event["response"], let output = JSONMembers(of: response)["output"] {
            // The terminal events repeat the whole answer, items without deltas included; its budget is its own.
            var whole = ContentReader(budget: ContentBudget(limit: reader.budget.limit))
            self.whole = whole.readOutput(output)
        }
    }
}

extension RawSpan? {
    fileprivate var isArray: Bool {
        guard let self else { return false }
        return self.byteCount > 0 && self.byte(0) == UInt8(ascii: "[")
    }
}
