/// Reads one YAML document into a tree of nodes with their positions.
///
/// Taken is what a configuration needs: scalars, sequences and mappings with text keys. Anchors and aliases (which can
/// make a small file huge), tags, a second document and a key written twice are mistakes.
struct YAMLTree {
    private let events: YAMLEvents
    private let text: [UInt8]
    private let reading: Reading

    static let maximumSize = 1 << 20
    static let maximumDepth = 24

    /// The root node; nil when the file holds nothing, or is no YAML (which has then been noted).
    static func read(_ file: [UInt8], _ reading: Reading) -> Node? {
        guard file.count <= maximumSize else {
            reading.mistake(.start, .root, "the file is larger than 1MiB")
            return nil
        }
        let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let text = file.starts(with: byteOrderMark) ? Array(file.dropFirst(3)) : file
        let tree = YAMLTree(events: YAMLEvents(text), text: text, reading: reading)
        do throws(YAMLError) {
            return try tree.document()
        } catch {
            tree.note(error)
            return nil
        }
    }

    private func document() throws(YAMLError) -> Node? {
        _ = try events.next()  // the stream's start
        guard try events.next().kind == .documentStart else { return nil }
        let root = try node(events.next(), .root, depth: 0)
        _ = try events.next()  // the document's end
        let after = try events.next()
        if after.kind == .documentStart {
            reading.mistake(after.mark, .root, "a second YAML document", "one document a file")
        }
        return root
    }

    private func node(_ event: YAMLEvents.Event, _ place: Place, depth: Int) throws(YAMLError) -> Node {
        guard depth < Self.maximumDepth else {
            throw YAMLError(problem: "nested deeper than \(Self.maximumDepth) levels", at: .mark(event.mark))
        }
        if event.anchored {
            reading.mistake(event.mark, place, "anchors (&name) are not taken here", "write the value out at each place")
        }
        if event.tagged {
            reading.mistake(event.mark, place, "tags (!name) are not taken here", "quotes make a text of anything")
        }
        switch event.kind {
        case .scalar(let text, let plain): return Node(mark: event.mark, content: .scalar(text, plain: plain))
        case .sequenceStart: return Node(mark: event.mark, content: .sequence(try items(place, depth: depth)))
        case .mappingStart: return Node(mark: event.mark, content: .mapping(try entries(place, depth: depth)))
        default:
            reading.mistake(event.mark, place, "aliases (*name) are not taken here", "write the value out at each place")
            return Node(mark: event.mark, content: .refused)
        }
    }

    private func items(_ place: Place, depth: Int) throws(YAMLError) -> [Node] {
        var items: [Node] = []
        while true {
            let event = try events.next()
            if event.kind == .sequenceEnd { return items }
            items.append(try node(event, place.item(items.count), depth: depth + 1))
        }
    }

    private func entries(_ place: Place, depth: Int) throws(YAMLError) -> [Node.Entry] {
        var entries: [Node.Entry] = []
        var lines: [String: Int] = [:]
        while true {
            let event = try events.next()
            if event.kind == .mappingEnd { return entries }
            let key = try node(event, place, depth: depth + 1)
            var name = ""
            if case .scalar(let text, _) = key.content { name = text }
            let value = try node(events.next(), place.key(name), depth: depth + 1)
            switch key.content {
            case .scalar("<<", plain: true):
                reading.mistake(key.mark, place, "merge keys (<<) are not taken here", "write the keys out at each place")
            case .scalar:
                if let line = lines[name] {
                    reading.mistake(key.mark, place.key(name), "written twice", "it stands on line \(line) already")
                } else {
                    lines[name] = key.mark.line
                    entries.append(Node.Entry(key: name, mark: key.mark, value: value))
                }
            case .sequence, .mapping: reading.mistake(key.mark, place, "a key that is not a text")
            case .refused: break
            }
        }
    }

    private func note(_ error: YAMLError) {
        let mark =
            switch error.at {
            case .mark(let mark): mark
            case .offset(let offset): self.mark(at: offset)
            }
        var problem = "not YAML: " + error.problem
        if let context = error.context {
            problem += " " + context.doing + (context.line == mark.line ? "" : " that begins on line \(context.line)")
        }
        let line = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropFirst(mark.line - 1).first ?? []
        var hint: String?
        if line.prefix(while: { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }).contains(UInt8(ascii: "\t")) {
            hint = "YAML is indented with spaces, never with tabs"
        } else if String(decoding: line, as: UTF8.self).has(": [") && String(decoding: line, as: UTF8.self).has("]:") {
            hint = "an IPv6 address wants quotes: \"[::1]:8700\""
        }
        reading.mistake(mark, .root, problem, hint)
    }

    /// Counts lines and characters up to a byte.
    private func mark(at offset: Int) -> Mark {
        var mark = Mark.start
        for byte in text.prefix(offset) {
            if byte == UInt8(ascii: "\n") {
                mark = Mark(line: mark.line + 1, column: 1)
            } else if byte & 0xC0 != 0x80 {
                mark.column += 1
            }
        }
        return mark
    }
}

/// A piece of the file for a message: in double quotes, short, on one line.
func quoted(_ text: String) -> String {
    var shown = ""
    for scalar in text.unicodeScalars.prefix(60) {
        switch scalar {
        case "\"", "\\": shown += "\\" + String(scalar)
        case "\n": shown += "\\n"
        case "\t": shown += "\\t"
        case _ where scalar.value < 0x20 || scalar.properties.generalCategory == .control || scalar.properties.generalCategory == .format:
            shown += "\\u{" + String(scalar.value, radix: 16) + "}"
        default: shown.unicodeScalars.append(scalar)
        }
    }
    return "\"" + shown + (text.unicodeScalars.count > 60 ? "…" : "") + "\""
}
