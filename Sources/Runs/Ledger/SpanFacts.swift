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

    /// Which texts are kept.
    private enum Kept: UInt8, CaseIterable {
        case name, runID, runName, agent, workspace, conversation, session, provider, operation
        case requestModel, responseModel, tool, errorType, toolCallNames, timing
    }

    /// Where each tag's text goes in `texts`; everything else goes to the place behind the last.
    private static let places: [256 of UInt8] = {
        var places = [256 of UInt8](repeating: UInt8(Kept.allCases.count))
        func keep(_ attribute: Attribute, _ kept: Kept) { places[Int(attribute.rawValue)] = kept.rawValue }
        places[Int(SpanEntry.Tag.name.rawValue)] = Kept.name.rawValue
        keep(.runID, .runID)
        keep(.runName, .runName)
        keep(.agentName, .agent)
        keep(.workspace, .workspace)
        keep(.conversationID, .conversation)
        keep(.sessionID, .session)
        keep(.providerName, .provider)
        keep(.operationName, .operation)
        keep(.requestModel, .requestModel)
        keep(.responseModel, .responseModel)
        keep(.toolName, .tool)
        keep(.errorType, .errorType)
        keep(.toolCallNames, .toolCallNames)
        keep(.timing, .timing)
        return places
    }()

    private var texts: [16 of Text]
    /// The span was made up from what later spans showed, not measured.
    public private(set) var isInferred = false

    public init() { texts = [16 of Text](repeating: Text()) }

    public init(_ entries: RawSpan) {
        var texts = [16 of Text](repeating: Text())
        let copied = Self.places
        // By span: a subscript of the array itself copies all of it, for each attribute.
        let places = copied.span
        // Sound: a head of six bytes is read only where there are as many. A length that lies is found out by `Text.bytes`.
        unsafe entries.withUnsafeBytes { entries in
            var offset = 0
            while offset &+ 6 <= entries.count {
                let tag = unsafe entries.load(fromByteOffset: offset, as: UInt8.self)
                let length = unsafe entries.loadUnaligned(fromByteOffset: offset &+ 2, as: UInt32.self)
                texts[Int(places[Int(tag)])] = Text(offset: UInt32(truncatingIfNeeded: offset &+ 6), length: length)
                offset = offset &+ 6 &+ Int(length)
            }
        }
        self.texts = texts
        let timing = self[.timing]
        isInferred = !timing.isEmpty && timing.bytes(in: entries).equals("inferred")
    }

    private subscript(_ kept: Kept) -> Text { texts[Int(kept.rawValue)] }

    public var name: Text { self[.name] }
    public var runID: Text { self[.runID] }
    public var runName: Text { self[.runName] }
    public var agent: Text { self[.agent] }
    public var workspace: Text { self[.workspace] }
    /// The conversation, or else the session.
    public var conversation: Text { self[.conversation].isEmpty ? self[.session] : self[.conversation] }
    public var session: Text { self[.session] }
    public var provider: Text { self[.provider] }
    public var operation: Text { self[.operation] }
    public var requestModel: Text { self[.requestModel] }
    public var responseModel: Text { self[.responseModel] }
    public var tool: Text { self[.tool] }
    public var errorType: Text { self[.errorType] }
    /// A list (`SpanEntry.forEachElement`): the tools a model's reply asked for.
    public var toolCallNames: Text { self[.toolCallNames] }

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
