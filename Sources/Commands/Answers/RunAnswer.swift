public import JSON

/// What `GET /api/runs/{run}` answered, taken apart into the run and the nodes of its tree: a tree is as deep as its agents called each
/// other, and deeper than a `JSONReader` goes.
///
/// Only `root` and the `children` of nodes are cut out here, by their brackets; whether each part is JSON is left to the reader.
struct RunAnswer {
    /// The answer with null for its `root`.
    let run: JSONValue
    /// In the order of the lines on the screen, each before those below it; their `children` are empty. The root's depth is 0.
    let nodes: [(depth: Int, json: JSONValue)]

    /// Nodes below each other; more is no run.
    static let deepest = 10_000

    init(_ bytes: [UInt8]) throws(UnexpectedAnswer) {
        var scan = Scan(bytes)
        while scan.at < bytes.count { try scan.step() }
        guard scan.frames.isEmpty, let text = scan.texts.first else { throw UnexpectedAnswer() }
        run = try Self.json(text)
        nodes = scan.nodes
    }

    fileprivate static func json(_ text: [UInt8]) throws(UnexpectedAnswer) -> JSONValue {
        // Sound: the array outlives the call.
        do { return try JSONValue(unsafe text.span.bytes) } catch { throw UnexpectedAnswer(error) }
    }
}

/// A walk over the answer's brackets, byte by byte.
private struct Scan {
    /// What a bracket that is open holds.
    enum Frame {
        case run
        /// With its place in `nodes`.
        case node(Int)
        case children
        case other
    }

    let bytes: [UInt8]
    var at = 0
    var frames: [Frame] = []
    /// What has been met of the run, and of each node that is open.
    var texts: [[UInt8]] = [[]]
    var nodes: [(depth: Int, json: JSONValue)] = []
    private var string = 0..<0
    /// The member whose value comes now.
    private var key: Range<Int>?

    private static let root = Array("root".utf8)
    private static let children = Array("children".utf8)

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func step() throws(UnexpectedAnswer) {
        let byte = bytes[at]
        at += 1
        switch byte {
        case UInt8(ascii: "\""): try takeString()
        case UInt8(ascii: ":"):
            key = string
            append(byte)
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            try open(byte)
            key = nil
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
            try close(byte)
            key = nil
        default:
            if case .children = frames.last {
                guard byte == UInt8(ascii: ",") || byte <= 0x20 else { throw UnexpectedAnswer() }
                return
            }
            if byte == UInt8(ascii: ",") { key = nil }
            append(byte)
        }
    }

    private mutating func append(_ byte: UInt8) { texts[texts.count - 1].append(byte) }

    private mutating func takeString() throws(UnexpectedAnswer) {
        let start = at
        while at < bytes.count, bytes[at] != UInt8(ascii: "\"") { at += bytes[at] == UInt8(ascii: "\\") ? 2 : 1 }
        guard at < bytes.count else { throw UnexpectedAnswer() }
        string = start..<at
        at += 1
        texts[texts.count - 1] += bytes[start - 1..<at]
    }

    private func keyIs(_ name: [UInt8]) -> Bool { key.map { bytes[$0].elementsEqual(name) } ?? false }

    private mutating func open(_ byte: UInt8) throws(UnexpectedAnswer) {
        let isObject = byte == UInt8(ascii: "{")
        switch frames.last {
        case .run where isObject && keyIs(Self.root):
            texts[0] += Array("null".utf8)
            try beginNode()
        case .children:
            guard isObject else { throw UnexpectedAnswer() }
            try beginNode()
        case .node where !isObject && keyIs(Self.children):
            frames.append(.children)
            append(byte)
        case nil:
            frames.append(.run)
            append(byte)
        default:
            frames.append(.other)
            append(byte)
        }
    }

    private mutating func beginNode() throws(UnexpectedAnswer) {
        // One text is the run's.
        let depth = texts.count - 1
        guard depth < RunAnswer.deepest else { throw UnexpectedAnswer(.tooDeep) }
        frames.append(.node(nodes.count))
        nodes.append((depth, .null))
        texts.append([UInt8(ascii: "{")])
    }

    private mutating func close(_ byte: UInt8) throws(UnexpectedAnswer) {
        guard let frame = frames.popLast() else { throw UnexpectedAnswer() }
        append(byte)
        if case .node(let place) = frame { nodes[place].json = try RunAnswer.json(texts.removeLast()) }
    }
}
