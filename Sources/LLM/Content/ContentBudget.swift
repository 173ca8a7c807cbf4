internal import JSON

/// How much content of one kind is still to be taken from a body: what would not fit into the attribute is not even copied.
struct ContentBudget {
    /// Of the attribute.
    let limit: Int
    private var left: Int

    /// Some more than the limit is taken, so that what is to be masked at the end is seen whole.
    init(limit: Int) {
        self.limit = limit
        left = limit + 4096
    }

    var isSpent: Bool { left <= 0 }

    /// The decoded string, or as much of its beginning as is left to take.
    mutating func take(_ string: JSONString?) -> [UInt8] {
        guard let string, left > 0 else { return [] }
        var text: [UInt8] = []
        if string.raw.byteCount <= left {
            string.append(to: &text)
        } else if !string.hasEscapes {
            unsafe string.raw.cut(to: left).withUnsafeBytes { unsafe text.append(contentsOf: $0) }
        } else {
            text = Self.decodeBeginning(string.raw.cut(to: left))
        }
        left -= text.count
        return text
    }

    /// A JSON text as it stands; nothing where it is more than is left.
    mutating func takeWhole(_ json: RawSpan) -> [UInt8] {
        guard json.byteCount <= left else {
            left = 0
            return []
        }
        left -= json.byteCount
        return unsafe json.withUnsafeBytes { unsafe Array($0) }
    }

    /// Decodes a string that was cut, perhaps inside its last escape: `\ud83d\udc4d` is the longest one.
    private static func decodeBeginning(_ raw: RawSpan) -> [UInt8] {
        var quoted: [UInt8] = [UInt8(ascii: "\"")]
        unsafe raw.withUnsafeBytes { unsafe quoted.append(contentsOf: $0) }
        for _ in 0..<12 {
            var text: [UInt8] = []
            // Sound: bytes have no padding.
            var json = JSONReader(unsafe (quoted + [UInt8(ascii: "\"")]).span.bytes)
            if let string = try? json.string() {
                string.append(to: &text)
                return text
            }
            quoted.removeLast()
        }
        return []
    }
}
