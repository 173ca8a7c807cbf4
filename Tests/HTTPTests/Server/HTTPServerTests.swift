import EventLoop
import Peers
import Synchronization
import Testing

@testable import HTTP

@Suite struct `An HTTP server` {
    @Test func `hands a request on as it came and frames the answer`() async throws {
        let it = try ServerUnderTest(handler: ServerUnderTest.echo)
        let answer = try it.answer(to: "GET /a%20b/c?x=1&y=%26 HTTP/1.1\r\nHost: h\r\nX-Some: one two \r\n\r\n")
        #expect(answer == "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 38\r\n\r\nGET /a%20b/c ?x=1&y=%26 X-Some=one two")
        await it.stop()
    }

    @Test func `answers pipelined requests in order on one connection`() async throws {
        let it = try ServerUnderTest { request in
            // The first is the slowest.
            if request.path == "/1" { await Task.yield() }
            return HTTPResponse(200, "text/plain", request.path)
        }
        let answer = try it.answer(to: (1...3).map { "GET /\($0) HTTP/1.1\r\nHost: h\r\n\r\n" }.joined())
        #expect(answer == (1...3).map { "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\n/\($0)" }.joined())
        await it.stop()
    }

    @Test func `does not serve one connection alone, whatever is pipelined on it`() async throws {
        let it = try ServerUnderTest(handler: ServerUnderTest.echo)
        let count = 1_000
        let before = it.loop.health.turns.load(ordering: .relaxed)
        let answers = try it.answer(to: String(repeating: "GET / HTTP/1.1\r\nHost: h\r\n\r\n", count: count))
        #expect(answers?.ranges(of: "HTTP/1.1 200 OK\r\n").count == count)
        #expect(it.loop.health.turns.load(ordering: .relaxed) - before >= count / HTTPServer.requestsPerTurn)
        await it.stop()
    }

    @Test func `reads a body of either framing whole`() async throws {
        let it = try ServerUnderTest(handler: ServerUnderTest.echo)
        let client = try RawClient(to: it.port)
        client.send("POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello")
        #expect(client.read(upTo: "body=hello").hasSuffix("POST /1 body=hello"))
        client.send("POST /2 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nTrailer: t\r\n\r\n")
        #expect(client.read(upTo: "body=hello").hasSuffix("POST /2 body=hello"))
        client.send("GET /3 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        #expect(client.readToEnd() == "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 6\r\nconnection: close\r\n\r\nGET /3")
        await it.stop()
    }

    @Test func `gives leave to send a body that is waiting for it`() async throws {
        let it = try ServerUnderTest(handler: ServerUnderTest.echo)
        let client = try RawClient(to: it.port)
        client.send("PUT /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        #expect(client.read(upTo: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
        client.send("ok")
        #expect(client.read(upTo: "body=ok").hasPrefix("HTTP/1.1 200 OK\r\n"))
        await it.stop()
    }

    @Test func `answers HEAD with the head alone, whole or streamed`() async throws {
        let it = try ServerUnderTest { request in
            request.path == "/stream"
                ? HTTPResponse(200, fields: [HTTPField("content-type", "text/plain")], body: .stream { writer in try await writer.write("no") })
                : HTTPResponse(200, "text/plain", "twelve bytes")
        }
        let answer = try it.answer(to: "HEAD / HTTP/1.1\r\nHost: h\r\n\r\nHEAD /stream HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(
            answer == "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 12\r\n\r\n"
                + "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n")
        await it.stop()
    }

    @Test func `streams an answer piece by piece`() async throws {
        let gate = WorkSignal()
        let it = try ServerUnderTest { _ in
            HTTPResponse(200, body: .stream { writer in
                try await writer.write("one")
                // The second piece is written when the test has read the first: a server that gathered them would never end.
                await Self.wait(for: gate)
                try await writer.write("")
                try await writer.write("and two")
            })
        }
        let client = try RawClient(to: it.port)
        client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(client.read(upTo: "one\r\n") == "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n")
        gate.signal()
        #expect(client.read(upTo: "0\r\n\r\n") == "7\r\nand two\r\n0\r\n\r\n")
        client.send("GET / HTTP/1.0\r\n\r\n")
        gate.signal()
        #expect(client.readToEnd() == "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\noneand two")
        await it.stop()
    }

    /// Waits on a thread of its own: the server's loop must not block.
    private static func wait(for gate: WorkSignal) async {
        await withCheckedContinuation { continuation in
            Thread.detach(named: "gate") {
                gate.wait()
                continuation.resume()
            }
        }
    }

    @Test func `cuts the connection when a streamed answer fails, so that the caller can tell`() async throws {
        struct Trouble: Error {}
        let it = try ServerUnderTest { _ in
            HTTPResponse(200, body: .stream { writer in
                try await writer.write("half")
                throw Trouble()
            })
        }
        let client = try RawClient(to: it.port)
        client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(client.readToEnd()?.contains("0\r\n\r\n") != true)
        await it.stop()
    }

    @Test func `writes large answers to a caller that takes its time`() async throws {
        let size = 3 << 20
        let it = try ServerUnderTest { request in
            let bytes = [UInt8](repeating: UInt8(ascii: "x"), count: size)
            return HTTPResponse(200, body: request.path == "/stream" ? .stream { writer in try await writer.write(bytes) } : .bytes(bytes))
        }
        let whole = try it.answer(to: "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(whole?.utf8.count(where: { $0 == UInt8(ascii: "x") }) == size)
        let streamed = try it.answer(to: "GET /stream HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(streamed?.utf8.count(where: { $0 == UInt8(ascii: "x") }) == size)
        await it.stop()
    }

    @Test func `keeps what a handler passes on from breaking out of its line`() async throws {
        let it = try ServerUnderTest { _ in HTTPResponse(200, fields: [HTTPField("x-echo", "a\r\nset-cookie: b")]) }
        let answer = try it.answer(to: "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(answer == "HTTP/1.1 200 OK\r\nx-echo: a  set-cookie: b\r\ncontent-length: 0\r\n\r\n")
        await it.stop()
    }

    struct Refused: Sendable, CustomTestStringConvertible {
        let what: String
        let status: String
        let sent: String
        var testDescription: String { what }
    }

    static let refused: [Refused] = [
        Refused(what: "no request line", status: "400 Bad Request", sent: "hello\r\n\r\n"),
        Refused(what: "no host", status: "400 Bad Request", sent: "GET / HTTP/1.1\r\n\r\n"),
        Refused(what: "two lengths", status: "400 Bad Request", sent: "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"),
        Refused(what: "length and chunks", status: "400 Bad Request", sent: "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
        Refused(what: "a bad chunk size", status: "400 Bad Request", sent: "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
        Refused(what: "a length beyond the limit", status: "413 Content Too Large", sent: "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 101\r\n\r\n"),
        Refused(
            what: "chunks beyond the limit", status: "413 Content Too Large",
            sent: "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n" + String(repeating: "x", count: 101) + "\r\n0\r\n\r\n"),
        Refused(
            what: "too many fields", status: "431 Request Header Fields Too Large",
            sent: "GET / HTTP/1.1\r\nHost: h\r\n" + (1...100).map { "x-\($0): y\r\n" }.joined() + "\r\n"),
        Refused(
            what: "too large a head", status: "431 Request Header Fields Too Large",
            sent: "GET / HTTP/1.1\r\nHost: h\r\nx: " + String(repeating: "y", count: 70_000) + "\r\n\r\n"),
        Refused(what: "an upgrade", status: "501 Not Implemented", sent: "GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"),
        Refused(what: "empty lines without end", status: "400 Bad Request", sent: String(repeating: "\r\n", count: 10_000)),
        Refused(what: "another coding", status: "501 Not Implemented", sent: "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"),
        Refused(what: "HTTP/2", status: "505 HTTP Version Not Supported", sent: "GET / HTTP/2.0\r\nHost: h\r\n\r\n"),
    ]

    @Test(arguments: refused) func `refuses what it must not read, says why, and closes`(refused: Refused) async throws {
        var limits = HTTPServer.Limits()
        limits.maxBody = 100
        let it = try ServerUnderTest(limits, handler: ServerUnderTest.echo)
        // What follows on the connection must not be taken for a request.
        let answer = try #require(try it.answer(to: refused.sent + "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"))
        #expect(answer.hasPrefix("HTTP/1.1 \(refused.status)\r\ncontent-type: application/problem+json\r\n"))
        #expect(answer.contains("\r\nconnection: close\r\n"))
        #expect(answer.contains(#""status":\#(refused.status.prefix(3)),"detail":""#))
        // What was wrong, and what to do.
        #expect(answer.split(separator: #""detail":""#).last?.split(separator: ". ").count == 2)
        #expect(!answer.contains("smuggled"))
        await it.stop()
    }

    @Test func `tells a caller that is too slow with its head or body so`() async throws {
        var limits = HTTPServer.Limits()
        limits.head = .milliseconds(50)
        limits.idle = .milliseconds(50)
        let it = try ServerUnderTest(limits, handler: ServerUnderTest.echo)
        let head = try RawClient(to: it.port)
        head.send("GET / HT")
        #expect(head.readToEnd()?.hasPrefix("HTTP/1.1 408 Request Timeout\r\n") == true)
        let body = try RawClient(to: it.port)
        body.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhe")
        #expect(body.readToEnd()?.hasPrefix("HTTP/1.1 408 Request Timeout\r\n") == true)
        await it.stop()
    }

    @Test func `closes a connection on which nothing is asked at all`() async throws {
        var limits = HTTPServer.Limits()
        limits.head = .milliseconds(50)
        limits.keepAlive = .seconds(3_600)
        let it = try ServerUnderTest(limits, handler: ServerUnderTest.echo)
        let never = try RawClient(to: it.port)
        #expect(never.readToEnd() == "")
        await it.stop()
    }

    @Test func `closes a connection on which nothing more is asked`() async throws {
        var limits = HTTPServer.Limits()
        limits.head = .seconds(3_600)
        limits.keepAlive = .milliseconds(50)
        let it = try ServerUnderTest(limits, handler: ServerUnderTest.echo)
        let once = try RawClient(to: it.port)
        once.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(once.readToEnd()?.hasSuffix("\r\n\r\nGET /") == true)
        await it.stop()
    }

    @Test func `takes no notice of a protocol that it might speak instead`() async throws {
        let it = try ServerUnderTest(handler: ServerUnderTest.echo)
        let answer = try it.answer(to: "GET /a HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAM\r\n\r\n")
        #expect(answer?.hasPrefix("HTTP/1.1 200 OK\r\n") == true)
        await it.stop()
    }

    @Test func `does not wait for a handler that does not let go of the loop`() async throws {
        let entered = WorkSignal()
        let gate = WorkSignal()
        let wasLetGo = Mailbox<Bool>()
        let it = try ServerUnderTest { _ in
            entered.signal()
            wasLetGo.put(gate.wait(nanoseconds: 300_000_000_000))
            return HTTPResponse(200, "text/plain", "done")
        }
        let client = try RawClient(to: it.port)
        client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        entered.wait()
        await it.server.stop(within: .zero)
        gate.signal()
        #expect(try wasLetGo.take())
        await it.stop()
    }

    @Test func `lets a running request end when told to stop, and takes no other`() async throws {
        let entered = WorkSignal()
        let gate = WorkSignal()
        let it = try ServerUnderTest { request in
            entered.signal()
            await Self.wait(for: gate)
            return HTTPResponse(200, "text/plain", "done")
        }
        let idle = try RawClient(to: it.port)
        let busy = try RawClient(to: it.port)
        busy.send("GET / HTTP/1.1\r\nHost: h\r\n\r\nGET /next HTTP/1.1\r\nHost: h\r\n\r\n")
        entered.wait()
        await it.server.drain()
        #expect(idle.readToEnd() == "")
        #expect(throws: SystemError.self) { try RawClient(to: it.port) }
        gate.signal()
        #expect(busy.readToEnd() == "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 4\r\nconnection: close\r\n\r\ndone")
        await it.stop()
    }

    @Test func `ends a stream that would go on for ever`() async throws {
        let it = try ServerUnderTest { _ in
            HTTPResponse(200, body: .stream { writer in
                while true { try await writer.write(String(repeating: "x", count: 4096)) }
            })
        }
        let client = try RawClient(to: it.port)
        client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        _ = client.read(upTo: "xxx")
        await it.server.stop(within: .zero)
        #expect(it.server.active == 0)
        await it.stop()
    }
}
