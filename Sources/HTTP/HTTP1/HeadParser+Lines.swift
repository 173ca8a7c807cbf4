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
        guard lineEnd >= 12, bytes.at(8) == 0x20, lineEnd == 12 || bytes.at(12) == 0x20 else { throw .malformedStartLine }
        let (hundreds, tens, ones) = (bytes.at(9) &- 0x30, bytes.at(10) &- 0x30, bytes.at(11) &- 0x30)
        guard hundreds > 0, hundreds < 10, tens < 10, ones < 10 else { throw .malformedStartLine }
        // Sound: eight bytes are there.
        if unsafe UInt64(littleEndian: bytes.unsafeLoadUnaligned(as: UInt64.self)) == version11 {
            head.minorVersion = 1
        } else {
            try version(bytes.extracting(0..<8), head)
        }
        head.status = Int(hundreds) &* 100 &+ Int(tens) &* 10 &+ Int(ones)
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

    /// Reads the line of a field that has nothing unusual; nil where it has, or is not whole.
    @_transparent
    private static func plainField(at start: Int, of bytes: RawSpan) -> MessageHead.Field? {
        let nameEnd = bytes.endOfPlainName(from: start)
        guard nameEnd > start, nameEnd < bytes.byteCount, bytes.at(nameEnd) == UInt8(ascii: ":"), nameEnd &- start < 1 << 16 else { return nil }
        var valueStart = nameEnd &+ 1
        if valueStart < bytes.byteCount, bytes.at(valueStart) == 0x20 { valueStart &+= 1 }
        let lineEnd = bytes.endOfValue(from: valueStart)
        guard lineEnd &+ 2 <= bytes.byteCount, bytes.at(lineEnd) == 0x0D, bytes.at(lineEnd &+ 1) == 0x0A else { return nil }
        // More white space than the one blank is read step by step.
        if valueStart < lineEnd, bytes.at(valueStart) <= 0x20 || bytes.at(lineEnd &- 1) <= 0x20 { return nil }
        // Sound: both are offsets inside the bytes, in this order.
        let name = FieldName(unsafe bytes.extracting(unchecked: start..<nameEnd))
        return .init(name, start: start, nameEnd: nameEnd, value: valueStart..<lineEnd)
    }

    /// Reads the line of any field, well-formed or not; nil where it is not whole.
    static func anyField(at start: Int, of bytes: RawSpan) throws(HeadError) -> MessageHead.Field? {
        guard let feed = bytes.firstIndex(of: 0x0A, from: start) else { return nil }
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
        var field = MessageHead.Field(FieldName(bytes.extracting(start..<colon)), start: start, nameEnd: colon, value: valueStart..<valueEnd)
        field.end = UInt32(feed + 1)
        return field
    }

    /// - Returns: the length of the head; nil where it is not whole.
    static func fields(_ bytes: RawSpan, from start: Int, into head: MessageHead, isRequest: Bool) throws(HeadError) -> Int? {
        var position = start
        var length: Int?
        var transferEncoding = false
        var hosts = 0
        while true {
            guard position + 2 <= bytes.byteCount else { return nil }
            if bytes.at(position) == 0x0D, bytes.at(position + 1) == 0x0A { break }
            var found = plainField(at: position, of: bytes)
            if found == nil { found = try anyField(at: position, of: bytes) }
            guard let field = found else { return nil }
            guard head.fieldCount < MessageHead.fieldsAtMost else { throw .tooManyFields }
            switch field.name {
            case .contentLength:
                guard let number = bytes.extracting(field.valueRange).decimal else { throw .malformedLength }
                if let length, length != number { throw .differingLengths }
                length = number
            case .transferEncoding:
                // Chunked, once and alone: every other coding would have to be undone by somebody.
                guard !transferEncoding, bytes.extracting(field.valueRange).equalsIgnoringCase("chunked"), head.minorVersion >= 1 else {
                    throw .unknownTransferCoding
                }
                transferEncoding = true
            case .host: hosts += 1
            case .expect: head.expectsContinue = bytes.extracting(field.valueRange).equalsIgnoringCase("100-continue")
            default: break
            }
            head.append(field)
            position = field.lineEnd
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
