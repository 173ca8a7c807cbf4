internal import JSON

/// What a request says about the call it makes: what becomes the span's attributes, and what decides how the answer is read.
/// Reused from one exchange to the next, and never copied.
struct RequestFacts: ~Copyable {
    /// The most tool results, stop sequences and other listed things kept of one request.
    static let listLimit = 128

    enum OutputType: UInt8 {
        case text, json, image, speech

        var name: StaticString {
            switch self {
            case .text: "text"
            case .json: "json"
            case .image: "image"
            case .speech: "speech"
            }
        }
    }

    var texts = Texts()
    var model = Text()
    /// The answer is asked for as an event stream.
    var stream = false
    var maxTokens: Int64?
    var choiceCount: Int64?
    var seed: Int64?
    var topK: Int64?
    var dimensions: Int64?
    var temperature: Double?
    var topP: Double?
    var frequencyPenalty: Double?
    var presencePenalty: Double?
    var reasoningLevel = Text()
    var serviceTier = Text()
    var previousResponseID = Text()
    var conversationID = Text()
    var encodingFormat = Text()
    var outputType: OutputType?
    var stopSequences: [Text] = []
    /// The ids of the tool results after the last assistant turn.
    var toolResultIDs: [Text] = []
    /// An assistant turn was met; the next result begins the list anew. (Not the turn itself: one at the very end is a prefill.)
    var assistantTurnEnded = false

    /// Each for itself, in place, as `ResponseFacts.reset`.
    mutating func reset() {
        texts.reset()
        model = Text()
        stream = false
        maxTokens = nil
        choiceCount = nil
        seed = nil
        topK = nil
        dimensions = nil
        temperature = nil
        topP = nil
        frequencyPenalty = nil
        presencePenalty = nil
        reasoningLevel = Text()
        serviceTier = Text()
        previousResponseID = Text()
        conversationID = Text()
        encodingFormat = Text()
        outputType = nil
        stopSequences.clear()
        toolResultIDs.clear()
        assistantTurnEnded = false
    }

    /// A tool result of the request, met in order.
    mutating func addToolResult(_ id: borrowing JSONString) {
        if assistantTurnEnded {
            toolResultIDs.removeAll(keepingCapacity: true)
            assistantTurnEnded = false
        }
        if toolResultIDs.count < Self.listLimit { toolResultIDs.append(texts.keep(id)) }
    }

    /// A turn of the user's or the system's: results that precede the last assistant turn were read before.
    mutating func addOtherInput() {
        guard assistantTurnEnded else { return }
        toolResultIDs.removeAll(keepingCapacity: true)
        assistantTurnEnded = false
    }

    /// The members that several APIs share; false where `key` is none of them. The pending value may be left pending.
    @_lifetime(json: copy json)
    mutating func readCommonMember(_ key: borrowing JSONString, _ json: inout JSONReader) throws(JSONError) -> Bool {
        if key.is("model") {
            model = try json.text(into: &texts)
        } else if key.is("stream") {
            stream = try json.bool() ?? false
        } else if key.is("temperature") {
            temperature = try json.double()
        } else if key.is("top_p") {
            topP = try json.double()
        } else if key.is("service_tier") {
            serviceTier = try json.text(into: &texts)
        } else {
            return false
        }
        return true
    }

    /// `stop` or `stop_sequences`: a string or a list of them.
    @_lifetime(json: copy json)
    mutating func readStopSequences(_ json: inout JSONReader) throws(JSONError) {
        stopSequences.removeAll(keepingCapacity: true)
        if let one = try json.string() {
            stopSequences.append(texts.keep(one))
        } else if try json.enterArray() {
            while try json.nextElement() {
                if let one = try json.string(), stopSequences.count < Self.listLimit { stopSequences.append(texts.keep(one)) }
            }
        }
    }

    /// An output format, `{"type": "text" | "json_object" | "json_schema", …}`.
    @_lifetime(json: copy json)
    mutating func readOutputFormat(_ json: inout JSONReader) throws(JSONError) {
        guard try json.enterObject() else { return }
        while let key = try json.nextMember() {
            guard key.is("type"), let type = try json.string() else { continue }
            if type.is("json_schema") || type.is("json_object") {
                outputType = .json
            } else if type.is("text") {
                outputType = .text
            }
        }
    }

    /// The string member `name` of the pending object.
    @_lifetime(json: copy json)
    mutating func readText(_ name: StaticString, _ json: inout JSONReader) throws(JSONError) -> Text {
        var text = Text()
        guard try json.enterObject() else { return text }
        while let key = try json.nextMember() {
            if key.is(name) { text = try json.text(into: &texts) }
        }
        return text
    }
}

extension JSONReader {
    /// Keeps the pending string; empty where there is none.
    @_lifetime(self: copy self)
    mutating func text(into texts: inout Texts) throws(JSONError) -> Text {
        guard let string = try string() else { return Text() }
        return texts.keep(string)
    }

    /// Keeps the pending string unless it is empty or equal to `known`; stands for what was `known` otherwise.
    @_lifetime(self: copy self)
    mutating func text(into texts: inout Texts, or known: Text) throws(JSONError) -> Text {
        guard let string = try string(), !string.isEmpty, !texts.isSame(known, as: string) else { return known }
        return texts.keep(string)
    }

    /// Whether the pending value is a text that is not empty, an array with an element, or an object; consumes what it can tell.
    @_lifetime(self: copy self)
    mutating func isNonEmptyTextOrList() throws(JSONError) -> Bool {
        if let string = try string() { return !string.isEmpty }
        switch try peek() {
        case .object: return true
        case .array:
            _ = try enterArray()
            guard try nextElement() else { return false }
            try leave()
            return true
        default: return false
        }
    }
}
