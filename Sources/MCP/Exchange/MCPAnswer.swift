internal import JSON
internal import JSONRPC

/// What the answer to a request says about how it went.
struct MCPAnswer: Sendable {
    enum Outcome: Sendable, Hashable {
        /// Nothing has come that answers the request.
        case none
        case result
        /// A tool's own failure: a result with `isError`, over HTTP 200.
        case toolError
        /// A JSON-RPC error and its code.
        case error(Int64)
    }

    private(set) var outcome = Outcome.none
    /// The words of a JSON-RPC error.
    private(set) var errorMessage: [UInt8] = []
    /// The revision that an `initialize` result settles on.
    private(set) var protocolVersion: [UInt8] = []
    /// The task that was made of the call, or was asked for.
    private(set) var taskID: [UInt8] = []

    /// The longest text kept of an answer, in bytes.
    private static let textLimit = 1024

    /// Reads the outcome of a message that answers the request.
    mutating func read(_ message: JSONRPCMessage, _ bytes: RawSpan) throws(JSONError) {
        var json = JSONReader(bytes.extracting(message.outcome))
        if message.kind == .error { return try readError(&json) }
        outcome = .result
        guard try json.enterObject() else { return }
        while let key = try json.nextMember() {
            if key.is("isError") {
                if try json.bool() == true { outcome = .toolError }
            } else if key.is("protocolVersion") {
                protocolVersion = try json.text(Self.textLimit)
            } else if key.is("taskId") {
                taskID = try json.text(Self.textLimit)
            } else if key.is("task") {
                try readTask(&json)
            }
        }
    }

    @_lifetime(json: copy json)
    private mutating func readError(_ json: inout JSONReader) throws(JSONError) {
        var code: Int64 = 0
        if try json.enterObject() {
            while let key = try json.nextMember() {
                if key.is("code") {
                    code = try json.int64() ?? 0
                } else if key.is("message") {
                    errorMessage = try json.text(Self.textLimit)
                }
            }
        }
        outcome = .error(code)
    }

    /// The task nested in the answer of 2025-11-25.
    @_lifetime(json: copy json)
    private mutating func readTask(_ json: inout JSONReader) throws(JSONError) {
        guard try json.enterObject() else { return }
        while let key = try json.nextMember() {
            if key.is("taskId") { taskID = try json.text(Self.textLimit) }
        }
    }
}

extension JSONReader {
    /// The pending string, decoded; empty where it is none, or is longer than `limit`.
    @_lifetime(self: copy self)
    mutating func text(_ limit: Int) throws(JSONError) -> [UInt8] {
        var text: [UInt8] = []
        if let string = try string(), string.raw.byteCount <= limit { string.append(to: &text) }
        return text
    }
}
