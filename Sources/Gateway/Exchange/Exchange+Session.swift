import HTTP
import MCP
import Tracing

// Sessions of MCP servers, and what a caller is told of where to get leave: all of it bound to the gateway on its way.
extension Exchange {
    /// The request's session id is one that this caller got here: what goes upstream is the server's own. To be called once for a request
    /// to an MCP server, when its message, if it is one, has been read.
    func openSession(_ upstream: Upstream, _ caller: Caller, by worker: Worker) throws(GatewayError) {
        self.caller = caller
        let request = request
        guard let index = Self.sessionField.index(in: request) else { return }
        for other in index + 1..<request.fieldCount where Self.sessionField.isField(other, of: request) { throw .sessionUnknown }
        let isForUs = request.field(index).isNominated
        request.withhold(index)
        // There are no sessions since 2026-07-28: servers are to take no notice of the field.
        if isForUs || message?.mcp.isModern == true { return }
        let (name, scratch) = (upstream.name, output)
        guard let id = worker.sessions.open(request.value(index), server: name.bytes, caller: caller.bytes, scratch: scratch) else { throw .sessionUnknown }
        span.set(.mcpSessionID, id)
        sessionIsDescribed = true
        sessionField = index
    }

    /// Writes the session's field into the upstream's head.
    func writeSession() {
        guard let sessionField else { return }
        let request = request
        let bound = request.value(sessionField)
        output.append("mcp-session-id: ")
        output.append(bound.extracting(SessionBinder.idStart..<bound.byteCount))
        output.append("\r\n")
    }

    /// The answer's head has come from an MCP server.
    @inline(never)
    func bindAnswer(_ upstream: Upstream, by worker: Worker) throws(GatewayError) {
        try bindSession(upstream, by: worker)
        answerChallenges(upstream, by: worker)
    }

    /// The session that an answer opens, or says again, is bound to the caller.
    private func bindSession(_ upstream: Upstream, by worker: Worker) throws(GatewayError) {
        let answer = answer
        guard let caller, let first = Self.sessionField.index(in: answer) else { return }
        for index in first..<answer.fieldCount where Self.sessionField.isField(index, of: answer) {
            answer.withhold(index)
            guard index == first else { throw .malformedSession }
        }
        let id = answer.value(first)
        guard id.byteCount > 0 else { return }
        let (lines, name) = (linesToAdd, upstream.name)
        lines.append("Mcp-Session-Id: ")
        guard worker.sessions.bind(id, server: name.bytes, caller: caller.bytes, into: lines) else { throw .malformedSession }
        lines.append("\r\n")
        if !sessionIsDescribed { span.set(.mcpSessionID, id) }
        sessionIsDescribed = true
    }

    /// Lines for the head that the caller gets; of this exchange.
    var linesToAdd: OutputBuffer {
        if let addedLines { return addedLines }
        let made = OutputBuffer(capacity: 256)
        addedLines = made
        return made
    }

    /// `Mcp-Session-Id` (MCP 2025-03-26 to 2025-11-25, Streamable HTTP).
    private static let sessionField = ConfiguredField("mcp-session-id")
}
