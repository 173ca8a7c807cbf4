import HTTP

/// HTTP/1 heads: the pass over a head at hand and the careful way agree, and no part of a head holds a line end.
func fuzzHead(_ input: [UInt8]) {
    let bytes = unsafe input.span.bytes
    let head = MessageHead()
    let careful = MessageHead()

    var scanned = 0
    let end = try? HeadParser.end(in: bytes, scanned: &scanned)
    always(end == endBytewise(bytes), "a head ends at the same byte however it arrives")

    if let length = HeadParser.requestAtHand(bytes, into: head) {
        always(length == end, "the request at hand ends where the head ends")
        always((try? HeadParser.parseRequest(bytes.extracting(first: length), into: careful)) != nil, "a request at hand parses")
        always(head.method == careful.method && head.target.array == careful.target.array, "both ways read one request line")
        always(!head.path.array.contains(UInt8(ascii: "?")), "the path has no query")
        checkFields(head, careful)
    } else if let end {
        always((try? HeadParser.parseRequest(bytes.extracting(first: end), into: careful)) == nil, "a request that parses is at hand")
    }
    for method in [Method.get, .head] {
        if let length = HeadParser.responseAtHand(bytes, to: method, into: head) {
            always(length == end, "the answer at hand ends where the head ends")
            always((try? HeadParser.parseResponse(bytes.extracting(first: length), to: method, into: careful)) != nil, "an answer at hand parses")
            always(head.status == careful.status && head.statusText.byteCount == 3, "both ways read one status line")
            checkFields(head, careful)
        }
    }
}

private func endBytewise(_ bytes: RawSpan) -> Int? {
    var scanned = 0
    for count in 1..<(bytes.byteCount + 1) {
        do {
            if let end = try HeadParser.end(in: bytes.extracting(first: count), scanned: &scanned) { return end }
        } catch { return nil }
    }
    return nil
}

private func checkFields(_ head: MessageHead, _ other: MessageHead) {
    always(head.fieldCount == other.fieldCount && head.framing == other.framing, "both ways read one framing")
    always(head.keepsAlive == other.keepsAlive, "both ways keep the connection alike")
    for index in 0..<head.fieldCount {
        let value = head.value(index).array
        always(value == other.value(index).array && head.name(index).array == other.name(index).array, "both ways read the same fields")
        always(!value.contains { $0 == 0x0D || $0 == 0x0A || $0 == 0 }, "no value holds a line end or NUL")
        always(head.name(index).byteCount > 0 && head.line(index).array.suffix(2) == [0x0D, 0x0A], "a field's line ends in CRLF")
    }
}
