/// One message of an `application/vnd.amazon.eventstream`, as `AmazonEventStreamReader` gives it; it lives for the call it is given to.
@frozen public struct AmazonEventStreamMessage: ~Escapable {
    public enum Kind: UInt8, Sendable { case event, exception, error }

    /// `:message-type`; a message that does not say it is an event.
    public let kind: Kind
    /// `:event-type`, `:exception-type` or `:error-code`; empty where it is missing.
    public let name: RawSpan
    /// `:error-message`, of an error.
    public let text: RawSpan
    public let payload: RawSpan

    @_lifetime(copy name, copy text, copy payload)
    init(kind: Kind, name: RawSpan, text: RawSpan, payload: RawSpan) {
        self.kind = kind
        self.name = name
        self.text = text
        self.payload = payload
    }

    /// Reads a message whose prelude has been checked: headers from byte 12 on, then the payload, then a CRC.
    /// - Returns: nil where the headers are not what the format allows.
    @_lifetime(copy message)
    static func read(_ message: RawSpan, headerBytes: Int) -> AmazonEventStreamMessage? {
        var headers = Headers(message.extracting(12..<12 + headerBytes))
        let empty = message.extracting(0..<0)
        var type = empty
        var name = empty
        var text = empty
        var seen: UInt8 = 0
        while !headers.isAtEnd {
            guard let header = headers.next() else { return nil }
            let bit: UInt8
            if header.name.equals(":message-type") {
                (type, bit) = (header.value, 1)
            } else if header.name.equals(":event-type") || header.name.equals(":exception-type") || header.name.equals(":error-code") {
                (name, bit) = (header.value, 2)
            } else if header.name.equals(":error-message") {
                (text, bit) = (header.value, 4)
            } else {
                continue
            }
            // What two readers could take for two things is neither.
            guard header.isString, seen & bit == 0 else { return nil }
            seen |= bit
        }
        let kind: Kind = type.equals("exception") ? .exception : type.equals("error") ? .error : .event
        return AmazonEventStreamMessage(kind: kind, name: name, text: text, payload: message.extracting(12 + headerBytes..<message.byteCount - 4))
    }

    private struct Header: ~Escapable {
        let name: RawSpan
        let value: RawSpan
        let isString: Bool

        @_lifetime(copy name, copy value)
        init(name: RawSpan, value: RawSpan, isString: Bool) {
            self.name = name
            self.value = value
            self.isString = isString
        }
    }

    /// The headers one after the other: length and name, type, value.
    private struct Headers: ~Escapable {
        private var rest: RawSpan

        @_lifetime(copy bytes)
        init(_ bytes: RawSpan) { rest = bytes }

        var isAtEnd: Bool { rest.byteCount == 0 }

        @_lifetime(copy self)
        mutating func next() -> Header? {
            let bytes = rest
            let nameEnd = 1 + Int(bytes[byte: 0])
            guard nameEnd > 1, nameEnd < bytes.byteCount else { return nil }
            var start = nameEnd + 1
            let type = bytes[byte: nameEnd]
            let length: Int
            switch type {
            case 0, 1: length = 0  // true, false
            case 2: length = 1
            case 3: length = 2
            case 4: length = 4
            case 5, 8: length = 8  // an integer, a time
            case 9: length = 16
            case 6, 7:
                guard start + 2 <= bytes.byteCount else { return nil }
                length = Int(bytes[byte: start]) << 8 | Int(bytes[byte: start + 1])
                start += 2
            default: return nil
            }
            guard start + length <= bytes.byteCount else { return nil }
            rest = bytes.extracting(start + length..<bytes.byteCount)
            return Header(name: bytes.extracting(1..<nameEnd), value: bytes.extracting(start..<start + length), isString: type == 7)
        }
    }
}
