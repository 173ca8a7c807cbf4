/// An answer of `HTTPServer`'s handler. The server adds what frames it: `content-length` or `transfer-encoding`, and `connection`.
public struct HTTPResponse: Sendable {
    public enum Body: Sendable {
        case bytes([UInt8])
        /// Written as it comes to be. When the closure returns the body is whole; when it throws, the connection is cut, so that
        /// the caller can tell. Not called for HEAD.
        case stream(@Sendable (HTTPResponseWriter) async throws -> Void)
    }

    public var status: Int
    public var fields: [HTTPField]
    public var body: Body

    public init(_ status: Int, fields: [HTTPField] = [], body: Body = .bytes([])) {
        self.status = status
        self.fields = fields
        self.body = body
    }

    public init(_ status: Int, _ contentType: String, _ body: [UInt8]) {
        self.init(status, fields: [HTTPField("content-type", contentType)], body: .bytes(body))
    }

    public init(_ status: Int, _ contentType: String, _ body: String) { self.init(status, contentType, Array(body.utf8)) }
}

extension HTTPResponse {
    /// What the server answers by itself: RFC 9457 problem details. `detail` must need no escaping in JSON.
    static func refusal(_ status: Int, _ detail: String) -> HTTPResponse {
        let title = Status.reason(status)
        return HTTPResponse(
            status, "application/problem+json", #"{"type":"about:blank","title":"\#(title)","status":\#(status),"detail":"\#(detail)"}"#)
    }

    /// Appends the head as it is sent.
    func writeHead(to output: OutputBuffer, framing: ResponseFraming, keepsAlive: Bool, minorVersion: Int) {
        output.removeAll()
        output.append("HTTP/1.1 ")
        output.append(decimal: status)
        output.append(byte: UInt8(ascii: " "))
        output.append(Status.reason(status))
        for field in fields {
            output.append("\r\n")
            output.append(Self.oneLine(field.name))
            output.append(": ")
            output.append(Self.oneLine(field.value))
        }
        switch framing {
        case .none: break
        case .length(let length):
            output.append("\r\ncontent-length: ")
            output.append(decimal: length)
        case .chunked: output.append("\r\ntransfer-encoding: chunked")
        case .untilClose: break
        }
        if !keepsAlive {
            output.append("\r\nconnection: close")
        } else if minorVersion == 0 {
            output.append("\r\nconnection: keep-alive")
        }
        output.append("\r\n\r\n")
    }

    /// Handlers may pass on what they were sent: it cannot end a line here.
    private static func oneLine(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else { return text }
        return String(decoding: text.utf8.map { $0 < 0x20 || $0 == 0x7F ? 0x20 : $0 }, as: UTF8.self)
    }

    /// Answers that have no body whatever the method (RFC 9112 §6.3).
    var hasNoBody: Bool { status < 200 || status == 204 || status == 304 }
}

/// How an answer's end is made known.
enum ResponseFraming {
    case none
    case length(Int)
    case chunked
    case untilClose
}
