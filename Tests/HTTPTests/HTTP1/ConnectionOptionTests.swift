@testable import HTTP
import Testing

@Suite struct `Connection options` {
    private func parse(_ options: Int) throws {
        let names = Array(repeating: "a", count: options).joined(separator: ",")
        let bytes = Array("GET / HTTP/1.1\r\nHost: a\r\nConnection: \(names)\r\n\r\n".utf8)
        try HeadParser.parseRequest(unsafe bytes.span.bytes, into: MessageHead())
    }

    @Test func `are no more than a head may have fields`() throws {
        try parse(100)
        #expect(throws: HeadError.tooManyOptions) { try parse(101) }
        #expect(HeadError.tooManyOptions.status == 431)
    }
}
