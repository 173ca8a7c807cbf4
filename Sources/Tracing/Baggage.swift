/// The `baggage` that came with a request: the members to send on, and the value of one that we look for (`run.id`).
///
/// Filled with each header value in the order they came. Members are passed on byte for byte, without the white space around
/// them; one that the grammar does not allow is left out and the rest stays, which W3C Baggage leaves to us.
public struct Baggage: Sendable {
    /// What must be passed on when no more than that came (W3C Baggage §3.3.2); what goes beyond is dropped, by whole members.
    public static let memberLimit = 64
    public static let lengthLimit = 8192

    private var bytes: [UInt8] = []
    private var members = 0
    /// The value last asked for.
    private var decoded: [UInt8] = []

    public init() {}

    /// Ready for the next request; the storage stays.
    public mutating func reset() {
        if !bytes.isEmpty { bytes.removeAll(keepingCapacity: true) }
        members = 0
    }

    /// Nothing came, or nothing that could be kept: no header is to be sent.
    public var isEmpty: Bool { bytes.isEmpty }

    /// The one value to send on, empty when there is none.
    public var text: RawSpan {
        @_lifetime(borrow self) get { unsafe bytes.span.bytes }  // sound: a UInt8 has no padding
    }

    /// Takes one header's value.
    public mutating func append(_ value: RawSpan) {
        var start = 0
        while start < value.byteCount, members < Self.memberLimit {
            let end = value.firstOffset(of: UInt8(ascii: ","), from: start)
            let member = value.extracting(start..<end).trimmingOptionalWhitespace()
            start = end + 1
            guard Member(member) != nil else { continue }
            let separator = bytes.isEmpty ? 0 : 1
            guard bytes.count + separator + member.byteCount <= Self.lengthLimit else { continue }
            if separator == 1 { bytes.append(UInt8(ascii: ",")) }
            bytes.append(member)
            members += 1
        }
    }

    /// Calls `body` with the percent-decoded value of `key`, or answers nil when no member has it. Keys are compared as they are,
    /// case and all. Of several members with one key the last counts, as in the OpenTelemetry SDKs. Well-formed UTF-8 always:
    /// bytes that are not become U+FFFD (W3C Baggage §3.3.1.3).
    public mutating func withValue<Result>(of key: StaticString, _ body: (RawSpan) throws -> Result) rethrows -> Result? {
        guard !bytes.isEmpty else { return nil }
        let bytes = bytes
        let text = unsafe bytes.span.bytes  // sound: a UInt8 has no padding; so here and below
        guard let value = Self.value(of: key, in: text) else { return nil }
        decoded.removeAll(keepingCapacity: true)
        PercentEncoding.decode(text.extracting(value), into: &decoded)
        if unsafe !UTF8Text.isWellFormed(decoded.span.bytes) { decoded = unsafe UTF8Text.mended(decoded.span.bytes) }
        return try body(unsafe decoded.span.bytes)
    }

    /// Where the value of the last member with this key stands.
    private static func value(of key: StaticString, in text: RawSpan) -> Range<Int>? {
        var value: Range<Int>?
        var start = 0
        while start < text.byteCount {
            let end = text.firstOffset(of: UInt8(ascii: ","), from: start)
            if let member = Member(text.extracting(start..<end)), isEqual(text, start..<start + member.keyLength, key) {
                value = start + member.value.lowerBound..<start + member.value.upperBound
            }
            start = end + 1
        }
        return value
    }

    private static func isEqual(_ text: RawSpan, _ range: Range<Int>, _ key: StaticString) -> Bool {
        guard range.count == key.utf8CodeUnitCount else { return false }
        // Sound: a static string's bytes live for ever, and there are as many as the range has.
        let key = unsafe UnsafeRawBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount)
        for offset in 0..<range.count { guard unsafe text.byte(at: range.lowerBound + offset) == key[offset] else { return false } }
        return true
    }

    /// `key OWS = OWS value *( OWS ; OWS property )` (W3C Baggage §3.3.1), as offsets into the member's text.
    private struct Member {
        let keyLength: Int
        let value: Range<Int>

        /// Nil when it is not one. Properties are passed on and never read: they only may not hold what no header value may.
        init?(_ text: RawSpan) {
            let equals = text.firstOffset(of: UInt8(ascii: "="))
            guard equals < text.byteCount else { return nil }
            keyLength = text.extracting(0..<equals).trimmingOptionalWhitespace().byteCount
            guard keyLength > 0 else { return nil }
            for offset in 0..<keyLength where !text.byte(at: offset).isTokenCharacter { return nil }

            let semicolon = text.firstOffset(of: UInt8(ascii: ";"), from: equals + 1)
            var start = equals + 1
            var end = semicolon
            while start < end, text.byte(at: start).isOptionalWhitespace { start += 1 }
            while end > start, text.byte(at: end - 1).isOptionalWhitespace { end -= 1 }
            for offset in start..<end where !Self.isValueCharacter(text.byte(at: offset)) { return nil }
            for offset in semicolon..<text.byteCount {
                let byte = text.byte(at: offset)
                guard 0x21...0x7E ~= byte || byte.isOptionalWhitespace else { return nil }
            }
            value = start..<end
        }

        /// `baggage-octet`: visible ASCII without `"`, `,`, `;`, `\`.
        private static func isValueCharacter(_ byte: UInt8) -> Bool {
            switch byte {
            case 0x21, 0x23...0x2B, 0x2D...0x3A, 0x3C...0x5B, 0x5D...0x7E: true
            default: false
            }
        }
    }
}
