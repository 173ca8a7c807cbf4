/// Why a message was refused. What a client sends wrong is answered with `status`; what an upstream sends wrong is a 502.
public enum HeadError: UInt8, Error, Sendable {
    case malformedStartLine, unsupportedVersion, malformedField, foldedField, bareLineEnd, badCharacter, tooManyFields, tooLarge
    case hostMissing, hostMalformed, hostConflict, malformedTarget
    case lengthAndTransferEncoding, malformedLength, differingLengths, unknownTransferCoding

    public var status: Int {
        switch self {
        case .tooManyFields, .tooLarge: 431
        case .unsupportedVersion: 505
        case .unknownTransferCoding: 501
        default: 400
        }
    }

    /// What was wrong, in words a client's author can use.
    public var reason: StaticString {
        switch self {
        case .malformedStartLine: "the first line is not an HTTP/1.1 request line"
        case .unsupportedVersion: "only HTTP/1.1 and HTTP/1.0 are spoken here"
        case .malformedField: "a header line has no name, no colon, or white space before the colon"
        case .foldedField: "a header line continues the one before it (obs-fold)"
        case .bareLineEnd: "a line ends in a bare LF or holds a bare CR"
        case .badCharacter: "a header value holds a control character"
        case .tooManyFields: "the head has more than 100 fields"
        case .tooLarge: "the head is larger than 64 KiB"
        case .hostMissing: "the Host field is missing"
        case .hostMalformed: "the Host field is given twice or is no host"
        case .hostConflict: "the absolute request target and the Host field disagree"
        case .malformedTarget: "the request target is neither a path nor an absolute URL"
        case .lengthAndTransferEncoding: "both Content-Length and Transfer-Encoding are given"
        case .malformedLength: "Content-Length is not a number"
        case .differingLengths: "two Content-Length fields differ"
        case .unknownTransferCoding: "the only transfer coding taken is chunked, once and last"
        }
    }
}

/// Reads heads of HTTP/1.x messages (RFC 9112), strictly: what two readers could take for two different messages is refused.
public enum HeadParser {
    /// Head size at most, the final empty line included.
    public static let bytesAtMost = 64 << 10

    /// Finds the end of a head in what has arrived so far.
    /// - Parameter scanned: how far an earlier call has looked; moves on. Start with 0.
    /// - Returns: the head's length with its empty line, or nil when more must come.
    public static func end(in bytes: RawSpan, scanned: inout Int) throws(HeadError) -> Int? {
        while let feed = bytes.firstIndex(of: 0x0A, from: scanned) {
            guard feed > 0, bytes[byte: feed - 1] == 0x0D else { throw .bareLineEnd }
            let lineStart = scanned == 0 ? 0 : lineStart(before: feed, in: bytes)
            scanned = feed + 1
            if feed - 1 == lineStart {
                // Empty lines before a request line are skipped by the caller; here it ends the head.
                return feed + 1
            }
        }
        // Do not look at these bytes again, but keep a CR that may belong to the next line feed.
        scanned = max(scanned, bytes.byteCount)
        if bytes.byteCount >= bytesAtMost { throw .tooLarge }
        return nil
    }

    private static func lineStart(before feed: Int, in bytes: RawSpan) -> Int {
        // The line is empty exactly when CRLF stands directly before this CRLF.
        feed >= 3 && bytes[byte: feed - 2] == 0x0A ? feed - 1 : -1
    }

    /// Reads a whole request head into `head`.
    public static func parseRequest(_ bytes: RawSpan, into head: MessageHead) throws(HeadError) {
        head.reset(copying: bytes)
        let lineEnd = try firstLineEnd(bytes)
        guard let methodEnd = bytes.firstIndex(of: 0x20), methodEnd > 0, methodEnd < lineEnd,
            let targetEnd = bytes.firstIndex(of: 0x20, from: methodEnd + 1), targetEnd < lineEnd, targetEnd > methodEnd + 1
        else { throw .malformedStartLine }
        guard Characters.endOfToken(in: bytes, from: 0, to: methodEnd) == methodEnd else { throw .malformedStartLine }
        head.methodRange = 0..<methodEnd
        head.method = Method(bytes.extracting(0..<methodEnd))
        try version(bytes.extracting(targetEnd + 1..<lineEnd), head)
        for offset in methodEnd + 1..<targetEnd where !Characters.isTarget(bytes[byte: offset]) { throw .malformedTarget }
        head.targetRange = methodEnd + 1..<targetEnd
        try fields(bytes, from: lineEnd + 2, into: head, isRequest: true)
        try target(bytes, head)
    }

    /// Reads a whole answer head into `head`.
    /// - Parameter method: of the request it answers; HEAD's answer has no body (RFC 9112 §6.3).
    public static func parseResponse(_ bytes: RawSpan, to method: Method, into head: MessageHead) throws(HeadError) {
        head.reset(copying: bytes)
        let lineEnd = try firstLineEnd(bytes)
        guard lineEnd >= 12, bytes[byte: 8] == 0x20, let status = bytes.extracting(9..<12).decimal, status >= 100,
            lineEnd == 12 || bytes[byte: 12] == 0x20
        else { throw .malformedStartLine }
        try version(bytes.extracting(0..<8), head)
        head.status = status
        head.reasonRange = min(13, lineEnd)..<lineEnd
        for offset in head.reasonRange where !Characters.isValue(bytes[byte: offset]) { throw .badCharacter }
        try fields(bytes, from: lineEnd + 2, into: head, isRequest: false)
        if status < 200 || status == 204 || status == 304 || method == .head {
            head.framing = .none
        }
    }

    private static func firstLineEnd(_ bytes: RawSpan) throws(HeadError) -> Int {
        guard let feed = bytes.firstIndex(of: 0x0A), feed > 0 else { throw .malformedStartLine }
        return feed - 1
    }

    private static func version(_ bytes: RawSpan, _ head: MessageHead) throws(HeadError) {
        guard bytes.byteCount == 8, bytes.starts(with: "HTTP/"), bytes[byte: 6] == UInt8(ascii: ".") else { throw .malformedStartLine }
        guard bytes[byte: 5] == UInt8(ascii: "1") else { throw .unsupportedVersion }
        let minor = bytes[byte: 7] &- 0x30
        guard minor < 10 else { throw .malformedStartLine }
        head.minorVersion = min(Int(minor), 1)
    }

    private static func fields(_ bytes: RawSpan, from start: Int, into head: MessageHead, isRequest: Bool) throws(HeadError) {
        var position = start
        var length: Int?
        var transferEncoding = false
        var connection = false
        var hosts = 0
        let end = bytes.byteCount - 2
        while position < end {
            guard let feed = bytes.firstIndex(of: 0x0A, from: position) else { throw .bareLineEnd }
            let lineEnd = feed - 1
            let first = bytes[byte: position]
            if first == 0x20 || first == 0x09 { throw .foldedField }
            let colon = Characters.endOfToken(in: bytes, from: position, to: lineEnd)
            guard colon > position, colon < lineEnd, bytes[byte: colon] == UInt8(ascii: ":"), colon - position < 1 << 16 else { throw .malformedField }
            var valueStart = colon + 1
            var valueEnd = lineEnd
            while valueStart < valueEnd, bytes[byte: valueStart] == 0x20 || bytes[byte: valueStart] == 0x09 { valueStart += 1 }
            while valueEnd > valueStart, bytes[byte: valueEnd - 1] == 0x20 || bytes[byte: valueEnd - 1] == 0x09 { valueEnd -= 1 }
            if !Characters.areValue(bytes.extracting(valueStart..<valueEnd)) { throw .badCharacter }
            guard head.fieldCount < MessageHead.fieldsAtMost else { throw .tooManyFields }

            let name = FieldName(bytes.extracting(position..<colon))
            let value = bytes.extracting(valueStart..<valueEnd)
            switch name {
            case .contentLength:
                guard let number = value.decimal else { throw .malformedLength }
                if let length, length != number { throw .differingLengths }
                length = number
            case .transferEncoding:
                // Chunked, once and alone: every other coding would have to be undone by somebody.
                guard !transferEncoding, value.equalsIgnoringCase("chunked"), head.minorVersion >= 1 else { throw .unknownTransferCoding }
                transferEncoding = true
            case .connection: connection = true
            case .host: hosts += 1
            case .expect: head.expectsContinue = value.equalsIgnoringCase("100-continue")
            default: break
            }
            head.append(.init(
                name: name, nameLength: UInt16(colon - position), start: UInt32(position), valueStart: UInt32(valueStart),
                valueEnd: UInt32(valueEnd), end: UInt32(feed + 1), isNominated: false))
            position = feed + 1
        }
        if transferEncoding, length != nil { throw .lengthAndTransferEncoding }
        head.framing = transferEncoding ? .chunked : length.map { $0 == 0 && isRequest ? .none : .length($0) } ?? (isRequest ? .none : .untilClose)
        if connection { nominate(head) }
        if isRequest {
            if hosts > 1 { throw .hostMalformed }
            if hosts == 0, head.minorVersion >= 1 { throw .hostMissing }
        }
    }

    /// Reads the Connection fields: options for this connection, and the names of fields that are (RFC 9110 §7.6.1).
    private static func nominate(_ head: MessageHead) {
        for index in 0..<head.fieldCount where head.field(index).name == .connection {
            let value = head.value(index)
            var offset = 0
            while let option = value.nextListElement(&offset) {
                if option.equalsIgnoringCase("close") {
                    head.connectionClose = true
                } else if option.equalsIgnoringCase("keep-alive") {
                    head.connectionKeepAlive = true
                } else if option.equalsIgnoringCase("upgrade") {
                    head.wantsUpgrade = head.index(of: .upgrade) != nil
                } else if option.byteCount > 0 {
                    for other in 0..<head.fieldCount where head.name(other).equalsIgnoringCase(option) { head.nominate(other) }
                }
            }
        }
    }

    /// Target and Host together (RFC 9112 §3.2): origin-form, or an absolute-form that agrees with Host.
    private static func target(_ bytes: RawSpan, _ head: MessageHead) throws(HeadError) {
        let hostIndex = head.index(of: .host)
        if let hostIndex {
            let host = head.value(hostIndex)
            for offset in 0..<host.byteCount where !Characters.isHost(host[byte: offset]) { throw .hostMalformed }
            if host.byteCount == 0, head.minorVersion >= 1 { throw .hostMalformed }
        }
        let target = head.target
        if target[byte: 0] == UInt8(ascii: "/") { return }
        let scheme = target.starts(with: "http://") ? 7 : target.starts(with: "https://") ? 8 : 0
        guard scheme > 0, target.byteCount > scheme else { throw .malformedTarget }
        let slash = target.firstIndex(of: UInt8(ascii: "/"), from: scheme) ?? target.byteCount
        let authority = target.extracting(scheme..<slash)
        guard slash < target.byteCount, authority.byteCount > 0 else { throw .malformedTarget }
        if let hostIndex {
            guard head.value(hostIndex).equalsIgnoringCase(authority) else { throw .hostConflict }
        }
        head.targetRange = head.targetRange.lowerBound + slash..<head.targetRange.upperBound
    }
}

/// Which bytes may stand where.
enum Characters {
    private static let token = table { byte in
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }

    /// Two 64-bit masks a half: bit n of the table is byte n.
    private static func table(_ belongs: (UInt8) -> Bool) -> (UInt64, UInt64) {
        var low: UInt64 = 0
        var high: UInt64 = 0
        for byte in UInt8(0)..<64 where belongs(byte) { low |= 1 << UInt64(byte) }
        for byte in UInt8(64)..<128 where belongs(byte) { high |= 1 << UInt64(byte - 64) }
        return (low, high)
    }

    /// `tchar` of RFC 9110 §5.6.2.
    @inline(__always) static func isToken(_ byte: UInt8) -> Bool {
        byte < 64 ? tokenLow & (1 << UInt64(byte)) != 0 : byte < 128 && tokenHigh & (1 << UInt64(byte & 63)) != 0
    }

    // The table as constants, so that no lazy initialiser is asked on every byte; a test compares them with `table`.
    static let tokenMasks = token
    @inline(__always) private static var tokenLow: UInt64 { 0x03FF_6CFA_0000_0000 }
    @inline(__always) private static var tokenHigh: UInt64 { 0x57FF_FFFF_C7FF_FFFE }

    /// Field values: visible characters, space, tab and obs-text (RFC 9110 §5.5).
    @inline(__always) static func isValue(_ byte: UInt8) -> Bool { (byte >= 0x20 && byte != 0x7F) || byte == 0x09 }

    /// Eight bytes at a time: a control character has its top three bits clear, DEL is the one byte that adding 1 makes negative.
    static func areValue(_ bytes: RawSpan) -> Bool {
        unsafe bytes.withUnsafeBytes { bytes in
            var offset = 0
            while offset + 8 <= bytes.count {
                // Sound: inside the buffer.
                let word = unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                let high = word & 0x8080_8080_8080_8080
                // Of bytes below 0x80: below 0x20, or 0x7F. Bytes above count as neither.
                let low = word & 0x7F7F_7F7F_7F7F_7F7F
                let isPrintable = low &+ 0x6060_6060_6060_6060 | high
                let isDelete = (low &+ 0x0101_0101_0101_0101) & ~high
                if (isPrintable & 0x8080_8080_8080_8080) != 0x8080_8080_8080_8080 || isDelete & 0x8080_8080_8080_8080 != 0 {
                    // A tab is allowed after all.
                    for index in offset..<offset + 8 where unsafe !isValue(bytes[index]) { return false }
                }
                offset += 8
            }
            while offset < bytes.count {
                if unsafe !isValue(bytes[offset]) { return false }
                offset += 1
            }
            return true
        }
    }

    /// The first offset from `from` on that is no `tchar`; `to` when all are.
    static func endOfToken(in bytes: RawSpan, from: Int, to: Int) -> Int {
        precondition(from >= 0 && to <= bytes.byteCount)
        return unsafe bytes.withUnsafeBytes { bytes in
            var offset = from
            // Sound: checked above.
            let base = unsafe bytes.baseAddress.unsafelyUnwrapped
            while offset < to, isToken(unsafe base.load(fromByteOffset: offset, as: UInt8.self)) { offset += 1 }
            return offset
        }
    }

    /// Visible ASCII; a fragment has no place in a request target.
    @inline(__always) static func isTarget(_ byte: UInt8) -> Bool { byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "#") }

    @inline(__always) static func isHost(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ":"), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "~"), UInt8(ascii: "%"): true
        default: false
        }
    }
}
