/// Reads heads of HTTP/1.x messages (RFC 9112), strictly: what two readers could take for two different messages is refused.
///
/// Nearly every head arrives in one piece and without a fault: `requestAtHand` and `responseAtHand` read it in one pass. For all others
/// `end` finds out when a head is whole, and `parseRequest` and `parseResponse` say what is wrong with it.
public enum HeadParser {
    /// Head size at most, the final empty line included.
    public static let bytesAtMost = 64 << 10

    /// Finds the end of a head in what has arrived so far.
    /// - Parameter scanned: how far an earlier call has looked; moves on. Start with 0.
    /// - Returns: the head's length with its empty line, or nil when more must come.
    public static func end(in bytes: RawSpan, scanned: inout Int) throws(HeadError) -> Int? {
        while let feed = bytes.firstIndex(of: 0x0A, from: scanned) {
            guard feed > 0, bytes[byte: feed - 1] == 0x0D else { throw .bareLineEnd }
            scanned = feed + 1
            // The line is empty where it is the first, or where CRLF stands directly before this CRLF.
            if feed == 1 || (feed >= 3 && bytes[byte: feed - 2] == 0x0A) {
                // Empty lines before a request line are skipped by the caller; here it ends the head.
                return feed + 1
            }
        }
        // Do not look at these bytes again, but keep a CR that may belong to the next line feed.
        scanned = max(scanned, bytes.byteCount)
        if bytes.byteCount >= bytesAtMost { throw .tooLarge }
        return nil
    }

    /// Reads a whole request head, as `end` found it, into `head`.
    public static func parseRequest(_ bytes: RawSpan, into head: MessageHead) throws(HeadError) {
        guard let length = try request(bytes, head) else { throw .bareLineEnd }
        guard length == bytes.byteCount else { throw .malformedField }
    }

    /// Reads a whole answer head, as `end` found it, into `head`.
    /// - Parameter method: of the request it answers; HEAD's answer has no body (RFC 9112 §6.3).
    public static func parseResponse(_ bytes: RawSpan, to method: Method, into head: MessageHead) throws(HeadError) {
        guard let length = try response(bytes, method, head) else { throw .bareLineEnd }
        guard length == bytes.byteCount else { throw .malformedField }
    }

    /// Reads the request head that stands at the front of what has arrived so far.
    /// - Returns: its length; nil where more must come or something is wrong with it.
    public static func requestAtHand(_ bytes: RawSpan, into head: MessageHead) -> Int? {
        do { return try request(bytes, head) } catch { return nil }
    }

    /// Reads the answer head that stands at the front of what has arrived so far.
    /// - Returns: its length; nil where more must come or something is wrong with it.
    public static func responseAtHand(_ bytes: RawSpan, to method: Method, into head: MessageHead) -> Int? {
        do { return try response(bytes, method, head) } catch { return nil }
    }

    /// Nil where the head is not whole.
    private static func request(_ bytes: RawSpan, _ head: MessageHead) throws(HeadError) -> Int? {
        head.reset()
        guard let start = try requestLine(bytes, head), let length = try fields(bytes, from: start, into: head, isRequest: true) else { return nil }
        head.keep(bytes.extracting(first: length))
        if head.has(.connection) { try nominate(head) }
        try target(head)
        return length
    }

    private static func response(_ bytes: RawSpan, _ method: Method, _ head: MessageHead) throws(HeadError) -> Int? {
        head.reset()
        guard let start = try statusLine(bytes, head), let length = try fields(bytes, from: start, into: head, isRequest: false) else { return nil }
        head.keep(bytes.extracting(first: length))
        if head.has(.connection) { try nominate(head) }
        let status = head.status
        if status < 200 || status == 204 || status == 304 || method == .head { head.framing = .none }
        return length
    }

    /// Reads the Connection fields: options for this connection, and the names of fields that are (RFC 9110 §7.6.1). No more of them than
    /// a head may have fields: each is looked for among all.
    private static func nominate(_ head: MessageHead) throws(HeadError) {
        var options = 0
        var next = head.index(of: .connection)
        while let index = next {
            next = head.index(of: .connection, from: index + 1)
            let value = head.value(index)
            if value.equalsIgnoringCase("keep-alive") {
                head.connectionKeepAlive = true
                continue
            }
            var offset = 0
            while let option = value.nextListElement(&offset) {
                if option.equalsIgnoringCase("close") {
                    head.connectionClose = true
                } else if option.equalsIgnoringCase("keep-alive") {
                    head.connectionKeepAlive = true
                } else if option.equalsIgnoringCase("upgrade") {
                    head.wantsUpgrade = namesWebSocket(head)
                } else if option.byteCount > 0 {
                    options += 1
                    head.namesOptions = true
                    guard options <= MessageHead.fieldsAtMost else { throw .tooManyOptions }
                    for other in 0..<head.fieldCount where head.name(other).equalsIgnoringCase(option) { head.nominate(other) }
                }
            }
        }
    }

    /// Whether an Upgrade field names WebSocket, in whatever version (RFC 9110 §7.8, RFC 6455 §4.1).
    private static func namesWebSocket(_ head: MessageHead) -> Bool {
        var next = head.index(of: .upgrade)
        while let index = next {
            next = head.index(of: .upgrade, from: index + 1)
            let value = head.value(index)
            var offset = 0
            while let element = value.nextListElement(&offset) {
                let name = element.extracting(first: element.firstIndex(of: UInt8(ascii: "/")) ?? element.byteCount)
                if name.equalsIgnoringCase("websocket") { return true }
            }
        }
        return false
    }

    /// Target and Host together (RFC 9112 §3.2): origin-form, or an absolute-form that agrees with Host.
    private static func target(_ head: MessageHead) throws(HeadError) {
        let hostIndex = head.index(of: .host)
        if let hostIndex {
            let host = head.value(hostIndex)
            for offset in 0..<host.byteCount where !Characters.isHost(host[byte: offset]) { throw .hostMalformed }
            if host.byteCount == 0, head.minorVersion >= 1 { throw .hostMalformed }
        }
        let target = head.target
        if target[byte: 0] == UInt8(ascii: "/") {
            head.pathLength = target.firstIndex(of: UInt8(ascii: "?")) ?? target.byteCount
            return
        }
        let scheme = target.starts(with: "http://") ? 7 : target.starts(with: "https://") ? 8 : 0
        guard scheme > 0, target.byteCount > scheme else { throw .malformedTarget }
        let slash = target.firstIndex(of: UInt8(ascii: "/"), from: scheme) ?? target.byteCount
        let authority = target.extracting(scheme..<slash)
        guard slash < target.byteCount, authority.byteCount > 0 else { throw .malformedTarget }
        if let hostIndex {
            guard head.value(hostIndex).equalsIgnoringCase(authority) else { throw .hostConflict }
        }
        head.targetRange = head.targetRange.lowerBound + slash..<head.targetRange.upperBound
        head.pathLength = (target.firstIndex(of: UInt8(ascii: "?"), from: slash) ?? target.byteCount) - slash
    }
}
