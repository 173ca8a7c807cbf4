public import EventLoop

/// A whole request, as a handler of `HTTPServer` gets it: copied out of the connection, so it may go anywhere.
public struct HTTPRequest: Sendable {
    public var method: Method
    /// The method as it came; tells methods apart that are `other`.
    public var methodName: String
    /// The target's path as it came, percent-encoded, never empty: `/api/runs/a%20b`.
    public var path: String
    /// What follows the `?`, as it came; nil without one.
    public var query: String?
    /// In the order they came.
    public var fields: [HTTPField]
    /// Decoded from its transfer coding, not from a content coding.
    public var body: [UInt8]
    /// Nil for a request that came over no socket.
    public var peer: SocketAddress?
    /// Who waits for the answer; nil for a request that came over no socket.
    public var caller: HTTPCaller?

    public init(
        _ method: Method, _ path: String, query: String? = nil, fields: [HTTPField] = [], body: [UInt8] = [], peer: SocketAddress? = nil
    ) {
        self.method = method
        methodName = "\(method.name)"
        self.path = path
        self.query = query
        self.fields = fields
        self.body = body
        self.peer = peer
    }

    /// The first field of that name, which must be given in lower case.
    public func value(of name: String) -> String? {
        fields.first { $0.name.utf8.count == name.utf8.count && $0.name.lowercased() == name }?.value
    }
}

/// Whoever waits for an answer: for a handler that has long to wait itself. Confined to the server's loop.
public final class HTTPCaller: @unchecked Sendable {
    /// Nobody reads the answer any more.
    public private(set) var hasGone = false
    /// Called by the loop when that comes to be; it must do no more than resume whoever waits.
    public var onLeaving: (() -> Void)?

    init() {}

    func leave() {
        guard !hasGone else { return }
        hasGone = true
        onLeaving?()
    }
}

/// A header field. Names compare without letter case; values are text, mended where they were no UTF-8.
public struct HTTPField: Sendable, Hashable {
    public var name: String
    public var value: String

    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

extension HTTPRequest {
    init(_ head: MessageHead, body: OutputBuffer, peer: SocketAddress) {
        let target = head.target.string
        let question = target.firstIndex(of: "?")
        method = head.method
        methodName = head.methodBytes.string
        path = String(target[..<(question ?? target.endIndex)])
        query = question.map { String(target[target.index(after: $0)...]) }
        fields = (0..<head.fieldCount).map { HTTPField(head.name($0).string, head.value($0).string) }
        // Sound: copied inside the closure.
        self.body = unsafe body.bytes.withUnsafeBytes { unsafe Array($0) }
        self.peer = peer
        caller = HTTPCaller()
    }
}
