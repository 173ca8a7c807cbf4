@testable import HTTP
import Testing

/// What comes behind a body's last chunk is bounded as a head is, and as strictly read.
@Suite struct `Trailer fields` {
    /// - Parameter piece: bytes handed over at a time.
    private func decode(_ text: String, keeping: Bool = true, piece: Int = .max) throws -> [UInt8]? {
        var decoder = ChunkedDecoder()
        if keeping { decoder.keepTrailers() }
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty, !decoder.isDone {
            var bytes = Array(rest.prefix(piece))
            rest = rest.dropFirst(bytes.count)
            // Sound: lent for the call.
            _ = try unsafe bytes.withUnsafeMutableBytes { try unsafe decoder.decode($0) }
        }
        #expect(decoder.isDone)
        return decoder.trailers
    }

    private static let lines = "X-Checksum: abc\r\nServer-Timing:\ttotal;dur=1.5 \r\nempty:\r\n"

    @Test(arguments: [1, 2, 7, .max]) func `are kept line for line, however they arrive`(piece: Int) throws {
        #expect(try decode("5\r\nhello\r\n0\r\n\(Self.lines)\r\n", piece: piece) == Array(Self.lines.utf8))
    }

    @Test func `are dropped where nobody asked for them`() throws {
        #expect(try decode("5\r\nhello\r\n0\r\n\(Self.lines)\r\n", keeping: false) == nil)
    }

    @Test func `are no more, and no larger, than a head's`() throws {
        let field = "a: 1\r\n"
        #expect(try decode("0\r\n" + String(repeating: field, count: 100) + "\r\n")?.count == 600)
        #expect(throws: ChunkedDecoder.Failure.trailersTooLarge) { try decode("0\r\n" + String(repeating: field, count: 101) + "\r\n", keeping: false) }
        let most = HeadParser.bytesAtMost - 5
        #expect(try decode("0\r\na: " + String(repeating: "b", count: most) + "\r\n\r\n")?.count == HeadParser.bytesAtMost)
        #expect(throws: ChunkedDecoder.Failure.trailersTooLarge) { try decode("0\r\na: " + String(repeating: "b", count: most + 1) + "\r\n\r\n", keeping: false) }
    }

    @Test(arguments: ["GET / HTTP/1.1\r\n", "a\r\n", ": b\r\n", " a: b\r\n", "a : b\r\n", "a: b\n", "a: b\rc: d\r\n", "a: \0\r\n"])
    func `that are none are refused`(line: String) {
        #expect(throws: ChunkedDecoder.Failure.self) { try decode("0\r\n\(line)\r\n") }
    }
}
