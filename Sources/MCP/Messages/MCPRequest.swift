internal import JSON
public import JSONRPC

/// What a request or notification says besides its envelope: whom it is for and what travels in its `_meta`. Holds offsets into the
/// message's bytes.
public struct MCPRequest: Sendable {
    public private(set) var method = MCPMethod.other
    /// The method's name as it is written, quotes and all.
    public let methodText: Range<Int>
    /// The tool, prompt, resource URI or task that is asked for, as it is written, quotes and all; empty where there is none. What
    /// `Mcp-Name` says (MCP 2026-07-28, Transports).
    public private(set) var target = 0..<0
    /// `params.arguments` of a call; empty where there are none.
    public private(set) var arguments = 0..<0
    /// A string or number, as it is written; empty where none was given.
    public private(set) var progressToken = 0..<0
    /// The id that `notifications/cancelled` is about, as it is written.
    public private(set) var cancelledID = 0..<0
    /// The revision this message names: in `_meta` (2026-07-28), or as `initialize` proposes. As it is written; empty where none.
    public private(set) var protocolVersion = 0..<0
    /// It carries the `_meta` envelope of 2026-07-28 and needs no session.
    public private(set) var isModern = false
    /// The values of the trace keys in `_meta` (SEP-414), as they are written; empty where there are none.
    public private(set) var traceparent = 0..<0
    public private(set) var tracestate = 0..<0
    public private(set) var baggage = 0..<0
    /// Where it has its `_meta`, or could have it.
    var meta: TracePlace

    /// Reads a request or notification. Of a result or an error there is nothing to read.
    public init(_ message: JSONRPCMessage, _ bytes: RawSpan) throws(JSONRPCError) {
        meta = .noParams(at: message.start)
        methodText = message.method
        var isTwice = false
        do throws(JSONError) {
            if !message.method.isEmpty {
                var name = JSONReader(bytes.extracting(message.method))
                if let name = try name.string() { method = MCPMethod(name) }
            }
            guard let params = message.params else { return }
            isTwice = try read(bytes, params)
        } catch { throw .unreadable }
        if isTwice { throw .invalid(.memberTwice) }
    }

    /// - Returns: whether a member that is acted on is given twice.
    private mutating func read(_ bytes: RawSpan, _ params: Range<Int>) throws(JSONError) -> Bool {
        var json = JSONReader(bytes.extracting(params))
        let base = params.lowerBound
        var values = Values(base: base)
        guard try json.enterObject() else { return false }
        meta = .absent(at: base + json.offset, isAlone: true)
        while let key = try json.nextMember() {
            if case .absent(let at, _) = meta { meta = .absent(at: at, isAlone: false) }
            if key.is("_meta") {
                if case .absent = meta {} else { values.isTwice = true }
                let isNull = try json.peek() == .null
                let isObject = try json.peek() == .object
                let value = try json.rawValue()
                let range = base + value.lowerBound..<base + value.upperBound
                meta = isNull ? .null(range) : isObject ? .object(range) : .other
                if isObject, try readMeta(bytes, range) { values.isTwice = true }
            } else if key.is(targetName) {
                values.take(&target, try json.rawValue())
            } else if key.is("arguments") {
                values.take(&arguments, try json.rawValue())
            } else if key.is("protocolVersion"), method == .initialize {
                values.take(&protocolVersion, try json.rawValue())
            } else if key.is("requestId"), method == .cancelled {
                values.take(&cancelledID, try json.rawValue())
            } else if key.is("progressToken"), method == .progress {
                values.take(&progressToken, try json.rawValue())
            }
        }
        return values.isTwice
    }

    /// The member of `params` that names what is asked for.
    private var targetName: StaticString {
        switch method {
        case .resourcesRead, .resourcesSubscribe, .resourcesUnsubscribe, .resourceUpdated: "uri"
        case .tasksGet, .tasksResult, .tasksCancel, .tasksUpdate, .tasksStatus, .tasks: "taskId"
        default: "name"
        }
    }

    private mutating func readMeta(_ bytes: RawSpan, _ range: Range<Int>) throws(JSONError) -> Bool {
        var json = JSONReader(bytes.extracting(range))
        var values = Values(base: range.lowerBound)
        guard try json.enterObject() else { return false }
        while let key = try json.nextMember() {
            if key.is("traceparent") {
                values.take(&traceparent, try json.rawValue())
            } else if key.is("tracestate") {
                values.take(&tracestate, try json.rawValue())
            } else if key.is("baggage") {
                values.take(&baggage, try json.rawValue())
            } else if key.is("progressToken") {
                values.take(&progressToken, try json.rawValue())
            } else if key.is("io.modelcontextprotocol/protocolVersion") {
                values.take(&protocolVersion, try json.rawValue())
                isModern = true
            }
        }
        return values.isTwice
    }

    /// Values of an object's members, put where they belong.
    private struct Values {
        /// Where the object begins in the message.
        let base: Int
        var isTwice = false

        mutating func take(_ place: inout Range<Int>, _ value: Range<Int>) {
            if !place.isEmpty { isTwice = true }
            place = base + value.lowerBound..<base + value.upperBound
        }
    }
}
