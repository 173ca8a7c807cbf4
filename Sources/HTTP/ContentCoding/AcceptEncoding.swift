/// The `Accept-Encoding` of a request, narrowed to what can be read here: gzip, deflate and identity, within what the caller offered,
/// with the caller's weights (RFC 9110 §12.5.3).
///
/// Add each field line, then write the one line that goes upstream in their place. A caller who offers nothing we can read gets
/// `identity`, and so does one who sends no such field: any coding would do for that one, so identity does.
public struct AcceptEncoding: Sendable {
    /// Weights in thousandths; -1: not listed. The first mention of a coding counts.
    private var gzip = -1
    private var deflate = -1
    private var identity = -1
    private var any = -1

    public init() {}

    public mutating func add(_ fieldValue: RawSpan) {
        CodingList.forEach(in: fieldValue) { name, weight in
            guard let weight else { return }  // malformed: as if it had not been offered
            switch name {
            case .gzip: if gzip < 0 { gzip = weight }
            case .deflate: if deflate < 0 { deflate = weight }
            case .identity: if identity < 0 { identity = weight }
            case .any: if any < 0 { any = weight }
            case .other: break
            }
        }
    }

    /// Calls `body` with the value to send; valid inside only. Never empty, at most 47 bytes.
    public func withNarrowed<Result: ~Copyable, Failure: Error>(_ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result {
        var text = Text()
        // "If the representation's content coding is one of the content codings listed … it is acceptable unless it is accompanied by a
        // qvalue of 0", and `*` stands for those not listed.
        let gzip = gzip >= 0 ? gzip : any
        let deflate = deflate >= 0 ? deflate : any
        if gzip > 0 { text.element("gzip", gzip) }
        if deflate > 0 { text.element("deflate", deflate) }
        // "If the representation has no content coding, then it is acceptable by default unless specifically excluded by
        // "identity;q=0" or "*;q=0"": it must be named where the caller weighed it, and where nothing else is left.
        let identity = identity >= 0 ? identity : any
        if identity >= 0 || text.count == 0 { text.element("identity", identity >= 0 ? identity : 1000) }
        // Sound: a UInt8 has no padding.
        return try body(unsafe text.bytes.span.bytes.extracting(0..<text.count))
    }

    private struct Text {
        var bytes = InlineArray<48, UInt8>(repeating: 0)
        var count = 0

        mutating func element(_ name: StaticString, _ weight: Int) {
            if count > 0 { append(", ") }
            append(name)
            guard weight < 1000 else { return }
            append(";q=0")
            guard weight > 0 else { return }
            append(".")
            var rest = weight
            var unit = 100
            while rest > 0 {  // no trailing zeros
                append(UInt8(ascii: "0") + UInt8(rest / unit))
                rest %= unit
                unit /= 10
            }
        }

        mutating func append(_ text: StaticString) {
            // Sound: a static string's bytes live for ever, and the index is below its length.
            for index in 0..<text.utf8CodeUnitCount { append(unsafe text.utf8Start[index]) }
        }

        mutating func append(_ byte: UInt8) {
            bytes[count] = byte
            count += 1
        }
    }
}
