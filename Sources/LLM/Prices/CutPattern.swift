/// A pattern of `match.cut`: the small part of regular expressions that such patterns use. Literals, `.`, `\d` and escaped signs,
/// `[sets]`, groups with alternatives (capturing or `(?:…)`), `* + ? {n}`, anchors at both ends. Case is ignored.
///
/// By hand, because it works on bytes, allocates nothing while matching and stands where callers choose the text: a model's
/// name decides how often it runs. It backtracks, which the short ids and the patterns of a price file can afford.
struct CutPattern: Sendable {
    private indirect enum Node: Sendable {
        /// One byte of a set of 256, as four words.
        case bytes(ByteSet)
        case group([[Node]], isCapturing: Bool)
        case repeated(Node, minimum: Int, maximum: Int)
    }

    private struct ByteSet: Sendable {
        var words = InlineArray<4, UInt64>(repeating: 0)

        func contains(_ byte: UInt8) -> Bool { words[Int(byte >> 6)] & 1 << UInt64(byte & 63) != 0 }
        mutating func insert(_ byte: UInt8) { words[Int(byte >> 6)] |= 1 << UInt64(byte & 63) }
        mutating func invert() { for index in 0..<4 { words[index] = ~words[index] } }
    }

    private let nodes: [Node]
    private let startsAtStart: Bool
    private let endsAtEnd: Bool

    /// Nil where the pattern uses what this matcher does not have.
    init?(_ pattern: String) {
        var parser = Parser(Array(pattern.utf8))
        startsAtStart = parser.take(UInt8(ascii: "^"))
        guard let alternatives = parser.alternatives(), alternatives.count == 1 else { return nil }
        endsAtEnd = parser.take(UInt8(ascii: "$"))
        guard parser.isAtEnd else { return nil }
        nodes = alternatives[0]
    }

    /// `id`, lower case, with the first match cut out, or, where the pattern has a group, with what the group matched alone.
    /// Nil where nothing matches.
    func cut(_ id: [UInt8]) -> [UInt8]? {
        for start in 0...(startsAtStart ? 0 : id.count) {
            if case .bytes(let set)? = nodes.first, start == id.count || !set.contains(id[start]) { continue }
            var captured: Range<Int>?
            guard let end = match(nodes[...], id, start, &captured, then: { end, _ in !endsAtEnd || end == id.count ? end : nil }) else { continue }
            if let captured { return Array(id[captured]) }
            return Array(id[..<start] + id[end...])
        }
        return nil
    }

    private typealias Continuation = (Int, inout Range<Int>?) -> Int?

    /// Matches `nodes` at `at`, then the rest; the end of the whole match, or nil.
    private func match(_ nodes: ArraySlice<Node>, _ id: [UInt8], _ at: Int, _ captured: inout Range<Int>?, then: Continuation) -> Int? {
        guard let node = nodes.first else { return then(at, &captured) }
        let rest = nodes.dropFirst()
        switch node {
        case .bytes(let set):
            guard at < id.count, set.contains(id[at]) else { return nil }
            return match(rest, id, at + 1, &captured, then: then)
        case .group(let alternatives, let isCapturing):
            for alternative in alternatives {
                let end = match(alternative[...], id, at, &captured) { end, captured in
                    let before = captured
                    if isCapturing { captured = at..<end }
                    if let whole = match(rest, id, end, &captured, then: then) { return whole }
                    captured = before
                    return nil
                }
                if let end { return end }
            }
            return nil
        case .repeated(let inner, let minimum, let maximum):
            return more(inner, minimum, maximum, id, at, &captured) { end, captured in match(rest, id, end, &captured, then: then) }
        }
    }

    /// As many of `node` as there are, fewer where the rest then does not match.
    private func more(_ node: Node, _ minimum: Int, _ maximum: Int, _ id: [UInt8], _ at: Int, _ captured: inout Range<Int>?, then: Continuation) -> Int? {
        if maximum > 0 {
            let end = match([node], id, at, &captured) { end, captured in
                end == at ? nil : more(node, max(minimum - 1, 0), maximum - 1, id, end, &captured, then: then)
            }
            if let end { return end }
        }
        return minimum == 0 ? then(at, &captured) : nil
    }

    // MARK: reading a pattern

    private struct Parser {
        let bytes: [UInt8]
        var at = 0
        var depth = 0

        init(_ bytes: [UInt8]) { self.bytes = bytes }

        var isAtEnd: Bool { at == bytes.count }
        var next: UInt8? { at < bytes.count ? bytes[at] : nil }

        mutating func take(_ byte: UInt8) -> Bool {
            guard next == byte else { return false }
            at += 1
            return true
        }

        mutating func alternatives() -> [[Node]]? {
            depth += 1
            defer { depth -= 1 }
            guard depth < 16 else { return nil }
            var result: [[Node]] = [[]]
            while let byte = next {
                if byte == UInt8(ascii: ")") || byte == UInt8(ascii: "$") && at == bytes.count - 1 { break }
                if take(UInt8(ascii: "|")) {
                    result.append([])
                    continue
                }
                guard let node = quantified() else { return nil }
                result[result.count - 1].append(node)
            }
            return result
        }

        mutating func quantified() -> Node? {
            guard let node = atom() else { return nil }
            switch next {
            case UInt8(ascii: "*"):
                at += 1
                return .repeated(node, minimum: 0, maximum: .max)
            case UInt8(ascii: "+"):
                at += 1
                return .repeated(node, minimum: 1, maximum: .max)
            case UInt8(ascii: "?"):
                at += 1
                return .repeated(node, minimum: 0, maximum: 1)
            case UInt8(ascii: "{"):
                at += 1
                var count = 0
                while let byte = next, byte &- UInt8(ascii: "0") < 10, count < 1000 {
                    count = count * 10 + Int(byte - UInt8(ascii: "0"))
                    at += 1
                }
                guard take(UInt8(ascii: "}")), count > 0 else { return nil }
                return .repeated(node, minimum: count, maximum: count)
            default: return node
            }
        }

        mutating func atom() -> Node? {
            guard let byte = next else { return nil }
            at += 1
            switch byte {
            case UInt8(ascii: "("):
                var isCapturing = true
                if take(UInt8(ascii: "?")) {
                    guard take(UInt8(ascii: ":")) else { return nil }
                    isCapturing = false
                }
                guard let inner = alternatives(), take(UInt8(ascii: ")")) else { return nil }
                return .group(inner, isCapturing: isCapturing)
            case UInt8(ascii: "["): return set().map { .bytes($0) }
            case UInt8(ascii: "."):
                var all = ByteSet()
                all.invert()
                return .bytes(all)
            case UInt8(ascii: "\\"): return escaped().map { .bytes($0) }
            case UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "?"), UInt8(ascii: "{"), UInt8(ascii: "^"), UInt8(ascii: "$"): return nil
            default:
                var one = ByteSet()
                one.insert(byte.lowercased)
                return .bytes(one)
            }
        }

        mutating func escaped() -> ByteSet? {
            guard let byte = next else { return nil }
            at += 1
            var result = ByteSet()
            switch byte {
            case UInt8(ascii: "d"): for digit in UInt8(ascii: "0")...UInt8(ascii: "9") { result.insert(digit) }
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): return nil
            default: result.insert(byte)
            }
            return result
        }

        mutating func set() -> ByteSet? {
            var result = ByteSet()
            let isInverted = take(UInt8(ascii: "^"))
            var isFirst = true
            while let byte = next, isFirst || byte != UInt8(ascii: "]") {
                isFirst = false
                at += 1
                if byte == UInt8(ascii: "\\") {
                    guard let inner = escaped() else { return nil }
                    for index in 0..<4 { result.words[index] |= inner.words[index] }
                } else if next == UInt8(ascii: "-"), at + 1 < bytes.count, bytes[at + 1] != UInt8(ascii: "]") {
                    let last = bytes[at + 1]
                    at += 2
                    guard byte <= last else { return nil }
                    for member in byte...last { result.insert(member.lowercased) }
                } else {
                    result.insert(byte.lowercased)
                }
            }
            guard take(UInt8(ascii: "]")) else { return nil }
            if isInverted { result.invert() }
            return result
        }
    }
}

extension UInt8 {
    /// ASCII only.
    var lowercased: UInt8 { self &- UInt8(ascii: "A") < 26 ? self | 0x20 : self }
}
