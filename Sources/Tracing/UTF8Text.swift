/// Text from outside, made well-formed. One bad byte would make a collector refuse a whole batch of spans.
public enum UTF8Text {
    /// Whether the bytes are well-formed UTF-8 (Unicode §3.9, table 3-7). Plain ASCII, the usual case, is seen eight bytes a step.
    public static func isWellFormed(_ text: RawSpan) -> Bool {
        if isASCII(text) { return true }
        // Sound: the bytes are read inside the closure only, and any byte is a UInt8.
        return unsafe text.withUnsafeBytes { raw in
            let bytes = unsafe raw.bindMemory(to: UInt8.self)
            do {
                _ = try unsafe UTF8Span(validating: bytes.span)
                return true
            } catch {
                return false
            }
        }
    }

    /// The text with U+FFFD for each maximal part that is no UTF-8.
    public static func mended(_ text: RawSpan) -> [UInt8] {
        // Sound: the bytes are copied before the closure returns.
        unsafe text.withUnsafeBytes { Array(unsafe String(decoding: $0, as: UTF8.self).utf8) }
    }

    /// Where to cut well-formed UTF-8 so that `limit` code points stay; its length when it has no more than that.
    public static func prefixLength(of text: RawSpan, codePoints limit: Int) -> Int {
        guard text.byteCount > limit else { return text.byteCount }
        var codePoints = 0
        for offset in 0..<text.byteCount where text.byte(at: offset) & 0xC0 != 0x80 {
            if codePoints == limit { return offset }
            codePoints += 1
        }
        return text.byteCount
    }

    @inline(__always)
    private static func isASCII(_ text: RawSpan) -> Bool {
        // Sound: any bytes are an integer, and each load is within the span by the condition before it. The last one may
        // overlap the one before.
        var seen: UInt64 = 0
        let length = text.byteCount
        if length >= 8 {
            var offset = 0
            while offset < length - 8 {
                seen |= unsafe text.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
                offset += 8
            }
            seen |= unsafe text.unsafeLoadUnaligned(fromUncheckedByteOffset: length - 8, as: UInt64.self)
        } else if length >= 4 {
            seen = UInt64(
                unsafe text.unsafeLoadUnaligned(fromUncheckedByteOffset: 0, as: UInt32.self)
                    | text.unsafeLoadUnaligned(fromUncheckedByteOffset: length - 4, as: UInt32.self))
        } else {
            for offset in 0..<length { seen |= UInt64(text.byte(at: offset)) }
        }
        return seen & 0x8080_8080_8080_8080 == 0
    }
}
