import A2A
import EventLoop
import HTTP
import JSON
import JSONRPC
import LLM
import MCP
import Tracing

// The one place where our own answers become bytes, in the dialect the caller speaks.
extension Worker {
    /// Answers for an exchange that failed; where the head is out already, the cut connection is the answer.
    /// - Returns: whether the connection can take another request.
    @inline(never)
    func refuse(_ error: GatewayError, _ exchange: Exchange, _ upstream: Upstream, on downstream: HTTP1Connection) async -> Bool {
        if exchange.answerStarted || error == .callerGone {
            downstream.stream.reset()
            return false
        }
        let request = exchange.request
        let keepsAlive = request.keepsAlive && downstream.isAtMessageEnd && !isDraining && error != .shutdown
        let speech = upstream.kind != .provider ? exchange.messageSpeech(for: error, upstream) : .dialect(Self.dialect(at: request.path, of: upstream.dialect))
        let status = exchange.status(for: error, speech)
        exchange.writeRefusal(status: status, message: error.answer(upstream.place), type: error.errorType, speech: speech, keepsAlive: keepsAlive)
        exchange.refused(status)
        return await send(exchange, on: downstream) && keepsAlive
    }

    /// Answers a path that names nothing known.
    @inline(never)
    func refuseUnknown(_ exchange: Exchange, on downstream: HTTP1Connection) async -> Bool {
        exchange.takeContextForAnswer(&ids)
        let request = exchange.request
        let path = request.path
        let message =
            if path.starts(with: "/mcp/") {
                "No MCP server has this name. Name it in the configuration: mcp: { weather: { url: http://127.0.0.1:9001/mcp } } is reached at /mcp/weather."
            } else if path.starts(with: "/a2a/") {
                "No agent has this name. Name it in the configuration: a2a: { researcher: { url: http://127.0.0.1:9002 } } is reached at /a2a/researcher."
            } else if path.equals("/mcp") || path.starts(with: "/v1/") {
                "This part of the gateway is not built yet. Model calls go to /{provider}/…, for example /openai/v1/chat/completions."
            } else {
                "Nothing is known by this path. Model calls go to /{provider}/…, for example /openai/v1/chat/completions or /anthropic/v1/messages; a provider of your own is added under providers: in the configuration."
            }
        let keepsAlive = exchange.request.keepsAlive && downstream.isAtMessageEnd && !isDraining
        exchange.writeRefusal(status: 404, message: message, type: "404", speech: .dialect(Self.dialect(at: path, of: path.starts(with: "/v1/models") ? .openai : .other)), keepsAlive: keepsAlive)
        return await send(exchange, on: downstream) && keepsAlive
    }

    /// Answers a head that does not parse; nothing of it can be relied on, so the connection closes.
    @inline(never)
    func refuseUnread(_ error: GatewayError, _ exchange: Exchange, on downstream: HTTP1Connection) async {
        var message = error.message(.none)
        if case .badRequest(.stream(.timedOut)) = error {
            message = "The request's head did not arrive in time. Send it at once, and open the connection when there is one to send."
        }
        exchange.takeContextForAnswer(&ids)
        let input = downstream.input
        let dialect = dialect(ofUnread: input.bytes)
        exchange.writeRefusal(status: error.status, message: message, type: error.errorType, speech: .dialect(dialect), keepsAlive: false)
        _ = await send(exchange, on: downstream)
    }

    /// What the caller of a path speaks: the calls that are understood say it themselves, whoever offers them.
    private static func dialect(at path: RawSpan, of provider: Provider.Dialect) -> Provider.Dialect {
        switch API(dialect: provider, method: ("POST" as StaticString).bytes, path: path) {
        case .messages: .anthropic
        case .chatCompletions, .responses, .embeddings: .openai
        case .generateContent, .embedContent, .converse, .invokeModel, .cohereChat, .cohereEmbed, nil: provider
        }
    }

    /// The same for a head that is not to be relied on: good enough to choose the words of its refusal by.
    private func dialect(ofUnread head: RawSpan) -> Provider.Dialect {
        guard let blank = head.firstIndex(of: 0x20), blank + 2 < head.byteCount, head[byte: blank + 1] == UInt8(ascii: "/") else { return .other }
        let path = head.extracting(blank + 1..<(head.firstIndex(of: 0x20, from: blank + 1) ?? head.byteCount))
        let name = path.extracting(1..<(path.firstIndex(of: UInt8(ascii: "/"), from: 1) ?? path.byteCount))
        return Self.dialect(at: path, of: settings.provider(named: name)?.dialect ?? .other)
    }

    /// Writes an answer of ours, whatever time the exchange had.
    func send(_ exchange: Exchange, on downstream: HTTP1Connection) async -> Bool {
        let output = exchange.output
        do {
            try await downstream.stream.write(output.bytes, until: loop.now + settings.callerIdleNanoseconds)
            return true
        } catch { return false }
    }
}

/// In what words a refusal is told.
enum Speech {
    /// An LLM API's; problem+json (RFC 9457) for `other`.
    case dialect(Provider.Dialect)
    /// An error of JSON-RPC, with its code.
    case jsonrpc(code: Int)
    /// The same to a client of an agent.
    case a2a(code: Int)
    /// `google.rpc.Status`, as A2A's HTTP+JSON binding has it.
    case status
}

extension Exchange {
    /// How a client of an MCP server or an agent is told.
    func messageSpeech(for error: GatewayError, _ upstream: Upstream) -> Speech {
        if upstream.kind == .agent { return agentSpeech(for: error, upstream) }
        guard request.method == .post else { return .dialect(.other) }
        switch error {
        case .badMessage(let error): return .jsonrpc(code: error.code)
        // MCP 2026-07-28, error codes; Tools, Error Handling.
        case .headerMismatch: return .jsonrpc(code: -32020)
        case .toolNotAllowed: return .jsonrpc(code: -32602)
        default: return .jsonrpc(code: error.status < 500 ? -32600 : -32603)
        }
    }

    private func agentSpeech(for error: GatewayError, _ upstream: Upstream) -> Speech {
        guard isByJSONRPC(upstream) else { return .status }
        return switch error {
        case .badMessage(let error): .a2a(code: error.code)
        // UnsupportedOperationError, and InvalidAgentResponseError (A2A 1.0, "Error handling").
        case .skillNotAllowed: .a2a(code: -32004)
        case .malformedAnswer, .unanswered, .upstreamCut, .answerUnreadable, .answerTooLarge: .a2a(code: -32006)
        default: .a2a(code: error.status < 500 ? -32600 : -32603)
        }
    }

    /// A request that did not get through is answered as one that failed: MCP clients take the session for broken by an HTTP status of
    /// 500 and above, and so is one for a tool that is not known. Errors of A2A over JSON-RPC come with 200.
    func status(for error: GatewayError, _ speech: Speech) -> Int {
        if case .a2a(let code) = speech, code == -32004 { return 200 }
        if case .a2a = speech, case .badMessage = error { return 200 }
        return (error.status >= 500 || error == .toolNotAllowed) && message?.call.expectsAnswer == true ? 200 : error.status
    }

    /// The methods that there are (RFC 9110 §10.2.1).
    private func writeAllow(_ speech: Speech) {
        if asksMetadata { return output.append("allow: GET\r\n") }
        guard isOfMessages else { return output.append("allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n") }
        if case .status = speech { return output.append("allow: GET, HEAD, POST, DELETE, OPTIONS\r\n") }
        output.append("allow: POST, GET, DELETE\r\n")
    }

    private func writeStatus(_ status: Int, message: String, type: StaticString, trace: String, to json: inout JSONWriter) {
        json.beginObject()
        json.key("error")
        json.beginObject()
        json.key("code")
        json.int(status)
        json.key("status")
        json.string(Self.statusName(status))
        json.key("message")
        json.string(message)
        json.key("details")
        Self.writeDetails(type, trace, to: &json)
        json.endObject()
        json.endObject()
    }

    /// What went wrong as a machine reads it: `google.rpc.ErrorInfo`, in a list.
    private static func writeDetails(_ type: StaticString, _ trace: String, to json: inout JSONWriter) {
        json.beginArray()
        json.beginObject()
        json.key("@type")
        json.string("type.googleapis.com/google.rpc.ErrorInfo")
        json.key("reason")
        json.string(reason(type))
        json.key("domain")
        json.string("hopspan")
        json.key("metadata")
        json.beginObject()
        json.key("trace_id")
        json.string(trace)
        json.endObject()
        json.endObject()
        json.endArray()
    }

    /// `error.type` as an ErrorInfo has it: upper case, and no number.
    private static func reason(_ type: StaticString) -> String {
        switch "\(type)" {
        case "400": "INVALID_REQUEST"
        case "403": "FOREIGN_HOST"
        case "404": "NOT_FOUND"
        case "405": "METHOD_NOT_ALLOWED"
        case "408": "REQUEST_TIMEOUT"
        case "413": "REQUEST_TOO_LARGE"
        case "501": "NOT_IMPLEMENTED"
        case "503": "DRAINING"
        case let word: word.uppercased()
        }
    }

    /// The code of `google.rpc` that stands for an HTTP status.
    private static func statusName(_ status: Int) -> String {
        switch status {
        case 403: "PERMISSION_DENIED"
        case 404: "NOT_FOUND"
        case 501: "UNIMPLEMENTED"
        case 502, 503: "UNAVAILABLE"
        case 408, 504: "DEADLINE_EXCEEDED"
        case 500...: "INTERNAL"
        default: "INVALID_ARGUMENT"
        }
    }

    /// - Parameter type: for a client of an agent, `error.type`; nil for one of an MCP server.
    private func writeErrorMessage(code: Int, message text: String, type: StaticString? = nil, trace: String, to json: inout JSONWriter) {
        json.beginObject()
        json.key("jsonrpc")
        json.string("2.0")
        json.key("id")
        if let message { message.call.writeID(to: &json) } else { json.null() }
        json.key("error")
        json.beginObject()
        json.key("code")
        json.int(code)
        json.key("message")
        json.string(text)
        json.key("data")
        if let type {
            Self.writeDetails(type, trace, to: &json)
        } else {
            json.beginObject()
            json.key("trace_id")
            json.string(trace)
            json.endObject()
        }
        json.endObject()
        json.endObject()
    }

    /// Writes a whole answer of ours into `output`.
    func writeRefusal(status: Int, message: String, type: StaticString, speech: Speech, keepsAlive: Bool) {
        var body = JSONWriter()
        let trace = context.traceID.description
        let contentType: StaticString
        switch speech {
        case .jsonrpc(let code):
            contentType = "application/json"
            writeErrorMessage(code: code, message: message, trace: trace, to: &body)
        case .a2a(let code):
            contentType = "application/json"
            writeErrorMessage(code: code, message: message, type: type, trace: trace, to: &body)
        case .status:
            contentType = "application/json"
            writeStatus(status, message: message, type: type, trace: trace, to: &body)
        case .dialect(.openai):
            contentType = "application/json"
            body.beginObject()
            body.key("error")
            body.beginObject()
            body.key("message")
            body.string(message)
            body.key("type")
            body.string(Self.openAIType(status))
            body.key("param")
            body.null()
            body.key("code")
            body.string("\(type)")
            body.key("trace_id")
            body.string(trace)
            body.endObject()
            body.endObject()
        case .dialect(.anthropic):
            contentType = "application/json"
            body.beginObject()
            body.key("type")
            body.string("error")
            body.key("error")
            body.beginObject()
            body.key("type")
            body.string(Self.anthropicType(status))
            body.key("message")
            body.string(message)
            body.endObject()
            body.key("request_id")
            body.string(trace)
            body.endObject()
        case .dialect(.other):
            contentType = "application/problem+json"
            body.beginObject()
            body.key("type")
            body.string("about:blank")
            body.key("title")
            body.string("\(Status.reason(status))")
            body.key("status")
            body.int(Int64(status))
            body.key("detail")
            body.string(message)
            body.key("trace_id")
            body.string(trace)
            body.endObject()
        }
        output.removeAll()
        output.append("HTTP/1.1 ")
        output.append(decimal: status)
        output.append(byte: 0x20)
        output.append(Status.reason(status))
        output.append("\r\ncontent-type: ")
        output.append(contentType)
        output.append("\r\ncontent-length: ")
        output.append(decimal: body.bytes.count)
        output.append("\r\n")
        if status == 405 { writeAllow(speech) }
        if status == 503 { output.append("retry-after: 1\r\n") }
        writeOurFields()
        if !keepsAlive { output.append("connection: close\r\n") }
        output.append("\r\n")
        if request.method != .head { unsafe output.append(body.bytes.span.bytes) }
    }

    private static func openAIType(_ status: Int) -> String { status < 500 ? "invalid_request_error" : "server_error" }

    private static func anthropicType(_ status: Int) -> String {
        switch status {
        case 403: "permission_error"
        case 404: "not_found_error"
        case 413: "request_too_large"
        case 504: "timeout_error"
        case 500...: "api_error"
        default: "invalid_request_error"
        }
    }
}
