import Content
import EventLoop
import HTTP
import JSONRPC
import MCP
import Tracing

/// A message to an MCP server while its exchange lasts.
final class ServerMessage {
    let call = MCPCall()
    /// What it asks; nil of an answer to the server, and why it is no message.
    private(set) var request = Result<MCPRequest?, JSONRPCError>.success(nil)
    /// What changes in it on its way.
    fileprivate(set) var edit: MessageEdit?
    /// When it had its answer although the stream goes on; monotonic nanoseconds, 0 not yet.
    private(set) var answeredAt: UInt64 = 0

    func reset() {
        call.reset()
        request = .success(nil)
        edit = nil
        answeredAt = 0
    }

    fileprivate func read(_ bytes: RawSpan) {
        do { request = .success(try call.readRequest(bytes)) } catch { request = .failure(error) }
    }

    func noteAnswer(_ clock: Clock) { if answeredAt == 0, call.isAnswered { answeredAt = clock.monotonic } }
}

// The steps of an exchange that only messages have.
extension Exchange {
    /// The request is a message; its body has been read whole. Reads it: `takeMessage` says what came of it.
    func readMessage(content: ContentRecording) {
        let message = spareMessage ?? ServerMessage()
        self.message = message
        message.call.content = content
        let body = body
        message.read(body.bytes)
    }

    /// Places the hop by what the message brings.
    func takeMessage(_ upstream: Upstream, caller: RawSpan, by worker: Worker) throws(GatewayError) {
        guard let message else { return }
        let request: MCPRequest?
        do { request = try message.request.get() } catch { throw .badMessage(error) }
        let body = body
        place(upstream, caller: caller, by: worker, brought: request.flatMap { readContext(of: $0, in: body.bytes) })
    }

    /// Makes the context that is to travel in the message.
    func editMessage() {
        guard let message, case .success(let request?) = message.request else { return }
        let (parent, state, baggage, body) = (contextText, traceState, baggage, body)
        message.edit = unsafe request.writing(traceparent: parent.span.bytes, tracestate: state.text, baggage: baggage.text, in: body.bytes)
    }

    /// The trace context a message brings: nil unless it is valid. Its state and baggage then count, and not those of the head.
    private func readContext(of request: MCPRequest, in bytes: RawSpan) -> TraceContext? {
        var context: TraceContext?
        MCPRequest.withText(request.traceparent, in: bytes) { context = TraceContext(traceparent: $0) }
        guard context != nil else { return nil }
        MCPRequest.withText(request.tracestate, in: bytes) { traceState.append($0) }
        MCPRequest.withText(request.baggage, in: bytes) { baggage.append($0) }
        return context
    }

    /// What the span carries of a hop to an MCP server.
    func finishMessage(_ upstream: Upstream) {
        span.record.hopKind = HopKind.tool.rawValue
        if upstream.isProcess {
            span.set(.networkTransport, "pipe")
        } else {
            span.set(.networkTransport, "tcp")
            span.set(.networkProtocolName, "http")
        }
        guard let call = message?.call, call.kind != nil else {
            // The stream a client listens on, the end of its session, or no message at all.
            let name = upstream.name
            return span.setName(request.method.name, name.bytes)
        }
        call.describe(into: &span)
        if let price = upstream.pricePerCall, call.method == .toolsCall, call.isAnswered {
            span.record.cost = price
            span.record.costSource = CostSource.configured.rawValue
        }
        if answer.status == 200, call.expectsAnswer, !call.isAnswered { fail(.unanswered) }
    }

    /// The answer to a hop to an MCP server is a stream to listen on: it may be silent for long.
    func isListening(_ upstream: Upstream) -> Bool { upstream.kind == .mcpServer && request.method == .get }

    /// A server that has no stream to listen on, or no session to end, says so with 405, and nothing has failed (MCP 2025-11-25,
    /// Streamable HTTP).
    func isDeclined(_ upstream: Upstream) -> Bool { upstream.kind == .mcpServer && message == nil && answer.status == 405 }

    /// The session a message belongs to, or that its answer opens.
    func describeSession(_ head: MessageHead) {
        guard !sessionIsDescribed, let index = Self.sessionField.index(in: head), 1...256 ~= head.value(index).byteCount else { return }
        sessionIsDescribed = true
        span.set(.mcpSessionID, head.value(index))
    }

    /// `Mcp-Session-Id` (MCP 2025-03-26 to 2025-11-25, Streamable HTTP).
    private static let sessionField = ConfiguredField("mcp-session-id")
}
