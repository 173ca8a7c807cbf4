internal import JSON

/// The envelope of one JSON-RPC 2.0 message: what it is, and where its parts stand in the bytes it was read from. The bytes stay the
/// caller's; a message holds offsets only.
///
/// Strict where two readers could take one text for two messages: a member of the envelope given twice is refused, however it is
/// spelled (`"\u0069d"`). Members that JSON-RPC does not know are passed over.
public struct JSONRPCMessage: Sendable, Hashable {
    public enum Kind: UInt8, Sendable { case request, notification, result, error }

    public let kind: Kind
    /// The id as it is written, quotes and all; empty where there is none: of a notification, and of an error whose request could not
    /// be read.
    public let id: Range<Int>
    /// The method as it is written, quotes and all; empty of a result or an error.
    public let method: Range<Int>
    /// The value of `params`, an object; nil where there is none.
    public let params: Range<Int>?
    /// The value of `result` or `error`; empty of a request or a notification.
    public let outcome: Range<Int>
    /// Just behind the opening brace, where another member can be put.
    public let start: Int

    /// Reads a whole text.
    public init(_ bytes: RawSpan) throws(JSONRPCError) {
        var members = Members()
        var isObject = false
        var isArray = false
        do throws(JSONError) {
            var json = JSONReader(bytes)
            isObject = try json.enterObject()
            if isObject { try members.read(&json) } else { isArray = try json.peek() == .array }
            try json.finish()
        } catch { throw .unreadable }
        guard isObject else { throw isArray ? .batch : .invalid(.notAnObject) }
        self = try members.message()
    }

    fileprivate init(kind: Kind, _ members: Members) {
        self.kind = kind
        id = members.id ?? 0..<0
        method = members.method ?? 0..<0
        params = members.params
        outcome = members.result ?? members.error ?? 0..<0
        start = members.start
    }
}

extension JSONRPCMessage {
    /// Whether a text gives itself out for a message, however wrong it is as one: an object that says so, or that names a method with
    /// parameters, or a batch that begins with such.
    public static func isMeant(_ bytes: RawSpan) -> Bool {
        var json = JSONReader(bytes)
        var (hasVersion, hasMethod, hasParams) = (false, false, false)
        do throws(JSONError) {
            if try json.peek() == .array {
                guard try json.enterArray(), try json.nextElement() else { return false }
            }
            guard try json.enterObject() else { return false }
            while let key = try json.nextMember() {
                if key.is("jsonrpc") { hasVersion = true } else if key.is("method") { hasMethod = true } else if key.is("params") { hasParams = true }
            }
        } catch {}  // what stands before the fault tells
        return hasVersion || hasMethod && hasParams
    }
}

/// The members of an envelope as they are met.
private struct Members {
    var start = 0
    var id: Range<Int>?
    var method: Range<Int>?
    var params: Range<Int>?
    var result: Range<Int>?
    var error: Range<Int>?
    private var hasVersion = false
    private var idIsNull = false
    private var fault: JSONRPCError.Reason?

    /// The reader stands inside the object.
    @_lifetime(json: copy json)
    mutating func read(_ json: inout JSONReader) throws(JSONError) {
        start = json.offset
        while let key = try json.nextMember() {
            if key.is("jsonrpc") {
                if hasVersion { fault = .memberTwice }
                hasVersion = true
                var isTwo = false
                if let version = try json.string() { isTwo = version.is("2.0") }
                if !isTwo { fault = fault ?? .version }
            } else if key.is("id") {
                if id != nil || idIsNull { fault = .memberTwice }
                switch try json.peek() {
                case .string: id = try json.rawValue()
                case .null: idIsNull = try json.null()
                case .number:
                    let start = json.offset
                    let isWhole = try json.number()?.int64 != nil
                    id = start..<json.offset
                    if !isWhole { fault = fault ?? .identifier }
                default: fault = fault ?? .identifier
                }
            } else if key.is("method") {
                if method != nil { fault = .memberTwice }
                let isText = try json.peek() == .string
                let range = try json.rawValue()
                method = range
                if !isText || range.count <= 2 { fault = fault ?? .method }
            } else if key.is("params") {
                if params != nil { fault = .memberTwice }
                let isObject = try json.peek() == .object
                params = try json.rawValue()
                if !isObject { fault = fault ?? .parameters }
            } else if key.is("result") {
                if result != nil { fault = .memberTwice }
                result = try json.rawValue()
            } else if key.is("error") {
                if error != nil { fault = .memberTwice }
                let isObject = try json.peek() == .object
                error = try json.rawValue()
                if !isObject { fault = fault ?? .errorObject }
            }
        }
    }

    func message() throws(JSONRPCError) -> JSONRPCMessage {
        if let fault { throw .invalid(fault) }
        guard hasVersion else { throw .invalid(.version) }
        switch (method != nil, result != nil, error != nil) {
        case (true, false, false):
            if idIsNull { throw .invalid(.identifier) }
            return JSONRPCMessage(kind: id == nil ? .notification : .request, self)
        case (false, true, false):
            guard id != nil else { throw .invalid(.identifier) }
            return JSONRPCMessage(kind: .result, self)
        case (false, false, true): return JSONRPCMessage(kind: .error, self)
        case (false, false, false): throw .invalid(.nothingToDo)
        default: throw .invalid(.twoOutcomes)
        }
    }
}
