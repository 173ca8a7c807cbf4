internal import JSON

/// A text that `Texts` keeps: where it stands there. Empty stands for "not given".
struct Text: BitwiseCopyable, Sendable {
    var start: UInt32 = 0
    var count: UInt32 = 0

    var isEmpty: Bool { count == 0 }
}

/// The texts of one exchange, one after the other in one array, so that keeping a text costs a copy and no allocation.
struct Texts {
    /// The longest text kept; longer ones are cut. Model names, ids and finish reasons are far shorter.
    static let limit = 256
    /// How much is kept in all. An answer that says new things without end is no longer listened to.
    static let totalLimit = 128 << 10

    private var bytes: [UInt8] = []

    /// Forgets all texts; what an unusual exchange has grown is given back.
    mutating func reset() {
        if bytes.capacity > 16 << 10 { bytes = [] } else { bytes.removeAll(keepingCapacity: true) }
    }

    /// Keeps the decoded string, cut to `limit` bytes.
    mutating func keep(_ string: borrowing JSONString) -> Text {
        guard string.hasEscapes else { return keep(string.raw) }
        guard bytes.count < Self.totalLimit else { return Text() }
        let start = bytes.count
        string.append(to: &bytes)
        return finish(from: start)
    }

    /// Keeps a string that may not be there.
    mutating func keep(_ string: JSONString?) -> Text {
        guard let string else { return Text() }
        return keep(string)
    }

    /// Keeps the bytes, cut to `limit`.
    mutating func keep(_ text: RawSpan) -> Text {
        guard bytes.count < Self.totalLimit else { return Text() }
        let start = bytes.count
        // Sound: the bytes are read inside the closure only.
        unsafe text.cut(to: Self.limit).withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
        return Text(start: UInt32(start), count: UInt32(bytes.count - start))
    }

    private mutating func finish(from start: Int) -> Text {
        var end = bytes.count
        if end - start > Self.limit {
            end = start + Self.limit
            while end > start, bytes[end] & 0xC0 == 0x80 { end -= 1 }
            bytes.removeSubrange(end...)
        }
        return Text(start: UInt32(start), count: UInt32(end - start))
    }

    /// The bytes of a text.
    subscript(_ text: Text) -> RawSpan {
        @_lifetime(borrow self) borrowing get {
            // Sound: bytes have no padding.
            unsafe bytes.span.bytes.extracting(Int(text.start)..<Int(text.start + text.count))
        }
    }

    /// The bytes of a text, for those who hold these texts in a class.
    func with<Result>(_ text: Text, _ body: (RawSpan) -> Result) -> Result { body(self[text]) }

    func isSame(_ text: Text, as string: borrowing JSONString) -> Bool { string.is(self[text]) }
}

extension Array {
    /// Empties the array and keeps its storage; costs nothing where it is empty already, as most lists of most exchanges are.
    mutating func clear() {
        if !isEmpty { removeAll(keepingCapacity: true) }
    }
}
