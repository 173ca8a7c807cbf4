internal import JSON

/// How much content of one kind is still to be taken from a body: what would not fit into the attribute is not even copied.
struct ContentBudget {
    /// Of the attribute.
    let limit: Int
    private var left: Int

    /// Some more than the limit is taken, so that what is to be masked at the end is seen whole.
    static func room(limit: Int) -> Int { limit + 8192 }

    init(limit: Int) {
        self.limit = limit
        left = Self.room(limit: limit)
    }

    var isSpent: Bool { left <= 0 }

    /// Bytes taken so far.
    var taken: Int { Self.room(limit: limit) - left }

    /// An element of a list is taken: whatever is in it, its own JSON will be longer than this.
    mutating func takeElement() { left -= min(left, 16) }

    /// The decoded string, or as much of its beginning as is left to take and can be masked.
    mutating func take(_ string: JSONString?) -> [UInt8] {
        guard let string else { return [] }
        let isWhole = string.raw.byteCount <= left
        let text = takePiece(string)
        return isWhole ? text : Self.withoutTornEnd(text)
    }

    /// The same for a piece of a text: once the budget `isSpent`, what it has been put together to needs `withoutTornEnd`.
    mutating func takePiece(_ string: JSONString?) -> [UInt8] {
        guard let string, !string.isEmpty else { return [] }
        var text: [UInt8] = []
        guard string.raw.byteCount <= left else {
            if left > 0 { text = beginning(of: string) }
            left = 0
            return text
        }
        string.append(to: &text)
        left -= text.count
        return text
    }

    private func beginning(of string: JSONString) -> [UInt8] {
        let cut = string.raw.cut(to: left)
        return string.hasEscapes ? Self.decodeBeginning(cut) : unsafe cut.withUnsafeBytes { unsafe Array($0) }
    }

    /// A text that was cut, without what may be the beginning of something to be masked that is no longer recognized: a word of up to
    /// 4 KiB, or the groups of a number.
    static func withoutTornEnd(_ text: [UInt8]) -> [UInt8] {
        var end = max(0, text.count - 64)
        let least = max(0, end - 4096)
        while end > least, text[end - 1] > 0x20 { end -= 1 }
        let word = end
        while end > 0, word - end < 64, text[end - 1] == 0x20 || "0123456789+-.()/".utf8.contains(text[end - 1]) { end -= 1 }
        while end > 0, end < text.count, text[end] & 0xC0 == 0x80 { end -= 1 }
        return Array(text[..<end])
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
