/// A string or a member's name as it stands in the text, between its quotes. Lives as long as the bytes it was read from.
///
/// Almost all strings have no escapes: `raw` then is the value. The grammar of the escapes was checked by the reader; whether
/// the bytes are UTF-8 was not.
@frozen public struct JSONString: ~Escapable {
    /// The bytes between the quotes, escapes and all.
    public let raw: RawSpan
    /// Where `raw` stands in the bytes given to the reader.
    public let start: Int
    public let hasEscapes: Bool

    @inlinable @_lifetime(copy raw) init(raw: RawSpan, start: Int, hasEscapes: Bool) {
        self.raw = raw
        self.start = start
        self.hasEscapes = hasEscapes
    }

    /// Where the string's content stands in the bytes given to the reader, quotes not included.
    @inlinable public var range: Range<Int> { start..<start + raw.byteCount }

    @inlinable public var isEmpty: Bool { raw.byteCount == 0 }

    /// Whether the decoded string is `text`. Exact; costs a comparison of lengths for most texts that differ.
    @inlinable @inline(__always) public func `is`(_ text: StaticString) -> Bool {
        if hasEscapes { return decodesTo(text) }
        let count = text.utf8CodeUnitCount
        guard raw.byteCount == count else { return false }
        // Sound: both sides have `count` bytes, and every load below stays inside them. A literal's loads fold to constants.
        let expected = unsafe UnsafeRawPointer(text.utf8Start)
        if count >= 8 {
            var at = 0
            while at &+ 8 < count {
                guard unsafe raw.unsafeLoadUnaligned(fromUncheckedByteOffset: at, as: UInt64.self)
                        == expected.loadUnaligned(fromByteOffset: at, as: UInt64.self) else { return false }
                at &+= 8
            }
            return unsafe raw.unsafeLoadUnaligned(fromUncheckedByteOffset: count &- 8, as: UInt64.self)
                == expected.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
        }
        if count >= 4 {
            return unsafe raw.unsafeLoadUnaligned(fromUncheckedByteOffset: 0, as: UInt32.self)
                == expected.loadUnaligned(fromByteOffset: 0, as: UInt32.self)
                && raw.unsafeLoadUnaligned(fromUncheckedByteOffset: count &- 4, as: UInt32.self)
                == expected.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self)
        }
        for at in 0..<count {
            guard unsafe raw.unsafeLoad(fromUncheckedByteOffset: at, as: UInt8.self)
                    == expected.load(fromByteOffset: at, as: UInt8.self) else { return false }
        }
        return true
    }

    /// Whether the decoded string is these bytes.
    public func `is`(_ bytes: RawSpan) -> Bool {
        if hasEscapes {
            var decoded: [UInt8] = []
            append(to: &decoded)
            return unsafe decoded.withUnsafeBytes { unsafe $0.bytes.isEqual(to: bytes) }
        }
        return raw.isEqual(to: bytes)
    }

    /// Appends the decoded bytes. A `\u` escape of half a surrogate pair becomes U+FFFD (§8.2 leaves it to us).
    public func append(to sink: inout [UInt8]) {
        guard hasEscapes else {
            raw.append(to: &sink)
            return
        }
        var at = 0
        while at < raw.byteCount {
            let escape = raw.firstBackslash(from: at)
            raw.append(at..<escape, to: &sink)
            guard escape < raw.byteCount else { return }
            at = appendEscape(at: escape, to: &sink)
        }
    }

    /// Decodes the escape at `at` and returns where the text goes on.
    private func appendEscape(at: Int, to sink: inout [UInt8]) -> Int {
        switch raw.byte(at + 1) {
        case UInt8(ascii: "b"): sink.append(0x08)
        case UInt8(ascii: "f"): sink.append(0x0C)
        case UInt8(ascii: "n"): sink.append(0x0A)
        case UInt8(ascii: "r"): sink.append(0x0D)
        case UInt8(ascii: "t"): sink.append(0x09)
        case UInt8(ascii: "u"):
            let unit = raw.hexUnit(at + 2)
            if unit & 0xFC00 == 0xD800, at + 12 <= raw.byteCount, raw.byte(at + 6) == UInt8(ascii: "\\"), raw.byte(at + 7) == UInt8(ascii: "u") {
                let low = raw.hexUnit(at + 8)
                if low & 0xFC00 == 0xDC00 {
                    appendUTF8(0x10000 + (unit & 0x3FF) << 10 + low & 0x3FF, to: &sink)
                    return at + 12
                }
            }
            appendUTF8(unit & 0xF800 == 0xD800 ? 0xFFFD : unit, to: &sink)
            return at + 6
        case let plain: sink.append(plain)  // `"`, `\`, `/`
        }
        return at + 2
    }

    private func appendUTF8(_ scalar: UInt32, to sink: inout [UInt8]) {
        switch scalar {
        case ..<0x80: sink.append(UInt8(scalar))
        case ..<0x800:
            sink.append(UInt8(0xC0 | scalar >> 6))
            sink.append(UInt8(0x80 | scalar & 0x3F))
        case ..<0x10000:
            sink.append(UInt8(0xE0 | scalar >> 12))
            sink.append(UInt8(0x80 | scalar >> 6 & 0x3F))
            sink.append(UInt8(0x80 | scalar & 0x3F))
        default:
            sink.append(UInt8(0xF0 | scalar >> 18))
            sink.append(UInt8(0x80 | scalar >> 12 & 0x3F))
            sink.append(UInt8(0x80 | scalar >> 6 & 0x3F))
            sink.append(UInt8(0x80 | scalar & 0x3F))
        }
    }

    @usableFromInline func decodesTo(_ text: StaticString) -> Bool {
        var decoded: [UInt8] = []
        append(to: &decoded)
        // Sound: a static string's bytes live for ever.
        return unsafe decoded.elementsEqual(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
}

extension String {
    /// The decoded string; bytes that are no UTF-8 become U+FFFD. Allocates: for configuration, the api and tests.
    public init(_ json: borrowing JSONString) {
        var decoded: [UInt8] = []
        json.append(to: &decoded)
        self = String(decoding: decoded, as: UTF8.self)
    }
}
