// Trailer fields (RFC 9110 §6.5): what comes behind the last chunk of a body.
extension HTTP1Connection {
    /// Appends the trailer fields of the body that has been read to its end, those that may be passed on, each a line with its CRLF. They
    /// are forgotten with that. Without `keepTrailers` there are none.
    /// - Parameter head: of their message. What its Connection field names is for this connection alone (RFC 9110 §7.6.1).
    public func appendTrailers(to output: OutputBuffer, of head: MessageHead) {
        let lines = takeTrailers()
        // Sound: a byte has no padding.
        let bytes = unsafe lines.span.bytes
        var start = 0
        // The decoder let nothing else through: a name, a colon, a value, CRLF.
        while start < bytes.byteCount, let feed = bytes.firstIndex(of: 0x0A, from: start), let colon = bytes.firstIndex(of: UInt8(ascii: ":"), from: start) {
            let name = bytes.extracting(start..<colon)
            if name.isPassedOnAsTrailer, !head.isNominated(name) { output.append(bytes.extracting(start..<feed + 1)) }
            start = feed + 1
        }
    }
}

extension MessageHead {
    /// Whether a Connection field names this field.
    fileprivate func isNominated(_ name: RawSpan) -> Bool {
        guard namesOptions else { return false }
        var next = index(of: .connection)
        while let index = next {
            next = self.index(of: .connection, from: index + 1)
            let value = value(index)
            var offset = 0
            while let option = value.nextListElement(&offset) { if option.equalsIgnoringCase(name) { return true } }
        }
        return false
    }
}

extension RawSpan {
    /// Whether a trailer field of this name goes on. RFC 9110 §6.5.1: not what frames the message, routes it, modifies the request, proves
    /// who asks, controls the answer or says how to read its content; besides, nothing that belongs to one connection, and none of the
    /// fields that this program reads or writes itself.
    fileprivate var isPassedOnAsTrailer: Bool {
        guard FieldName(self) == .other else { return false }
        return !Self.confinedToHeads.contains { equalsIgnoringCase($0) }
    }

    private static let confinedToHeads: [StaticString] = [
        // Request modifiers: controls and conditions.
        "cache-control", "max-forwards", "pragma", "range", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range",
        // Authentication, and state.
        "www-authenticate", "authentication-info", "proxy-authentication-info", "set-cookie", "cookie",
        // Control of the answer.
        "age", "expires", "date", "location", "retry-after", "vary", "warning",
        // How the content is read.
        "content-range", "content-language", "content-location",
        // Negotiation of it.
        "accept", "accept-charset", "accept-language",
    ]
}
