internal import JSON

/// What an answer says, whole or piece by piece: what becomes the span's attributes. Reused from one exchange to the next; of several
/// hundred bytes, and so never copied.
struct ResponseFacts: ~Copyable {
    /// The most choices and tool calls kept of one answer.
    static let listLimit = 128

    struct Choice: BitwiseCopyable {
        var index: Int
        /// The provider's word; empty while the choice goes on.
        var finishReason = Text()
    }

    struct ToolCall: BitwiseCopyable {
        var choice: Int
        /// Its number among the choice's calls, as far as the provider gave one.
        var index: Int
        var id = Text()
        var name = Text()
    }

    var texts = Texts()
    var id = Text()
    var model = Text()
    var serviceTier = Text()
    var systemFingerprint = Text()
    var conversationID = Text()
    /// Of Responses.
    var status = Text()
    var incompleteReason = Text()
    /// In the order of their `index`.
    var choices: [Choice] = []
    /// In the order in which they began.
    var toolCalls: [ToolCall] = []
    /// The places in `toolCalls` that the last event had pieces of, in order; kept only where content is recorded.
    var callPieces: [Int] = []
    var keepsCallPieces = false
    /// Of all APIs but Messages.
    var openaiUsage = OpenAIUsage()
    /// Of Messages.
    var anthropicUsage = AnthropicUsage()
    /// Built-in searches among the output items of Responses; they count where the answer has no `tool_usage`.
    var webSearchCalls: Int64 = 0
    var fileSearchCalls: Int64 = 0
    /// The answer carries an error.
    var hasError = false
    var errorType = Text()
    var errorCode = Text()
    var errorMessage = Text()
    /// A piece of text, of reasoning, of a refusal or of a tool call has come.
    var sawContent = false
    /// The stream said that it is at its end.
    var sawEnd = false

    /// Each for itself, in place: a new value would cost five times as much, and this is done for every exchange.
    mutating func reset() {
        texts.reset()
        id = Text()
        model = Text()
        serviceTier = Text()
        systemFingerprint = Text()
        conversationID = Text()
        status = Text()
        incompleteReason = Text()
        choices.clear()
        toolCalls.clear()
        callPieces.clear()
        keepsCallPieces = false
        openaiUsage = OpenAIUsage()
        anthropicUsage = AnthropicUsage()
        webSearchCalls = 0
        fileSearchCalls = 0
        hasError = false
        errorType = Text()
        errorCode = Text()
        errorMessage = Text()
        sawContent = false
        sawEnd = false
    }

    /// What the call consumed, as far as the answer has said.
    func settle(_ usage: inout Usage, of api: API) {
        guard api != .messages else {
            usage = anthropicUsage.usage
            return
        }
        usage = Usage()
        openaiUsage.settle(into: &usage)
        if usage.webSearches == 0 { usage.webSearches = webSearchCalls }
        if usage.fileSearches == 0 { usage.fileSearches = fileSearchCalls }
    }

    /// There are choices, and each has its finish reason.
    var isFinished: Bool { !choices.isEmpty && choices.allSatisfy { !$0.finishReason.isEmpty } }

    // MARK: reading

    /// The members that several APIs share; false where `key` is none of them. The pending value may be left pending.
    @_lifetime(json: copy json)
    mutating func readCommonMember(_ key: borrowing JSONString, _ json: inout JSONReader) throws(JSONError) -> Bool {
        if key.is("id") {
            if id.isEmpty { id = try json.text(into: &texts) }  // some servers give every chunk one of its own
        } else if key.is("model") {
            model = try json.text(into: &texts, or: model)
        } else if key.is("service_tier") {
            guard let tier = try json.string(), !tier.isEmpty else { return true }
            openaiUsage.variant = PriceVariant(serviceTier: tier)
            if !texts.isSame(serviceTier, as: tier) { serviceTier = texts.keep(tier) }
        } else if key.is("error") {
            try readError(&json)
        } else {
            return false
        }
        return true
    }

    /// The choice `index` is there, and has ended if `reason` is given and not empty.
    mutating func setFinishReason(_ reason: JSONString?, choice index: Int) {
        guard let reason, !reason.isEmpty else { return setFinishReason(Text(), choice: index) }
        // Some servers say it with every piece.
        for choice in choices where choice.index == index && texts.holds(choice.finishReason, of: reason) { return }
        setFinishReason(texts.keep(reason), choice: index)
    }

    /// The same with a text that is kept already.
    mutating func setFinishReason(_ reason: Text, choice index: Int) {
        var position = choices.count
        while position > 0, choices[position - 1].index >= index { position -= 1 }
        if position == choices.count {
            if position < Self.listLimit { choices.append(Choice(index: index, finishReason: reason)) }
        } else if choices[position].index == index {
            if !reason.isEmpty { choices[position].finishReason = reason }
        } else if choices.count < Self.listLimit {
            choices.insert(Choice(index: index, finishReason: reason), at: position)
        }
    }

    /// A tool call, or a piece of one, of an API that tells calls apart by number. Compatible servers leave the number out, give
    /// all calls the same one, or repeat id and name with every piece; the id then decides.
    /// What is known is not kept again: a long call may come in thousands of pieces.
    mutating func addToolCall(choice: Int, index: Int?, id: JSONString?, name: JSONString?) {
        guard let known = toolCalls.lastIndex(where: { $0.choice == choice && (index == nil || $0.index == index) }),
            isPiece(of: toolCalls[known], isNumbered: index != nil, id: id, name: name)
        else {
            if keepsCallPieces { callPieces.append(toolCalls.count) }
            guard toolCalls.count < Self.listLimit else { return }
            toolCalls.append(ToolCall(choice: choice, index: index ?? toolCalls.count, id: texts.keep(id), name: texts.keep(name)))
            return
        }
        if keepsCallPieces { callPieces.append(known) }
        if toolCalls[known].id.isEmpty { toolCalls[known].id = texts.keep(id) }
        if toolCalls[known].name.isEmpty { toolCalls[known].name = texts.keep(name) }
    }

    private func isPiece(of call: ToolCall, isNumbered: Bool, id: JSONString?, name: JSONString?) -> Bool {
        if let id, !id.isEmpty { return texts.holds(call.id, of: id) || (call.id.isEmpty && isNumbered) }
        return isNumbered || call.name.isEmpty || name?.isEmpty ?? true
    }

    /// A tool call of an API whose ids tell calls apart; one that was met before is not listed again.
    mutating func addToolCall(id: JSONString, name: JSONString?) {
        guard toolCalls.count < Self.listLimit else { return }
        for call in toolCalls where texts.holds(call.id, of: id) { return }
        toolCalls.append(ToolCall(choice: 0, index: toolCalls.count, id: texts.keep(id), name: texts.keep(name)))
    }
}
