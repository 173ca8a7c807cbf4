import EventLoop
import HTTP

/// A server on a loop of its own, on a free port of the loopback address.
struct ServerUnderTest {
    let loop: EventLoop
    let server: HTTPServer
    let port: UInt16

    init(_ limits: HTTPServer.Limits = .init(), handler: @escaping HTTPServer.Handler) throws {
        let sockets = try ListeningSockets.bind(to: SocketAddress("127.0.0.1", port: 0)!, count: 1)
        let loop = try EventLoop(name: "server")
        let server = HTTPServer(loop: loop, limits: limits, handler: handler)
        port = sockets.address.port
        self.loop = loop
        self.server = server
        Task(executorPreference: loop) { await server.listen(on: sockets.descriptors[0]) }
        loop.start()
    }

    /// Sends the text, ends our side, and gives back all that comes.
    func answer(to text: String) throws -> String? {
        let client = try RawClient(to: port)
        client.send(text)
        client.finish()
        return client.readToEnd()
    }

    func stop() async {
        await server.stop(within: .seconds(5))
        loop.stop()
        loop.join()
    }

    /// Answers with what it was asked: method, path, query, fields, body.
    static let echo: HTTPServer.Handler = { request in
        var text = "\(request.methodName) \(request.path)"
        if let query = request.query { text += " ?\(query)" }
        for field in request.fields where field.name.lowercased().hasPrefix("x-") { text += " \(field.name)=\(field.value)" }
        if !request.body.isEmpty { text += " body=" + String(decoding: request.body, as: UTF8.self) }
        return HTTPResponse(200, "text/plain", text)
    }
}
