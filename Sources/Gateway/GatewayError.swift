import HTTP
import JSONRPC

/// Why an exchange did not come to its proper end. Every case says whose fault it is, what the caller is told and what the span says.
enum GatewayError: Error, Equatable {
    // The caller's.
    case badRequest(HTTPError)
    case bodyTooLarge(limit: Int)
    case upgrade
    case foreignHost
    case pathLeadsUp
    case notConfigured(String)
    /// What should be a JSON-RPC message is none.
    case badMessage(JSONRPCError)
    case methodNotAllowed
    /// A session that is not this caller's, or was never opened here.
    case sessionUnknown
    /// A message that two readers could take for two.
    case ambiguousMessage
    /// A field that repeats the message does not say what the message says.
    case headerMismatch
    /// The configuration keeps this tool from callers.
    case toolNotAllowed
    /// And this skill.
    case skillNotAllowed
    case callerGone
    // The upstream's.
    case connect(ConnectFailure)
    case upstreamReset
    case upstreamCut
    case malformedAnswer
    /// A good answer that does not answer the request in it.
    case unanswered
    /// What a server says is a session's id is none.
    case malformedSession
    /// An answer that is to be edited cannot be read, or is more than is read: it does not pass.
    case answerUnreadable
    case answerTooLarge(limit: Int)
    case firstByteTimeout
    case idleTimeout
    case totalTimeout
    // Ours.
    case draining
    case shutdown

    /// `error.type`: of the closed list in the design.
    var errorType: StaticString {
        switch self {
        case .badRequest(.stream(.timedOut)): "408"
        case .badRequest(.head(let error)): error.statusText
        case .badRequest, .pathLeadsUp, .badMessage, .ambiguousMessage, .headerMismatch: "400"
        case .toolNotAllowed, .skillNotAllowed: "denied"
        case .methodNotAllowed: "405"
        case .bodyTooLarge: "413"
        case .upgrade: "501"
        case .foreignHost: "403"
        case .notConfigured, .sessionUnknown: "404"
        case .callerGone: "client_disconnected"
        case .connect(.name), .connect(.proxy(.name)): "dns_error"
        case .connect(.refused), .connect(.proxy): "connect_error"
        case .connect(.tls): "tls_error"
        case .connect(.timedOut), .firstByteTimeout, .idleTimeout, .totalTimeout: "timeout"
        case .connect(.callerGone): "client_disconnected"
        case .connect(.shutdown), .shutdown: "shutdown"
        case .upstreamReset: "connection_reset"
        case .upstreamCut: "stream_cut"
        case .malformedAnswer, .malformedSession, .answerUnreadable, .answerTooLarge: "malformed_response"
        case .unanswered: "stream_cut"
        case .draining: "503"
        }
    }

    /// What the caller is answered, as long as no head is out.
    var status: Int {
        switch self {
        case .badRequest(.head(let error)): error.status
        case .badRequest(.stream(.timedOut)): 408
        case .badRequest, .pathLeadsUp, .badMessage, .ambiguousMessage, .headerMismatch, .toolNotAllowed: 400
        case .methodNotAllowed: 405
        case .bodyTooLarge: 413
        case .upgrade: 501
        case .foreignHost, .skillNotAllowed: 403
        case .notConfigured, .sessionUnknown: 404
        case .connect(.timedOut), .firstByteTimeout, .idleTimeout, .totalTimeout: 504
        case .draining, .shutdown, .connect(.shutdown): 503
        case .connect, .upstreamReset, .upstreamCut, .malformedAnswer, .unanswered, .callerGone, .malformedSession, .answerUnreadable, .answerTooLarge: 502
        }
    }

    /// For the caller alone, who need not know what it may not use.
    func answer(_ place: ConfigurationPlace) -> String { self == .toolNotAllowed ? "Unknown tool" : message(place) }

    /// For the caller and the span: what was wrong and what to do. Never a byte of anybody's message.
    func message(_ place: ConfigurationPlace) -> String {
        let provider = place.name
        return switch self {
        case .badRequest(.head(let error)): "The request could not be read: \(error.reason). \(error.advice)"
        case .badRequest(.chunk): "The request's chunked body is malformed. Mend the client, or send the body with Content-Length."
        case .badRequest(.stream(.timedOut)): "The request's body did not arrive in time. Send it without long pauses."
        case .badRequest: "The request's body ended before its end. Send as much as Content-Length says, or the last chunk."
        case .bodyTooLarge(let limit): "The request's body is larger than gateway.max_body (\(limit) bytes). Send less, or raise the limit."
        case .upgrade: "Protocol upgrades (WebSocket) are not supported here. Use the HTTP form of this API."
        case .foreignHost: "This Host or Origin is not one of this gateway's. Use a loopback name, or, where the gateway listens on another address, list the name in gateway.hosts."
        case .pathLeadsUp: "The path has `..` in it, which could lead out of what \(place.path) allows. Send the path that is meant."
        case .badMessage(let error): error.message
        case .methodNotAllowed: "The method is none of those that are passed on here: the field allow names them."
        case .sessionUnknown: "This session is not open here for this caller. Begin a new one with initialize, without Mcp-Session-Id."
        case .malformedSession: "\(provider) sent a session id that is none: it must be of 1 to \(SessionBinder.idLimit) visible ASCII characters, and there must be one."
        case .ambiguousMessage: "A member of the message differs only in its letters' case from one that JSON-RPC or MCP knows, and two readers could take it for two messages."
        case .headerMismatch: "Header mismatch: Mcp-Method or Mcp-Name does not say what the message says."
        case .skillNotAllowed: "The message names a skill that \(place.path).skills does not allow."
        case .toolNotAllowed: "Unknown tool: \(place.path).tools does not allow it."
        case .notConfigured(let what): "\(provider) has no public host of one name for all. Name the one to call in the configuration, at \(place.path): \(what)."
        case .callerGone, .connect(.callerGone): "The caller closed the connection before the answer was complete."
        case .shutdown, .connect(.shutdown): "The gateway is shutting down and did not wait for the end of this. Try again in a moment."
        case .connect(let failure): Self.message(failure, place)
        case .upstreamReset: "\(provider) closed the connection without an answer. Try again."
        case .upstreamCut: "\(provider) ended its answer before the end. Try again."
        case .unanswered: "\(provider) ended its answer without a response to the request. Try again."
        case .malformedAnswer: "\(provider) sent what is not a valid HTTP answer. Check that \(place.path).\(place.address) leads to it, and over http or https as it wants."
        case .answerUnreadable: "\(provider) sent an answer that could not be read, so that nothing could be taken out of it or changed in it as the configuration says. Check that it sends JSON, not compressed."
        case .answerTooLarge(let limit): "\(provider) sent more than \(limit) bytes in one answer, which is too much to take anything out of it or change it as the configuration says."
        case .firstByteTimeout: "\(provider) did not answer in time. Try again, or raise \(place.path).timeout.first_byte."
        case .idleTimeout: "\(provider) stopped in the middle of its answer. Try again, or raise \(place.path).timeout.idle."
        case .totalTimeout: "\(provider) took longer than allowed. Ask for less, or raise \(place.path).timeout.total."
        case .draining: "The gateway is shutting down and takes no new requests. Try again in a moment."
        }
    }
}
