import Tracing

/// Where the few entries that ledger, columns and metrics read stand in a span's byte list: found in one pass, so that the three
/// read the same and the list is walked once.
public struct SpanFacts: Sendable {
    /// A text in the byte list; empty where the span does not carry it.
    public struct Text: Sendable {
        var offset: UInt32 = 0
        var length: UInt32 = 0

        public var isEmpty: Bool { length == 0 }

        /// The text in the list it was found in.
        @_lifetime(copy entries)
        public func bytes(in entries: RawSpan) -> RawSpan {
            entries.extracting(Int(offset)..<Int(offset) + Int(length))
        }
    }

    public var name = Text()
    public var runID = Text()
    public var runName = Text()
    public var agent = Text()
    public var workspace = Text()
    public var conversation = Text()
    public var provider = Text()
    public var operation = Text()
    public var requestModel = Text()
    public var responseModel = Text()
    public var tool = Text()
    public var errorType = Text()
    /// A list (`SpanEntry.forEachElement`): the tools a model's reply asked for.
    public var toolCallNames = Text()
    /// The span was made up from what later spans showed, not measured.
    public var isInferred = false

    public init() {}

    public init(_ entries: RawSpan) {
        var facts = SpanFacts()
        var offset: UInt32 = 0
        SpanEntry.forEach(in: entries) { tag, _, value in
            let text = Text(offset: offset + 6, length: UInt32(value.byteCount))
            offset += 6 + UInt32(value.byteCount)
            if tag == SpanEntry.Tag.name.rawValue {
                facts.name = text
                return
            }
            switch Attribute(rawValue: tag) {
            case .runID: facts.runID = text
            case .runName: facts.runName = text
            case .agentName: facts.agent = text
            case .workspace: facts.workspace = text
            case .conversationID: facts.conversation = text
            case .sessionID: if facts.conversation.isEmpty { facts.conversation = text }
            case .providerName: facts.provider = text
            case .operationName: facts.operation = text
            case .requestModel: facts.requestModel = text
            case .responseModel: facts.responseModel = text
            case .toolName: facts.tool = text
            case .errorType: facts.errorType = text
            case .toolCallNames: facts.toolCallNames = text
            case .timing: facts.isInferred = value.equals("inferred")
            default: break
            }
        }
        self = facts
    }

    /// The model as the caller asked for it; what answered where nothing was asked by name.
    public var model: Text { requestModel.isEmpty ? responseModel : requestModel }

    /// An MCP `tools/call` (semconv gen-ai: `execute_tool`), not its housekeeping.
    public func isToolCall(_ entries: RawSpan) -> Bool { operation.bytes(in: entries).equals("execute_tool") }

    /// An A2A send (`invoke_agent`), not its housekeeping.
    public func isAgentCall(_ entries: RawSpan) -> Bool { operation.bytes(in: entries).equals("invoke_agent") }
}

extension RawSpan {
    /// Whether these are the bytes of `text`.
    func equals(_ text: StaticString) -> Bool {
        // Sound: a static string's bytes live for ever.
        equals(unsafe UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount).bytes)
    }
}
