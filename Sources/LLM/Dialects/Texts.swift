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

    private var bytes = ByteStore()

    mutating func reset() { bytes.removeAll() }

    /// Keeps the decoded string, cut to `limit` bytes.
    mutating func keep(_ string: JSONString) -> Text {
        guard string.hasEscapes else { return keep(string.raw) }
        var decoded: [UInt8] = []
        string.append(to: &decoded)
        // Sound here and below: bytes have no padding.
        return keep(unsafe decoded.span.bytes)
    }

    /// Keeps a string that may not be there.
    mutating func keep(_ string: JSONString?) -> Text {
        guard let string else { return Text() }
        return keep(string)
    }

    /// Keeps the bytes, cut to `limit`.
    mutating func keep(_ text: RawSpan) -> Text {
        let start = bytes.count
        guard text.byteCount > 0, start < Self.totalLimit else { return Text() }
        bytes.append(text.cut(to: Self.limit))
        return Text(start: UInt32(start), count: UInt32(bytes.count - start))
    }

    /// The bytes of a text.
    subscript(_ text: Text) -> RawSpan {
        @_lifetime(borrow self) borrowing get {
            bytes.span.extracting(Int(text.start)..<Int(text.start + text.count))
        }
    }

    /// The bytes of a text, for those who hold these texts in a class.
    func with<Result>(_ text: Text, _ body: (RawSpan) -> Result) -> Result { body(self[text]) }

    /// Whether `text` is what keeping the string would keep.
    func holds(_ text: Text, of string: borrowing JSONString) -> Bool {
        if string.is(self[text]) { return true }
        // The beginning of a long one.
        guard text.count > Self.limit - 4, string.raw.byteCount > text.count else { return false }
        guard string.hasEscapes else { return string.raw.cut(to: Self.limit).equals(self[text]) }
        var decoded: [UInt8] = []
        string.append(to: &decoded)
        return unsafe decoded.span.bytes.cut(to: Self.limit).equals(self[text])
    }

    func isSame(_ text: Text, as string: borrowing JSONString) -> Bool { string.is(self[text]) }
}

extension Array {
    /// Empties the array and keeps its storage; costs nothing where it is empty already, as most lists of most exchanges are.
    mutating func clear() {
        if !isEmpty { removeAll(keepingCapacity: true) }
    }
}
