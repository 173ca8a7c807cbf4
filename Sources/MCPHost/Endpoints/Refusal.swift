import HTTP
import JSON
import JSONRPC

/// Why a request does not reach its server.
struct Refusal: Error {
    let status: Int
    let code: Int
    let words: String

    init(_ status: Int, _ code: Int, _ words: String) { (self.status, self.code, self.words) = (status, code, words) }

    /// The answer to a message; nil: to a request without one.
    func answer(_ message: Message?) -> HTTPResponse {
        guard let message, message.envelope.kind == .request else { return .refusal(status == 200 ? 502 : status, code, words) }
        return HTTPResponse(status, "application/json", Message.error(code, words, id: message.text(message.envelope.id)))
    }
}

extension HTTPResponse {
    /// An error of JSON-RPC that names no request.
    static func refusal(_ status: Int, _ code: Int, _ words: String, allow: String = "POST, GET, DELETE") -> HTTPResponse {
        var response = HTTPResponse(status, "application/json", Message.error(code, words, id: []))
        if status == 405 { response.fields.append(HTTPField("allow", allow)) }
        return response
    }

    static func eventStream(_ fields: [HTTPField], _ body: @escaping (HTTPResponseWriter) async throws -> Void) -> HTTPResponse {
        nonisolated(unsafe) let body = body  // sound: the server calls it on the loop that all of this belongs to
        return HTTPResponse(
            200, fields: [HTTPField("content-type", "text/event-stream"), HTTPField("cache-control", "no-cache"), HTTPField("x-accel-buffering", "no")] + fields,
            body: .stream { try await unsafe body($0) })
    }
}

extension HTTPRequest {
    /// What a server that is reached by HTTP gets of its head: all but what belongs to this connection, or to the session on this side.
    var forwarded: [HTTPField] {
        fields.filter { !Self.ours.contains($0.name.lowercased()) }
    }

    private static let ours: Set = [
        "host", "connection", "content-length", "content-type", "transfer-encoding", "accept", "accept-encoding", "keep-alive", "te", "trailer", "upgrade",
        "expect", "mcp-session-id", "last-event-id", "mcp-method", "mcp-name",
    ]

    /// The client takes an event stream as its answer.
    var takesEvents: Bool {
        guard let accept = value(of: "accept")?.lowercased() else { return true }
        return accept.split(separator: ",").contains { $0.trimmed.hasPrefix("text/event-stream") || $0.trimmed.hasPrefix("*/*") || $0.trimmed.hasPrefix("text/*") }
    }
}

extension Substring {
    fileprivate var trimmed: Substring { drop { $0 == " " || $0 == "\t" } }
}

extension Endpoint {
    /// The revision without sessions, and those with them.
    static let stateless = "2026-07-28"
    static let handshakes: Set = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]

    /// An event of a stream. A message has no line feed in it; a carriage return is white space.
    static func event(_ message: [UInt8]) -> [UInt8] { Array("event: message\ndata: ".utf8) + Message.onOneLine(message) + [0x0A, 0x0A] }

    /// The code of an error; nil of a result.
    static func errorCode(of answer: [UInt8]) -> Int64? {
        guard let message = try? Message(unchecked: answer), message.envelope.kind == .error else { return nil }
        var json = unsafe JSONReader(answer.span.bytes.extracting(message.envelope.outcome))  // sound: bytes have no padding
        guard (try? json.enterObject()) == true else { return 0 }
        while let key = try? json.nextMember() {
            if key.is("code") { return (try? json.int64()).flatMap { $0 } ?? 0 }
        }
        return 0
    }

    /// The status of an answer that is one JSON text (MCP 2026-07-28, Streamable HTTP).
    static func status(_ error: Int64?) -> Int {
        switch error {
        case -32601: 404
        case -32700, -32600, -32602, -32020, -32021, -32022: 400
        default: 200
        }
    }

    /// 128 bits that nobody can guess, as visible ASCII.
    static func sessionID() -> String {
        var random = SystemRandomNumberGenerator()
        let digits = String(random.next(), radix: 36) + String(random.next(), radix: 36)
        return digits
    }
}
