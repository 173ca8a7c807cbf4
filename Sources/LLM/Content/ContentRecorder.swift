internal import JSON
internal import Tracing

/// Records what one call says, where somebody asked for it: the four content attributes of the GenAI conventions (2026-08). Made for
/// one exchange and dropped after it; it allocates as it needs.
struct ContentRecorder {
    let recording: ContentRecording
    private var system: [ContentPart] = []
    private var input: [ContentMessage] = []
    private var tools: [ToolDefinition] = []
    private var output: [ContentMessage] = []
    private var stream: ContentAssembly
    /// What was recorded, as the attributes have it; only after `render`.
    private var rendered: [(attribute: Attribute, json: [UInt8])]?
    /// About how much has been recorded, in bytes.
    private(set) var byteCount = 0

    init(_ recording: ContentRecording) {
        self.recording = recording
        stream = ContentAssembly(limit: recording.limit)
    }

    private var budget: ContentBudget { ContentBudget(limit: recording.limit) }

    // MARK: reading

    mutating func readRequest(_ body: RawSpan, api: API) {
        guard api != .embeddings else { return }
        var json = JSONReader(body)
        do throws(JSONError) {
            guard try json.enterObject() else { return }
            while let key = try json.nextMember() {
                if key.is("messages") || (api == .responses && key.is("input")) {
                    var reader = ContentReader(budget: budget)
                    input = try reader.readMessages(&json)
                    byteCount += reader.budget.taken
                } else if key.is("system") || key.is("instructions") {
                    var reader = ContentReader(budget: budget)
                    let range = try json.rawValue()
                    system = reader.readParts(body.extracting(range))
                    byteCount += reader.budget.taken
                } else if key.is("tools") {
                    var reader = ContentReader(budget: budget)
                    let range = try json.rawValue()
                    tools = reader.readTools(body.extracting(range))
                    byteCount += reader.budget.taken
                }
            }
        } catch {}  // the facts are read apart, and remember it
    }

    /// A body that is the answer as a whole.
    mutating func readAnswer(_ body: RawSpan, api: API, response: borrowing ResponseFacts) {
        var json = JSONReader(body)
        guard let answer = try? JSONMembers(&json) else { return }
        var reader = ContentReader(budget: budget)
        defer { byteCount += reader.budget.taken }
        switch api {
        case .chatCompletions:
            guard let choices = answer["choices"] else { return }
            var json = JSONReader(choices)
            var messages: [(choice: Int, message: ContentMessage)] = []
            do throws(JSONError) {
                guard try json.enterArray() else { return }
                while try json.nextElement() {
                    let choice = try JSONMembers(&json)
                    guard let value = choice["message"] else { continue }
                    var message = JSONReader(value)
                    guard var message = try reader.readMessage(&message) else { continue }
                    let index = choice.int("index") ?? messages.count
                    message.finishReason = finishReason(index, message.parts, response)
                    messages.append((index, message))
                }
            } catch {}  // as above
            output = messages.sorted { $0.choice < $1.choice }.map(\.message)
        case .messages: add(reader.readParts(answer["content"]), choice: 0, response)
        case .responses:
            if let items = answer["output"] { add(reader.readOutput(items), choice: 0, response) }
        case .embeddings, .generateContent, .embedContent, .converse, .invokeModel, .cohereChat, .cohereEmbed: break
        }
    }

    /// One event of a streamed answer.
    mutating func take(_ data: RawSpan, api: API, response: borrowing ResponseFacts) { stream.take(data, api: api, calls: response.callPieces) }

    /// The stream has ended.
    mutating func finishStream(_ response: borrowing ResponseFacts) {
        for (choice, parts) in stream.choices { add(parts, choice: choice, response) }
        byteCount += stream.byteCount
    }

    private mutating func add(_ parts: [ContentPart], choice: Int, _ response: borrowing ResponseFacts) {
        guard !parts.isEmpty else { return }
        output.append(ContentMessage(role: Array("assistant".utf8), parts: parts, finishReason: finishReason(choice, parts, response)))
    }

    /// The conventions' word for the provider's; an answer that did not finish ended in an error.
    private func finishReason(_ choice: Int, _ parts: [ContentPart], _ response: borrowing ResponseFacts) -> [UInt8] {
        let found = response.choices.first { $0.index == choice }?.finishReason ?? Text()
        guard !found.isEmpty else { return Array("error".utf8) }
        let word = response.texts[found]
        for (standard, words) in Self.finishReasons where words.contains(where: { word.equals($0) }) {
            // Responses have no word of their own for it.
            let isCall = word.equals("completed") && parts.contains { if case .toolCall = $0 { true } else { false } }
            return Array((isCall ? "tool_call" : standard).utf8)
        }
        return unsafe word.withUnsafeBytes { unsafe Array($0) }
    }

    /// What has a word in the conventions; other words stay.
    private static let finishReasons: [(String, [StaticString])] = [
        ("stop", ["end_turn", "stop_sequence", "completed", "eos"]),
        ("tool_call", ["tool_calls", "tool_use", "function_call"]),
        ("length", ["max_tokens", "max_output_tokens", "model_context_window_exceeded"]),
        ("content_filter", ["refusal"]),
        ("error", ["failed"]),
    ]

    // MARK: writing

    /// Puts what was recorded into the form that the attributes have, masked where that is wanted, and forgets it otherwise. To mask 64 KiB
    /// takes some 3 ms: whoever cannot spare them has it done elsewhere, before the span is described.
    mutating func render() {
        guard rendered == nil else { return }
        var rendered: [(attribute: Attribute, json: [UInt8])] = []
        if !system.isEmpty { rendered.append((.systemInstructions, json { $0.write(parts: system) })) }
        if !input.isEmpty { rendered.append((.inputMessages, json { $0.write(messages: input) })) }
        if !output.isEmpty { rendered.append((.outputMessages, json { $0.write(messages: output) })) }
        if !tools.isEmpty { rendered.append((.toolDefinitions, json { $0.write(tools: tools) })) }
        self.rendered = rendered
        (system, input, output, tools) = ([], [], [], [])
        stream = ContentAssembly(limit: recording.limit)
    }

    private func json(_ write: (inout ContentWriter) -> Void) -> [UInt8] {
        var writer = ContentWriter(recording)
        write(&writer)
        return writer.bytes
    }

    mutating func describe(into draft: inout SpanDraft) {
        render()
        // Sound: bytes have no padding.
        for (attribute, json) in rendered ?? [] { unsafe draft.set(attribute, json.span.bytes) }
    }
}
