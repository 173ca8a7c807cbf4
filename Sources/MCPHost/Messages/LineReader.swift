/// Cuts what a program writes into lines, however it comes. A line longer than the limit is not kept: of it there is the beginning, the end
/// and the length.
struct LineReader {
    enum Line {
        case whole([UInt8])
        /// Longer than the limit.
        case cut(Cut)
    }

    struct Cut {
        var start: [UInt8] = []
        var end: [UInt8] = []
        var length = 0
    }

    private let limit: Int
    private var held: [UInt8] = []
    /// So much of what is held has no line's end in it.
    private var scanned = 0
    private var cut: Cut?

    /// - Parameter limit: of a line, its end not counted.
    init(limit: Int) { self.limit = limit }

    /// Bytes that wait for the rest of their line.
    var heldByteCount: Int { held.count }

    /// Takes what has come, by appending it to the array that it lends.
    mutating func append<Value>(_ body: (inout [UInt8]) -> Value) -> Value { body(&held) }

    /// The lines that have come to their ends; empty ones are passed over.
    mutating func lines(_ body: (Line) -> Void) {
        var start = 0
        while let end = held[scanned...].firstIndex(of: 0x0A) {
            var last = end
            if last > start, held[last - 1] == 0x0D { last -= 1 }
            if var long = cut {
                long.take(held[start..<last])
                cut = nil
                body(.cut(long))
            } else if last - start > limit {
                var long = Cut()
                long.take(held[start..<last])
                body(.cut(long))
            } else if last > start {
                body(.whole(Array(held[start..<last])))
            }
            start = end + 1
            scanned = start
        }
        if start > 0 { held.removeSubrange(..<start) }
        scanned = held.count
        guard cut != nil || held.count > limit + 1 else { return }
        var long = cut ?? Cut()
        long.take(held[...])
        cut = long
        held = []
        scanned = 0
    }

    /// What came after the last line's end, once nothing more will come.
    mutating func rest(_ body: (Line) -> Void) {
        guard cut != nil || !held.isEmpty else { return }
        held.append(0x0A)
        lines(body)
    }
}

extension LineReader.Cut {
    /// Bytes kept of either end of a long line.
    private static let kept = 256

    mutating func take(_ bytes: ArraySlice<UInt8>) {
        if start.count < Self.kept { start += bytes.prefix(Self.kept - start.count) }
        end = Array((end + bytes.suffix(Self.kept)).suffix(Self.kept))
        length += bytes.count
    }
}
