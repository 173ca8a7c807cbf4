import HTTP
import Testing

@Suite struct `The end of a head` {
    @Test(arguments: [("\r\nHost: a", 2), ("GET / HTTP/1.1\r\nHost: a\r\n\r\nrest", 27), ("a\r\n\r\n", 5)])
    func `is found at the same byte however the head arrives`(text: String, end: Int) throws {
        let bytes = Array(text.utf8)
        var scanned = 0
        #expect(try HeadParser.end(in: unsafe bytes.span.bytes, scanned: &scanned) == end)
        scanned = 0
        for count in 1..<end {
            let found = try HeadParser.end(in: unsafe bytes.span.bytes.extracting(first: count), scanned: &scanned)
            #expect(found == nil, "after \(count) bytes")
        }
        let found = try HeadParser.end(in: unsafe bytes.span.bytes.extracting(first: end), scanned: &scanned)
        #expect(found == end)
    }
}
