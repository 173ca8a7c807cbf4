public import EventLoop
import HTTP
import JSON

/// A server on this machine that answers as an LLM provider would, or an MCP server, or an agent: for the demo, where no key and no network
/// is needed.
///
/// What it says is written down beforehand (`OpenAIStandIn`, `AnthropicStandIn`, `ToolServer`, `Historian`); how it says it is real: shapes, headers, streams,
/// errors, and the time it takes.
public final class StandIn: Sendable {
    public let address: SocketAddress
    private let loop: EventLoop
    private let server: HTTPServer

    /// Listens on a free port of the loopback address, on a loop of its own.
    private init(_ name: String, _ answer: @escaping @Sendable (HTTPRequest, EventLoop) async -> HTTPResponse) throws(SystemError) {
        let loopback = SocketAddress("127.0.0.1", port: 0)!
        let sockets = try ListeningSockets.bind(to: loopback, count: 1)
        let loop = try EventLoop(name: name)
        let server = HTTPServer(loop: loop) { request in await answer(request, loop) }
        (self.loop, self.server, address) = (loop, server, sockets.address)
        let descriptor = sockets.descriptors[0]
        Task(executorPreference: loop) { await server.listen(on: descriptor) }
        loop.start()
    }

    public static func openAI() throws(SystemError) -> StandIn {
        try StandIn("openai") { request, loop in await OpenAIStandIn.answer(request, loop) }
    }

    /// It is overloaded when it is first asked.
    public static func anthropic() throws(SystemError) -> StandIn {
        let overload = Overload()
        return try StandIn("anthropic") { request, loop in await AnthropicStandIn.answer(request, overload, loop) }
    }

    /// An MCP server with figures.
    public static func metrics() throws(SystemError) -> StandIn {
        try StandIn("metrics") { request, loop in await ToolServer.metrics.answer(request, loop) }
    }

    public static func agent(_ historian: Historian) throws(SystemError) -> StandIn {
        try StandIn("historian") { request, loop in await historian.answer(request, loop) }
    }

    /// Its base URL.
    public var url: String { "http://\(address)" }

    /// From any thread but its own.
    public func stop() async {
        await server.stop(within: .milliseconds(200))
        loop.stop()
        loop.join()
    }
}

/// What both stand-ins are asked.
struct StandInRequest {
    let json: JSONValue
    let model: String
    let wantsStream: Bool

    /// Nil where the body is no JSON object with a model in it.
    init?(_ request: HTTPRequest) {
        let body = request.body
        // Sound: the array outlives the call.
        guard request.method == .post, let json = try? JSONValue(unsafe body.span.bytes), let model = json["model"]?.string else { return nil }
        self.json = json
        self.model = model
        wantsStream = json["stream"]?.bool ?? false
    }
}

extension HTTPResponse {
    static func json(_ status: Int, _ text: String, _ fields: [HTTPField] = []) -> HTTPResponse {
        HTTPResponse(status, fields: [HTTPField("content-type", "application/json")] + fields, body: .bytes(Array(text.utf8)))
    }

    /// Events one after the other, with a pause before each.
    static func events(_ events: [String], _ fields: [HTTPField], pause: UInt64, on loop: EventLoop) -> HTTPResponse {
        HTTPResponse(200, fields: [HTTPField("content-type", "text/event-stream; charset=utf-8")] + fields, body: .stream { writer in
            for event in events {
                await loop.sleep(nanoseconds: pause)
                try await writer.write(event)
            }
        })
    }
}

extension String {
    /// As a JSON string, with its quotes.
    var quoted: String {
        var json = JSONWriter()
        json.string(self)
        return String(decoding: json.bytes, as: UTF8.self)
    }

    /// In pieces of some words, as models send them; joined they are the text.
    func pieces(ofWords count: Int) -> [String] {
        var pieces: [String] = []
        var piece = ""
        var words = 0
        for character in self {
            piece.append(character)
            if character == " " { words += 1 }
            if words == count {
                pieces.append(piece)
                (piece, words) = ("", 0)
            }
        }
        return piece.isEmpty ? pieces : pieces + [piece]
    }
}
