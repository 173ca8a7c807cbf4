/// Finds the elements of a list of objects that comes in pieces: a Gemini stream without `alt=sse` is one JSON array, and each of its
/// elements says what an event would. An object in place of the list is a list of one.
struct JSONElements {
    private var depth = 0
    private var isInString = false
    private var isEscaped = false
    private var isList = false
    /// The list, or the object in its place, has been closed.
    private(set) var isAtEnd = false
    /// There was something else than objects; nothing is found any more.
    private(set) var isMalformed = false

    /// Takes the next bytes, and gives the pieces of elements among them, in order.
    /// - Parameter body: a piece, and whether it is its element's last.
    mutating func read(_ chunk: RawSpan, _ body: (_ piece: RawSpan, _ isLast: Bool) -> Void) {
        var start = 0
        for at in 0..<chunk.byteCount {
            if isMalformed { return }
            let byte = chunk.byte(at)
            if depth == 0 {
                start = at
                readBetween(byte)
            } else if isInString {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                }
            } else if byte == UInt8(ascii: "\"") {
                isInString = true
            } else if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") {
                depth += 1
            } else if byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]") {
                depth -= 1
                guard depth == 0 else { continue }
                if !isList { isAtEnd = true }
                body(chunk.extracting(start..<at + 1), true)
            }
        }
        if depth > 0, start < chunk.byteCount { body(chunk.extracting(from: start), false) }
    }

    /// A byte that is no element's.
    private mutating func readBetween(_ byte: UInt8) {
        switch byte {
        case 0x20, 0x09, 0x0A, 0x0D: break
        case UInt8(ascii: "{") where !isAtEnd: depth = 1
        case UInt8(ascii: "[") where !isList && !isAtEnd: isList = true
        case UInt8(ascii: "]") where isList && !isAtEnd: isAtEnd = true
        case UInt8(ascii: ",") where isList && !isAtEnd: break
        default: isMalformed = true
        }
    }
}
