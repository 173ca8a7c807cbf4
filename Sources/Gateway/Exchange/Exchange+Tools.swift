import HTTP
import JSONRPC
import MCP
import Policy

// Tools that the configuration keeps from callers: not called, and not listed.
extension Exchange {
    /// Refuses the call of a tool that may not be used, and whatever a server could take for one; has such tools taken out of lists.
    func confineTools(_ upstream: Upstream) throws(GatewayError) {
        guard let tools = upstream.tools else { return }
        guard let message else {
            // On the stream a client listens on, an answer may be sent again (2025-11-25, Resumability).
            if request.framing != .none, request.framing != .length(0) { throw .methodNotAllowed }
            if request.method == .get { leaveOutTools(but: tools) }
            return
        }
        if message.hasLookalikes { throw .ambiguousMessage }
        guard saysUTF8 else { throw .badMessage(.unreadable) }
        guard case .success(.mcp(let asked)?) = message.request else { return }
        let body = body
        guard asked.asksAllowedTool(in: body.bytes, allows: { tools.allows($0) }) else { throw .toolNotAllowed }
        guard fieldsAgree(with: asked) else { throw .headerMismatch }
        if asked.method == .toolsList { leaveOutTools(but: tools) }
    }

    private func leaveOutTools(but tools: NameFilter) {
        editAnswer { text in
            guard let edits = ToolList.edits(in: text, allows: { tools.allows($0) }) else { return .unreadable }
            return edits.isEmpty ? .none : .changes(edits)
        }
    }

    /// Whether the fields that repeat the method and the name say what the message says: some go by the ones, some by the other (MCP
    /// 2026-07-28, Transports).
    private func fieldsAgree(with asked: MCPRequest) -> Bool {
        let request = request
        let body = body
        var agree = true
        for index in 0..<request.fieldCount where request.field(index).name == .other {
            if Self.methodField.isField(index, of: request) {
                JSONRPCMessage.withText(asked.methodText, in: body.bytes) { if !request.value(index).equals($0) { agree = false } }
            } else if asked.method == .toolsCall, Self.nameField.isField(index, of: request) {
                JSONRPCMessage.withText(asked.target, in: body.bytes) { if !request.value(index).says($0) { agree = false } }
            }
        }
        return agree
    }

    /// No field says that the body is in another encoding: it would be another text to who believes it.
    private var saysUTF8: Bool {
        let request = request
        for index in 0..<request.fieldCount where request.field(index).name == .contentType {
            let value = request.value(index)
            guard let semicolon = value.firstIndex(of: UInt8(ascii: ";")) else { continue }
            let parameters = value.extracting(semicolon + 1..<value.byteCount).string.lowercased().filter { !$0.isWhitespace && $0 != "\"" }
            for parameter in parameters.split(separator: ";") where parameter.hasPrefix("charset") {
                if parameter != "charset=utf-8", parameter != "charset=utf8" { return false }
            }
        }
        return true
    }

    private static let methodField = ConfiguredField("mcp-method")
    private static let nameField = ConfiguredField("mcp-name")
}

extension RawSpan {
    /// Whether a field's value is this text, plain or as its base64 (MCP 2026-07-28, Transports, value encoding).
    fileprivate func says(_ text: RawSpan) -> Bool {
        if equals(text) { return true }
        guard starts(with: "=?base64?") else { return false }
        let encoded = Array("=?base64?\(Base64.encode(unsafe text.withUnsafeBytes { unsafe Array($0) }))?=".utf8)
        // Sound: bytes have no padding.
        return unsafe equals(encoded.span.bytes)
    }
}
