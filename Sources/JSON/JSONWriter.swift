/// Writes JSON (RFC 8259) onto the end of a byte array: commas are its business, nesting is its caller's.
///
///     var json = JSONWriter()
///     json.beginObject()
///     json.key("event"); json.string("ready")
///     json.endObject()
///     write(json.bytes)
///
/// Strings that are no UTF-8 are mended with U+FFFD, so what comes out always is. Not shared between threads.
public struct JSONWriter {
    /// What was written, behind what the array held at first.
    public private(set) var bytes: [UInt8]
    private var needsComma = false

    public init(appendingTo bytes: consuming [UInt8] = []) { self.bytes = bytes }

    // MARK: containers

    public mutating func beginObject() { begin(UInt8(ascii: "{")) }
    public mutating func endObject() { end(UInt8(ascii: "}")) }
    public mutating func beginArray() { begin(UInt8(ascii: "[")) }
    public mutating func endArray() { end(UInt8(ascii: "]")) }

    /// A member's name; its value must follow.
    public mutating func key(_ name: StaticString) {
        separate()
        unsafe quoted(UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount).bytes)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    public mutating func key(_ name: String) {
        string(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    // MARK: values

    public mutating func string(_ value: String) {
        var value = value
        // Sound: the bytes are read inside the closure only.
        value.withUTF8 { string(utf8: unsafe UnsafeRawBufferPointer($0).bytes) }
    }

    public mutating func string(utf8 value: RawSpan) {
        separate()
        quoted(value)
    }

    public mutating func int(_ value: some BinaryInteger) { text(String(value)) }

    /// The shortest decimal that reads back as the same double; `null` for what JSON has no number for.
    public mutating func double(_ value: Double) { text(value.isFinite ? value.description : "null") }

    public mutating func bool(_ value: Bool) { text(value ? "true" : "false") }
    public mutating func null() { text("null") }

    /// A value that is JSON already, byte for byte.
    public mutating func raw(_ json: RawSpan) {
        separate()
        json.append(to: &bytes)
    }

    public mutating func raw(_ json: String) { text(json) }

    // MARK: machinery

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    private mutating func begin(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        needsComma = false
    }

    private mutating func end(_ bracket: UInt8) {
        bytes.append(bracket)
        needsComma = true
    }

    private mutating func text(_ value: String) {
        separate()
        bytes.append(contentsOf: value.utf8)
    }

    private mutating func quoted(_ value: RawSpan) {
        bytes.append(UInt8(ascii: "\""))
        var plain = 0  // what stands before `at` from here on can be copied as it is
        var at = 0
        while true {
            at = value.firstSpecialOrNonASCII(from: at)
            guard at < value.byteCount else { break }
            let byte = value.byte(at)
            if byte >= 0x80 {
                let (length, isValid) = value.utf8Sequence(at)
                if !isValid {
                    value.append(plain..<at, to: &bytes)
                    bytes.append(contentsOf: [0xEF, 0xBF, 0xBD])
                    plain = at + length
                }
                at += length
                continue
            }
            value.append(plain..<at, to: &bytes)
            escape(byte)
            at += 1
            plain = at
        }
        value.append(plain..<value.byteCount, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func escape(_ byte: UInt8) {
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
        case 0x08: bytes.append(UInt8(ascii: "b"))
        case 0x0C: bytes.append(UInt8(ascii: "f"))
        case 0x0A: bytes.append(UInt8(ascii: "n"))
        case 0x0D: bytes.append(UInt8(ascii: "r"))
        case 0x09: bytes.append(UInt8(ascii: "t"))
        default:
            bytes.append(contentsOf: "u00".utf8)
            let digit = byte & 0xF
            bytes.append(UInt8(ascii: "0") + byte >> 4)
            bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }
}

extension RawSpan {
    /// The first byte at or after `from` that a string cannot hold as it is, or that is no ASCII; or the end.
    func firstSpecialOrNonASCII(from: Int) -> Int {
        var at = from
        let ones: UInt64 = 0x0101_0101_0101_0101
        while at &+ 8 <= byteCount {
            let word = word(at)
            let quotes = word ^ (ones &* UInt64(UInt8(ascii: "\"")))
            let slashes = word ^ (ones &* UInt64(UInt8(ascii: "\\")))
            // As in `firstSpecialByWords`; a byte above 0x7F marks itself.
            let found = (quotes &- ones) & ~quotes | (slashes &- ones) & ~slashes | (word &- ones &* 0x20) & ~word | word
            let marks = found & (ones &* 0x80)
            if marks != 0 { return at &+ marks.trailingZeroBitCount >> 3 }
            at &+= 8
        }
        while at < byteCount {
            let byte = byte(at)
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20 || byte >= 0x80 { return at }
            at &+= 1
        }
        return at
    }

    /// The length of the UTF-8 sequence at `at`, or, where it is none, of what one U+FFFD replaces: the longest beginning of
    /// a sequence, at least a byte (Unicode 17 §3.9, table 3-7).
    func utf8Sequence(_ at: Int) -> (length: Int, isValid: Bool) {
        let first = byte(at)
        let (length, second): (Int, ClosedRange<UInt8>)
        switch first {
        case 0xC2...0xDF: (length, second) = (2, 0x80...0xBF)
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: (length, second) = (3, 0x80...0xBF)
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: (length, second) = (4, 0x80...0xBF)
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        default: return (1, false)
        }
        guard at + 1 < byteCount, second.contains(byte(at + 1)) else { return (1, false) }
        for index in 2..<max(length, 2) {
            guard at + index < byteCount, byte(at + index) & 0xC0 == 0x80 else { return (index, false) }
        }
        return (length, true)
    }
}
