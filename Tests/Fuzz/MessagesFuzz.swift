import HTTP
import JSON
import JSONRPC
import MCP

/// Messages of JSON-RPC: what is read of one lies in it, and what is written into one, or taken out of it, leaves a message of which
/// everything else is as it was.
func fuzzMessages(_ input: [UInt8]) {
    let bytes = unsafe input.span.bytes
    fuzzMessage(bytes)
    fuzzToolList(bytes)
    fuzzProtection(bytes)
    fuzzEventData(input)
}

private func fuzzMessage(_ bytes: RawSpan) {
    let isJSON = (try? JSONValue(bytes)) != nil
    _ = MCPRequest.hasLookalikes(bytes)
    guard let message = try? JSONRPCMessage(bytes) else { return }
    always(isJSON, "a message is JSON")
    for range in [message.id, message.method, message.params ?? 0..<0, message.outcome] {
        always(range.isEmpty || (try? JSONValue(bytes.extracting(range))) != nil, "what stands in a message is JSON")
    }
    var id = JSONRPCID()
    id.keep(bytes.extracting(message.id))
    always(message.id.isEmpty || id.is(bytes.extracting(message.id)), "an id is itself")
    guard let request = try? MCPRequest(message, bytes) else { return }
    _ = request.asksAllowedTool(in: bytes) { $0.byteCount < 5 }
    let ours = Array("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".utf8)
    let parent = unsafe ours.span.bytes
    guard let edit = request.writing(traceparent: parent, tracestate: RawSpan(), baggage: parent, in: bytes) else { return }
    let edited = applied([edit], to: bytes)
    let again = unsafe edited.span.bytes
    guard let second = try? JSONRPCMessage(again), let request = try? MCPRequest(second, again) else {
        return always(false, "a message that was written into is a message")
    }
    always(second.kind == message.kind && again.extracting(second.id).array == bytes.extracting(message.id).array, "it is the same message")
    always(again.extracting(second.method).array == bytes.extracting(message.method).array, "it asks for the same")
    always(again.extracting(request.target).array == bytes.extracting(MCPRequest.target(message, bytes)).array, "of the same")
    var read: [UInt8] = []
    JSONRPCMessage.withText(request.trace.traceparent, in: again) { read = $0.array }
    always(read == ours, "what was written in is read")
    always(request.trace.tracestate.isEmpty, "and what was not is not")
}

extension MCPRequest {
    fileprivate static func target(_ message: JSONRPCMessage, _ bytes: RawSpan) -> Range<Int> { (try? MCPRequest(message, bytes).target) ?? 0..<0 }
}

private func fuzzToolList(_ bytes: RawSpan) {
    let isAllowed = { (name: RawSpan) in name.byteCount < 5 }
    let edits = ToolList.edits(in: bytes, allows: isAllowed)
    always((edits != nil) == ((try? JSONValue(bytes)) != nil), "a list is read where it is JSON")
    guard let edits else { return }
    let edited = applied(edits, to: bytes)
    always(edited.count <= bytes.byteCount, "what is taken out is gone")
    always(ToolList.edits(in: unsafe edited.span.bytes, allows: isAllowed) == [], "nothing is left to be taken out")
    always(ToolList.edits(in: unsafe edited.span.bytes, allows: { _ in true })?.isEmpty == true || edits.isEmpty, "nor anything without a name")
    always(ToolList.edits(in: bytes, allows: { _ in true })?.count ?? 0 <= edits.count, "what may pass is not taken out")
}

private func fuzzProtection(_ bytes: RawSpan) {
    let url = Array("https://here/mcp/x".utf8)
    if let edit = ProtectedResource.edit(bytes, resource: unsafe url.span.bytes) {
        let edited = applied([edit], to: bytes)
        always(ProtectedResource.edit(unsafe edited.span.bytes, resource: unsafe url.span.bytes)?.bytes == edited, "metadata that was rewritten stays so")
    }
    var value: [UInt8] = []
    ProtectedResource.rewrite(challenge: bytes, metadata: unsafe url.span.bytes) { value += $0.array }
    var again: [UInt8] = []
    ProtectedResource.rewrite(challenge: unsafe value.span.bytes, metadata: unsafe url.span.bytes) { again += $0.array }
    always(again == value, "a challenge that was rewritten stays so")
}

/// Every event's data is replaced, and read again.
private func fuzzEventData(_ input: [UInt8]) {
    let new = Array("n\new".utf8)
    var stream: [UInt8] = []
    var count = 0
    var reader = EventStreamReader(limit: 1 << 20)
    func take(_ event: borrowing EventStreamEvent) {
        guard event.data.byteCount > 0 else { return stream += event.raw.array }
        count += 1
        event.write(data: unsafe new.span.bytes) { stream += $0.array }
    }
    unsafe reader.read(input.span.bytes) { take($0) }
    reader.finish { take($0) }
    var found = 0
    var second = EventStreamReader(limit: 1 << 20)
    func check(_ event: borrowing EventStreamEvent) {
        guard event.data.byteCount > 0 else { return }
        found += 1
        always(event.data.array == new, "data that was replaced is read")
    }
    unsafe second.read(stream.span.bytes) { check($0) }
    second.finish { check($0) }
    always(found == count, "there are as many events")
}

private func applied(_ edits: [MessageEdit], to bytes: RawSpan) -> [UInt8] {
    var result: [UInt8] = []
    edits.apply(to: bytes) { result += $0.array }
    return result
}
