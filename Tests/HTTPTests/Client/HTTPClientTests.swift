import Deflate
import EventLoop
import Glibc
import HTTP
import Peers
import Synchronization
import Testing

@Suite struct `An HTTP client` {
    private func request(_ server: PeerServer, _ method: HTTP.Method = .get, _ target: String = "/a?b=c", headers: HTTPFields = [:], body: String = "") -> HTTPClientRequest {
        HTTPClientRequest(method, Origin(isTLS: false, host: "127.0.0.1", port: server.port), target: target, headers: headers, body: Array(body.utf8))
    }

    private final class Counter: Sendable {
        private let count = Atomic<Int>(0)
        func next() -> Int { count.add(1, ordering: .relaxed).newValue }
    }

    private func failure(_ request: HTTPClientRequest) -> HTTPClientError? {
        do throws(HTTPClientError) {
            _ = try HTTPClient.sendBlocking(request)
            return nil
        } catch { return error }
    }

    @Test func `sends head and body, and reads status, headers and body`() throws {
        let server = try PeerServer { connection in
            guard let (head, body) = try connection.readRequest() else { return }
            let echo = head.lowercased() + "|" + String(decoding: body, as: UTF8.self)
            try connection.write("HTTP/1.1 201 Made\r\nX-One: a\r\nx-one: b\r\nContent-Length: \(echo.utf8.count)\r\n\r\n" + echo)
        }
        defer { server.stop() }
        let answer = try HTTPClient.sendBlocking(request(server, .post, headers: ["X-Key": "v"], body: "hello"))
        #expect(answer.status == 201)
        #expect(answer.headers["x-one"] == "a")
        #expect(answer.headers.lines.filter { $0.name.lowercased() == "x-one" }.map(\.value) == ["a", "b"])
        #expect(
            String(decoding: answer.body, as: UTF8.self)
                == "post /a?b=c http/1.1\r\nhost: 127.0.0.1:\(server.port)\r\naccept-encoding: gzip\r\ncontent-length: 5\r\nx-key: v|hello")
    }

    struct Answer: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let bytes: [UInt8]
        let body: String
        init(_ name: String, _ text: String, _ body: String) { self.init(name, Array(text.utf8), body) }
        init(_ name: String, _ bytes: [UInt8], _ body: String) { (testDescription, self.bytes, self.body) = (name, bytes, body) }
    }

    private static func gzip(_ text: String) -> [UInt8] {
        var deflater = Deflater()
        let bytes = Array(text.utf8)
        deflater.compress(unsafe bytes.span.bytes)
        return deflater.withOutput { span in unsafe span.withUnsafeBytes { unsafe Array($0) } }
    }

    static let answers: [Answer] = [
        Answer("of a length", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", "hello"),
        Answer("without a body", "HTTP/1.1 204 No Content\r\n\r\n", ""),
        Answer("in chunks", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nT: v\r\n\r\n", "hello"),
        Answer("until the close", "HTTP/1.1 200 OK\r\n\r\nhello", "hello"),
        Answer("of HTTP/1.0", "HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nhello", "hello"),
        Answer("after interim ones", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: <x>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", "hello"),
        Answer(
            "in gzip",
            Array("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: \(gzip("hello hello").count)\r\n\r\n".utf8) + gzip("hello hello"), "hello hello"),
    ]

    @Test(arguments: answers) func `reads an answer`(_ answer: Answer) throws {
        let server = try PeerServer { connection in
            _ = try connection.readRequest()
            try connection.write(answer.bytes)
        }
        defer { server.stop() }
        let got = try HTTPClient.sendBlocking(request(server))
        #expect(String(decoding: got.body, as: UTF8.self) == answer.body)
    }

    static let malformed: [(name: String, bytes: String, error: HTTPClientError)] = [
        ("garbage", "\u{16}\u{3}\u{1}garbage\r\n\r\n", .malformedAnswer),
        ("another protocol", "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n", .malformedAnswer),
        ("a bad chunk", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", .malformedAnswer),
        ("no gzip", "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 5\r\n\r\nhello", .malformedAnswer),
        ("nothing", "", .cut),
        ("half a head", "HTTP/1.1 200 OK\r\nconte", .cut),
        ("half a body", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhel", .cut),
        ("a long body", "HTTP/1.1 200 OK\r\ncontent-length: 101\r\n\r\n" + String(repeating: "x", count: 101), .answerTooLarge),
        ("a long body in chunks", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n65\r\n" + String(repeating: "x", count: 101) + "\r\n0\r\n\r\n", .answerTooLarge),
    ]

    @Test(arguments: malformed) func `says what is wrong with`(_ name: String, _ bytes: String, _ error: HTTPClientError) throws {
        let server = try PeerServer { connection in
            _ = try connection.readRequest()
            try connection.write(bytes)
        }
        defer { server.stop() }
        var request = request(server)
        request.bodyLimit = 100
        #expect(failure(request) == error)
        #expect(server.accepted == 1, "what a fresh connection failed at is not tried again")
    }

    @Test(arguments: ["HTTP/1.1 100 Continue\r\n\r\n", "\r\n"]) func `does not wait for an answer behind others without end`(what: String) throws {
        let server = try PeerServer { connection in
            _ = try connection.readRequest()
            let much = String(repeating: what, count: (64 << 10) / what.utf8.count)
            while true { try connection.write(much) }
        }
        defer { server.stop() }
        #expect(failure(request(server)) == .malformedAnswer)
    }

    @Test func `refuses a small body that decodes to a large one`() throws {
        let coded = Self.gzip(String(repeating: "x", count: 100_000))
        let server = try PeerServer { connection in
            _ = try connection.readRequest()
            try connection.write("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: \(coded.count)\r\n\r\n")
            try connection.write(coded)
        }
        defer { server.stop() }
        var request = request(server)
        request.bodyLimit = 99_999
        #expect(failure(request) == .answerTooLarge)
        request.bodyLimit = 100_000
        #expect(failure(request) == nil)
    }

    @Test func `keeps a connection and uses it again`() throws {
        let accepted = Counter()
        let server = try PeerServer { connection in
            let number = accepted.next()
            while try connection.readRequest() != nil { try connection.write("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n\(number)") }
        }
        defer { server.stop() }
        let request = request(server)
        let bodies = try HTTPClient.blocking { client throws(HTTPClientError) in
            var bodies: [[UInt8]] = []
            for _ in 0..<5 { bodies.append(try await client.send(request).body) }
            return bodies
        }
        #expect(bodies == Array(repeating: Array("1".utf8), count: 5))
        #expect(server.accepted == 1)
    }

    @Test func `opens another connection where the server closes`() throws {
        let accepted = Counter()
        let server = try PeerServer { connection in
            let number = accepted.next()
            _ = try connection.readRequest()
            try connection.write("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 1\r\n\r\n\(number)")
        }
        defer { server.stop() }
        let request = request(server)
        let bodies = try HTTPClient.blocking { client throws(HTTPClientError) in
            [try await client.send(request).body, try await client.send(request).body]
        }
        #expect(bodies == [Array("1".utf8), Array("2".utf8)])
    }

    @Test func `repeats once what a kept connection dropped`() throws {
        let accepted = Counter()
        let server = try PeerServer { connection in
            let number = accepted.next()
            _ = try connection.readRequest()
            try connection.write("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n\(number)")
            _ = try connection.readRequest()  // and closes
        }
        defer { server.stop() }
        let request = request(server, .post, body: "again")
        let bodies = try HTTPClient.blocking { client throws(HTTPClientError) in
            [try await client.send(request).body, try await client.send(request).body]
        }
        #expect(bodies == [Array("1".utf8), Array("2".utf8)])
    }

    @Test func `repeats nothing that was answered in part`() throws {
        let server = try PeerServer { connection in
            _ = try connection.readRequest()
            try connection.write("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n1")
            _ = try connection.readRequest()
            try connection.write("HTTP/1.1 103 Early Hints\r\n\r\n")  // and closes
        }
        defer { server.stop() }
        let request = request(server, .post, body: "once")
        try HTTPClient.blocking { client throws(HTTPClientError) in
            _ = try await client.send(request)
            do throws(HTTPClientError) {
                _ = try await client.send(request)
                Issue.record("it was answered")
            } catch { #expect(error == .cut) }
        }
        #expect(server.accepted == 1)
    }

    @Test func `says that nobody listens`() throws {
        let server = try PeerServer { _ in }
        server.stop()
        #expect(failure(request(server)) == .connect(.refused(ECONNREFUSED)))
    }

    @Test func `waits no longer than it was told`() throws {
        let server = try PeerServer { connection in _ = try connection.readToEnd() }
        defer { server.stop() }
        var request = request(server)
        request.timeout = .milliseconds(50)
        #expect(failure(request) == .timedOut)
    }

    @Test func `gives a slow answer all its time and no more`() throws {
        let server = try PeerServer { connection in
            _ = try connection.readRequest()
            try connection.write("HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
            for _ in 0..<1_000 where !connection.hasSomething() {
                try connection.write("x")
                usleep(5_000)
            }
        }
        defer { server.stop() }
        var request = request(server)
        request.timeout = .milliseconds(100)
        #expect(failure(request) == .timedOut)
    }

    @Test func `hears a server that answers without reading the body`() throws {
        let server = try PeerServer { connection in
            try connection.write("HTTP/1.1 413 Content Too Large\r\ncontent-length: 3\r\n\r\nbig")
            shutdown(connection.descriptor, Int32(SHUT_RD))
            usleep(50_000)
        }
        defer { server.stop() }
        var request = request(server, .post)
        request.body = Array(repeating: 7, count: 32 << 20)
        let answer = try HTTPClient.sendBlocking(request)
        #expect(answer.status == 413)
        #expect(answer.body == Array("big".utf8))
    }

    @Test func `hands a stream on piece by piece and ends it when told`() throws {
        let pieces = Mutex<[String]>([])
        let statuses = Mutex<[Int]>([])
        let server = try PeerServer { connection in
            _ = try connection.readRequest()
            try connection.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
            for piece in 1...3 {
                // The next is written when the one before has arrived.
                while pieces.withLock({ $0.count }) < piece - 1 { usleep(1_000) }
                try connection.write("8\r\ndata: \(piece)\n\r\n")
            }
            _ = try connection.readToEnd()
        }
        defer { server.stop() }
        try HTTPClient.streamBlocking(
            request(server), onHead: { head in statuses.withLock { $0.append(head.status) } },
            onPiece: { piece in
                let text = unsafe piece.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
                return pieces.withLock { pieces in
                    pieces.append(text)
                    return pieces.count < 3
                }
            })
        #expect(pieces.withLock { $0 } == ["data: 1\n", "data: 2\n", "data: 3\n"])
        #expect(statuses.withLock { $0 } == [200])
    }

    @Test func `speaks TLS to an https origin it trusts`() throws {
        let server = try PeerServer(tls: Contexts.server()) { connection in
            while let (head, _) = try connection.readRequest() { try connection.write("HTTP/1.1 200 OK\r\ncontent-length: \(head.utf8.count)\r\n\r\n\(head)") }
        }
        defer { server.stop() }
        var request = request(server)
        request.origin = Origin(isTLS: true, host: "127.0.0.1", port: server.port)
        let answer = try HTTPClient.sendBlocking(request, tls: Contexts.client())
        #expect(String(decoding: answer.body, as: UTF8.self).hasPrefix("GET /a?b=c HTTP/1.1\r\nhost: 127.0.0.1:\(server.port)\r\n"))
        // The system has not heard of the tests' authority.
        guard case .connect(.tls) = failure(request) else {
            Issue.record("it was believed")
            return
        }
    }

    @Test func `asks a proxy for what lies behind it`() throws {
        let proxy = try PeerServer { connection in
            guard let (head, _) = try connection.readRequest() else { return }
            try connection.write("HTTP/1.1 200 OK\r\ncontent-length: \(head.utf8.count)\r\n\r\n\(head)")
        }
        defer { proxy.stop() }
        let request = HTTPClientRequest(.get, Origin(isTLS: false, host: "far.test", port: 80), target: "/x")
        let port = proxy.port
        let loop = try EventLoop(name: "client")
        loop.start()
        let client = HTTPClient(on: loop) { _ in Proxy(host: "127.0.0.1", port: port, credentials: "u:p") }
        let answers = Mailbox<String>()
        Task(executorPreference: loop) {
            let answer = try? await client.send(request)
            answers.put(String(decoding: answer?.body ?? [], as: UTF8.self))
            await client.close()
        }
        #expect(try answers.take() == "GET http://far.test/x HTTP/1.1\r\nhost: far.test\r\naccept-encoding: gzip\r\nproxy-authorization: Basic dTpw")
        loop.stop()
        loop.join()
    }

    @Test func `ends a running request when it is closed`() throws {
        let server = try PeerServer { connection in _ = try connection.readToEnd() }
        defer { server.stop() }
        let request = request(server)
        let loop = try EventLoop(name: "client")
        loop.start()
        let client = HTTPClient(on: loop)
        let error = Mutex<HTTPClientError?>(nil)
        let done = WorkSignal()
        Task(executorPreference: loop) {
            do throws(HTTPClientError) { _ = try await client.send(request) } catch let failure { error.withLock { $0 = failure } }
            done.signal()
        }
        while server.accepted == 0 { usleep(1_000) }
        Task(executorPreference: loop) { await client.close() }
        done.wait()
        #expect(error.withLock { $0 } == .closed)
        loop.stop()
        loop.join()
    }

    @Test(arguments: [
        ("http://localhost", "localhost", 80, false, "/"), ("http://LocalHost:8701/api/runs?x=1#frag", "localhost", 8701, false, "/api/runs?x=1"),
        ("https://example.com", "example.com", 443, true, "/"), ("HTTPS://example.com?q", "example.com", 443, true, "/?q"),
        ("http://[::1]:99/x", "::1", 99, false, "/x"), ("http://127.0.0.1/%20", "127.0.0.1", 80, false, "/%20"),
    ] as [(String, String, UInt16, Bool, String)]) func `takes a URL`(_ url: String, _ host: String, _ port: UInt16, _ isTLS: Bool, _ target: String) throws {
        let request = try HTTPClientRequest(.get, url: url)
        #expect(request.origin == Origin(isTLS: isTLS, host: host, port: port))
        #expect(request.target == target)
    }

    @Test(arguments: [
        "", "localhost:8701", "ftp://a", "http:/a", "http://", "http://:80", "http://a:0", "http://a:+1", "http://a:65536", "http://a:b/", "http://u:p@a/", "http://a b/",
        "http://a/b c", "http://a/\r\nx: y", "http://::1/", "http://[::1/", "http://ä/",
    ]) func `refuses what is no URL`(_ url: String) {
        #expect(throws: HTTPClientError.malformedURL) { try HTTPClientRequest(.get, url: url) }
    }

    @Test(arguments: [("a b", "c"), ("", "c"), ("a", "b\r\nc: d"), ("a", "b\0"), ("a:", "b")]) func `refuses a header that would be more than one`(_ name: String, _ value: String) {
        var request = HTTPClientRequest(.get, Origin(isTLS: false, host: "127.0.0.1", port: 1), target: "/")
        request.headers.append(name, value)
        #expect(failure(request) == .malformedRequest)
    }

    @Test(arguments: ["", "a", "*", "/a b", "/a\r\n"]) func `refuses a target that is none`(_ target: String) {
        #expect(failure(HTTPClientRequest(.get, Origin(isTLS: false, host: "127.0.0.1", port: 1), target: target)) == .malformedRequest)
    }
}
