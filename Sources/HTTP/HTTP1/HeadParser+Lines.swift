// The lines of a head. Each kind is read in one pass where it has nothing unusual; where it has, the same line is read again step by
// step, and that reading says what is wrong.
extension HeadParser {
    /// `HTTP/1.1` and `HTTP/1.0`, as one little-endian word.
    private static let version11: UInt64 = 0x312E_312F_5054_5448
    private static let version10: UInt64 = 0x302E_312F_5054_5448

    // MARK: first lines

    /// - Returns: where the fields begin; nil where the line is not whole.
    static func requestLine(_ bytes: RawSpan, _ head: MessageHead) throws(HeadError) -> Int? {
        let methodEnd = bytes.endOfTarget(from: 0)
        guard methodEnd > 0, methodEnd < bytes.byteCount, bytes[byte: methodEnd] == 0x20 else { return try anyRequestLine(bytes, head) }
        let targetEnd = bytes.endOfTarget(from: methodEnd + 1)
        // Blank, version, CRLF.
        guard targetEnd > methodEnd + 1, targetEnd + 11 <= bytes.byteCount, bytes[byte: targetEnd] == 0x20,
            bytes[byte: targetEnd + 9] == 0x0D, bytes[byte: targetEnd + 10] == 0x0A
        else { return try anyRequestLine(bytes, head) }
        // Sound: the eleven bytes from `targetEnd` on are there.
        let version = UInt64(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: targetEnd + 1, as: UInt64.self))
        let method = Method(bytes.extracting(first: methodEnd))
        guard version == version11 || version == version10, method != .other else { return try anyRequestLine(bytes, head) }
        head.methodRange = 0..<methodEnd
        head.method = method
        head.minorVersion = version == version11 ? 1 : 0
        head.targetRange = methodEnd + 1..<targetEnd
        return targetEnd + 11
    }

    /// Any request line, well-formed or not.
    static func anyRequestLine(_ bytes: RawSpan, _ head: MessageHead) throws(HeadError) -> Int? {
        guard let lineEnd = try firstLineEnd(bytes) else { return nil }
        guard let methodEnd = bytes.firstIndex(of: 0x20), methodEnd > 0, methodEnd < lineEnd,
            let targetEnd = bytes.firstIndex(of: 0x20, from: methodEnd + 1), targetEnd < lineEnd, targetEnd > methodEnd + 1
        else { throw .malformedStartLine }
        guard Characters.endOfToken(in: bytes, from: 0, to: methodEnd) == methodEnd else { throw .malformedStartLine }
        head.methodRange = 0..<methodEnd
        head.method = Method(bytes.extracting(0..<methodEnd))
        try version(bytes.extracting(targetEnd + 1..<lineEnd), head)
        for offset in methodEnd + 1..<targetEnd where !Characters.isTarget(bytes[byte: offset]) { throw .malformedTarget }
        head.targetRange = methodEnd + 1..<targetEnd
        return lineEnd + 2
    }

    /// - Returns: where the fields begin; nil where the line is not whole.
    static func statusLine(_ bytes: RawSpan, _ head: MessageHead) throws(HeadError) -> Int? {
        guard let lineEnd = try firstLineEnd(bytes) else { return nil }
        guard lineEnd >= 12, bytes[byte: 8] == 0x20, let status = bytes.extracting(9..<12).decimal, status >= 100,
            lineEnd == 12 || bytes[byte: 12] == 0x20
        else { throw .malformedStartLine }
        try version(bytes.extracting(0..<8), head)
        head.status = status
        head.reasonRange = min(13, lineEnd)..<lineEnd
        for offset in head.reasonRange where !Characters.isValue(bytes[byte: offset]) { throw .badCharacter }
        return lineEnd + 2
    }

    private static func firstLineEnd(_ bytes: RawSpan) throws(HeadError) -> Int? {
        guard let feed = bytes.firstIndex(of: 0x0A) else { return nil }
        guard feed > 0 else { throw .malformedStartLine }
        guard bytes[byte: feed - 1] == 0x0D else { throw .bareLineEnd }
        return feed - 1
    }

    private static func version(_ bytes: RawSpan, _ head: MessageHead) throws(HeadError) {
        guard bytes.byteCount == 8, bytes.starts(with: "HTTP/"), bytes[byte: 6] == UInt8(ascii: ".") else { throw .malformedStartLine }
        guard bytes[byte: 5] == UInt8(ascii: "1") else { throw .unsupportedVersion }
        let minor = bytes[byte: 7] &- 0x30
        guard minor < 10 else { throw .malformedStartLine }
        head.minorVersion = min(Int(minor), 1)
    }

    // MARK: fields

    /// Where in the head the parts of a field's line stand.
    struct Line: Equatable {
        var nameEnd = 0
        var valueStart = 0
        var valueEnd = 0
        /// Past the CRLF.
        var end = 0
        var name = FieldName.other
    }

    /// Reads a line that has nothing unusual; false where it has, or is not whole.
    @inline(__always)
    static func read(_ line: inout Line, at start: Int, of bytes: RawSpan) -> Bool {
        let nameEnd = bytes.endOfName(from: start)
        guard nameEnd > start, nameEnd < bytes.byteCount, bytes.at(nameEnd) == UInt8(ascii: ":"), nameEnd - start < 1 << 16 else { return false }
        var valueStart = nameEnd + 1
        if valueStart < bytes.byteCount, bytes.at(valueStart) == 0x20 { valueStart += 1 }
        let end = bytes.endOfValue(from: valueStart)
        guard end + 2 <= bytes.byteCount, bytes.at(end) == 0x0D, bytes.at(end + 1) == 0x0A else { return false }
        // Sound: both are offsets inside the bytes, in this order.
        let name = FieldName(unsafe bytes.extracting(unchecked: start..<nameEnd))
        // A name that is known has but token characters; any other must be looked at.
        if name == .other || name == .hopspanOther, Characters.endOfToken(in: bytes, from: start, to: nameEnd) != nameEnd { return false }
        var valueEnd = end
        while valueStart < valueEnd, bytes.at(valueStart) == 0x20 || bytes.at(valueStart) == 0x09 { valueStart += 1 }
        while valueEnd > valueStart, bytes.at(valueEnd - 1) == 0x20 || bytes.at(valueEnd - 1) == 0x09 { valueEnd -= 1 }
        line.nameEnd = nameEnd
        line.valueStart = valueStart
        line.valueEnd = valueEnd
        line.end = end + 2
        line.name = name
        return true
    }

    /// Reads any line, well-formed or not; false where it is not whole.
    static func readAny(_ line: inout Line, at start: Int, of bytes: RawSpan) throws(HeadError) -> Bool {
        guard let feed = bytes.firstIndex(of: 0x0A, from: start) else { return false }
        guard feed > 0, bytes[byte: feed - 1] == 0x0D else { throw .bareLineEnd }
        let lineEnd = feed - 1
        let first = bytes[byte: start]
        if first == 0x20 || first == 0x09 { throw .foldedField }
        let colon = Characters.endOfToken(in: bytes, from: start, to: lineEnd)
        guard colon > start, colon < lineEnd, bytes[byte: colon] == UInt8(ascii: ":"), colon - start < 1 << 16 else { throw .malformedField }
        var valueStart = colon + 1
        var valueEnd = lineEnd
        while valueStart < valueEnd, bytes[byte: valueStart] == 0x20 || bytes[byte: valueStart] == 0x09 { valueStart += 1 }
        while valueEnd > valueStart, bytes[byte: valueEnd - 1] == 0x20 || bytes[byte: valueEnd - 1] == 0x09 { valueEnd -= 1 }
        if !Characters.areValue(bytes.extracting(valueStart..<valueEnd)) { throw .badCharacter }
        line = Line(nameEnd: colon, valueStart: valueStart, valueEnd: valueEnd, end: feed + 1, name: FieldName(bytes.extracting(start..<colon)))
        return true
    }

    /// - Returns: the length of the head; nil where it is not whole.
    static func fields(_ bytes: RawSpan, from start: Int, into head: MessageHead, isRequest: Bool) throws(HeadError) -> Int? {
        var position = start
        var length: Int?
        var transferEncoding = false
        var hosts = 0
        var line = Line()
        while true {
            guard position + 2 <= bytes.byteCount else { return nil }
            if bytes.at(position) == 0x0D, bytes.at(position + 1) == 0x0A { break }
            if !read(&line, at: position, of: bytes) {
                guard try readAny(&line, at: position, of: bytes) else { return nil }
            }
            guard head.fieldCount < MessageHead.fieldsAtMost else { throw .tooManyFields }
            switch line.name {
            case .contentLength:
                guard let number = bytes.extracting(line.valueStart..<line.valueEnd).decimal else { throw .malformedLength }
                if let length, length != number { throw .differingLengths }
                length = number
            case .transferEncoding:
                // Chunked, once and alone: every other coding would have to be undone by somebody.
                guard !transferEncoding, bytes.extracting(line.valueStart..<line.valueEnd).equalsIgnoringCase("chunked"), head.minorVersion >= 1 else {
                    throw .unknownTransferCoding
                }
                transferEncoding = true
            case .host: hosts += 1
            case .expect: head.expectsContinue = bytes.extracting(line.valueStart..<line.valueEnd).equalsIgnoringCase("100-continue")
            default: break
            }
            head.append(.init(
                name: line.name, nameLength: UInt16(truncatingIfNeeded: line.nameEnd - position), start: UInt32(truncatingIfNeeded: position),
                valueStart: UInt32(truncatingIfNeeded: line.valueStart), valueEnd: UInt32(truncatingIfNeeded: line.valueEnd),
                end: UInt32(truncatingIfNeeded: line.end), isNominated: false))
            position = line.end
        }
        if transferEncoding, length != nil { throw .lengthAndTransferEncoding }
        head.framing = transferEncoding ? .chunked : length.map { $0 == 0 && isRequest ? .none : .length($0) } ?? (isRequest ? .none : .untilClose)
        if isRequest {
            if hosts > 1 { throw .hostMalformed }
            if hosts == 0, head.minorVersion >= 1 { throw .hostMissing }
        }
        return position + 2
    }
}
