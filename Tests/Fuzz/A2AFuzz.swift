import A2A
import HTTP
import JSON
import JSONRPC
import Tracing

/// Agent cards: what comes out is JSON, leads nowhere but to the gateway, and shows nothing that it should not.
func fuzzAgentCard(_ input: [UInt8]) {
    let bytes = unsafe input.span.bytes
    let gateway = "http://gw/a2a/r"
    // The first byte chooses the agent's own path, which stands in some of the corpus.
    let path = input.first.map { $0 % 2 == 0 ? "" : "/agents/r" } ?? ""
    let rewriting = AgentCardRewriting(gateway: Array(gateway.utf8), agentPath: Array(path.utf8), keepsSecurity: false)
    let card = try? JSONValue(bytes)
    let rewritten = rewriting.rewrite(bytes) { !$0.array.elementsEqual("denied".utf8) }
    guard case .object? = card else { return always(rewritten == nil, "what is no object is no card") }
    guard let rewritten else { fatalError("an object is rewritten") }
    guard case .object(let members)? = try? JSONValue(unsafe rewritten.text.span.bytes) else { fatalError("a card rewritten is an object") }
    for member in members {
        switch member.name {
        case "url": checkURL(member.value)
        case "signatures", "security", "securitySchemes", "securityRequirements": fatalError("a card rewritten has no \(member.name)")
        case "additionalInterfaces", "supportedInterfaces": for interface in elements(member.value) { checkInterface(interface) }
        case "skills":
            for skill in elements(member.value) {
                for member in objectMembers(skill) { always(member.name != "id" || member.value != .string("denied"), "a skill that is denied is not shown") }
            }
        default: break
        }
    }

    func checkURL(_ value: JSONValue) {
        guard case .string(let url) = value else { fatalError("a URL is a string") }
        always(url.hasPrefix(gateway), "a URL leads to the gateway")
    }

    func checkInterface(_ interface: JSONValue) {
        for member in objectMembers(interface) where member.name == "url" { checkURL(member.value) }
    }
}

private func elements(_ value: JSONValue) -> [JSONValue] { if case .array(let elements) = value { elements } else { [] } }

private func objectMembers(_ value: JSONValue) -> [JSONValue.Member] { if case .object(let members) = value { members } else { [] } }

/// Requests to agents and their answers: nothing traps, and a request that is passed on carries our context and no other.
func fuzzA2A(_ input: [UInt8]) {
    let ours = Array("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".utf8)
    let path = Array("/message:stream".utf8)
    let cut = Int(input.first ?? 0) % (input.count + 1)
    let pieces = (Array(input[..<cut]), Array(input[cut...]))
    for isOverHTTP in [false, true] {
        let call = A2ACall()
        let read = { (text: [UInt8]) throws(JSONRPCError) -> A2ARequest in
            let bytes = unsafe text.span.bytes
            guard isOverHTTP else { return try call.readMessage(bytes, version: RawSpan()) }
            guard let operation = A2APath(.post, unsafe path.span.bytes) else { fatalError("the path is one") }
            return try call.readRequest(operation, unsafe path.span.bytes, bytes, version: RawSpan())
        }
        let request = try? read(input)
        let edits = unsafe request?.writing(traceparent: ours.span.bytes, tracestate: RawSpan(), baggage: RawSpan(), in: input.span.bytes) ?? []
        if let request, !edits.isEmpty {
            var edited: [UInt8] = []
            edits.apply(to: unsafe input.span.bytes) { edited += $0.array }
            always((try? JSONValue(unsafe edited.span.bytes)) != nil, "a request edited is JSON")
            guard let again = try? read(edited) else { fatalError("a request edited is one") }
            let isText = { (text: [UInt8], range: Range<Int>) in text[range].first == 0x22 }
            for (before, trace) in [(request.messageTrace, again.messageTrace), (request.paramsTrace, again.paramsTrace)] where isText(edited, trace.traceparent) {
                always(edited[trace.traceparent].elementsEqual([0x22] + ours + [0x22]), "the context is ours")
                guard isText(input, before.traceparent) else { continue }
                always(!isText(edited, trace.tracestate) && !isText(edited, trace.baggage), "nothing else of another context is left")
            }
        }
        for isEventStream in [false, true] {
            call.beginResponse(status: 200, isEventStream: isEventStream)
            unsafe call.observe(pieces.0.span.bytes)
            unsafe call.observe(pieces.1.span.bytes)
            call.endResponse()
            var draft = SpanDraft()
            call.describe(into: &draft)
        }
    }
    for method in [Method.get, .post, .delete] { _ = A2APath(method, unsafe input.span.bytes) }
}
