@testable import Gateway
@testable import HTTP
import Testing

@Suite struct `An exchange that is kept for another request` {
    @Test func `does not keep the memory that a large one took`() throws {
        let exchange = Exchange()
        let much = [UInt8](repeating: 0x20, count: 200 << 10)
        let redacted = OutputBuffer()
        exchange.redacted = redacted
        for buffer in [exchange.body, exchange.output, redacted] { unsafe buffer.append(much.span.bytes) }
        let field = "x: " + String(repeating: "y", count: 60_000) + "\r\n\r\n"
        let request = Array("GET / HTTP/1.1\r\nhost: a\r\n\(field)".utf8)
        let answer = Array("HTTP/1.1 200 OK\r\n\(field)".utf8)
        try unsafe HeadParser.parseRequest(request.span.bytes, into: exchange.request)
        try unsafe HeadParser.parseResponse(answer.span.bytes, to: .get, into: exchange.answer)
        exchange.reset()
        for buffer in [exchange.body, exchange.output, redacted] { #expect(buffer.capacity <= 16 << 10) }
        for head in [exchange.request, exchange.answer] { #expect(unsafe head.bytes.count <= 4 << 10) }
        // It is ready for the next.
        let next = Array("GET /b HTTP/1.1\r\nhost: a\r\n\r\n".utf8)
        try unsafe HeadParser.parseRequest(next.span.bytes, into: exchange.request)
        let kept = exchange.request
        let target = kept.target.string
        #expect(target == "/b")
    }
}
