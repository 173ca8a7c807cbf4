private import CYAML

/// Parses YAML (libyaml, 1.1 with the 1.2 directive) into events. The only file that touches libyaml.
///
/// Everything handed out is a Swift value; nothing of the parser outlives this object.
@safe final class YAMLEvents {
    /// Sound: allocated and initialised in `init`, freed in `deinit`, never handed out. On the heap because libyaml keeps
    /// a pointer to the parser inside the parser.
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    /// What libyaml reads; lives as long as the parser does.
    private let input: UnsafeMutableBufferPointer<UInt8>

    struct Event {
        let mark: Mark
        let kind: Kind
        /// The node carries an anchor (`&name`) or a tag (`!!str`).
        var anchored = false
        var tagged = false
    }

    enum Kind: Equatable {
        case streamStart, streamEnd, documentStart, documentEnd
        case scalar(String, plain: Bool)
        case sequenceStart, sequenceEnd, mappingStart, mappingEnd
        case alias
    }

    /// - Parameter text: UTF-8, without a byte order mark.
    init(_ text: [UInt8]) {
        unsafe input = .allocate(capacity: max(text.count, 1))
        _ = unsafe input.initialize(from: text)
        unsafe parser = .allocate(capacity: 1)
        // Fails only for want of memory, as `allocate` would have.
        guard unsafe yaml_parser_initialize(parser) == 1 else { fatalError("no memory for a YAML parser") }
        unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        unsafe yaml_parser_set_input_string(parser, input.baseAddress, text.count)
    }

    deinit {
        unsafe yaml_parser_delete(parser)
        unsafe parser.deallocate()
        unsafe input.deallocate()
    }

    /// The next event; after `.streamEnd`, or after a throw, not to be called again.
    func next() throws(YAMLError) -> Event {
        var event = unsafe yaml_event_t()
        guard unsafe yaml_parser_parse(parser, &event) == 1 else { throw failure() }
        // Sound: libyaml has filled the event, and the union member read below is the one its type names.
        defer { unsafe yaml_event_delete(&event) }
        let mark = unsafe Mark(event.start_mark)
        switch unsafe event.type {
        case YAML_STREAM_START_EVENT: return Event(mark: mark, kind: .streamStart)
        case YAML_DOCUMENT_START_EVENT: return Event(mark: mark, kind: .documentStart)
        case YAML_DOCUMENT_END_EVENT: return Event(mark: mark, kind: .documentEnd)
        case YAML_ALIAS_EVENT: return Event(mark: mark, kind: .alias)
        case YAML_SCALAR_EVENT:
            let scalar = unsafe event.data.scalar
            let bytes = unsafe UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            return unsafe Event(
                mark: mark, kind: .scalar(String(decoding: bytes, as: UTF8.self), plain: scalar.style == YAML_PLAIN_SCALAR_STYLE),
                anchored: scalar.anchor != nil, tagged: scalar.tag != nil)
        case YAML_SEQUENCE_START_EVENT:
            let start = unsafe event.data.sequence_start
            return unsafe Event(mark: mark, kind: .sequenceStart, anchored: start.anchor != nil, tagged: start.tag != nil)
        case YAML_SEQUENCE_END_EVENT: return Event(mark: mark, kind: .sequenceEnd)
        case YAML_MAPPING_START_EVENT:
            let start = unsafe event.data.mapping_start
            return unsafe Event(mark: mark, kind: .mappingStart, anchored: start.anchor != nil, tagged: start.tag != nil)
        case YAML_MAPPING_END_EVENT: return Event(mark: mark, kind: .mappingEnd)
        default: return Event(mark: mark, kind: .streamEnd)
        }
    }

    /// libyaml's words for what stopped it; they never hold a piece of the text.
    private func failure() -> YAMLError {
        // Sound: `problem` and `context` are static strings of libyaml, or null.
        let problem = unsafe parser.pointee.problem.map { unsafe String(cString: $0) } ?? "not YAML"
        let context = unsafe parser.pointee.context.map { unsafe String(cString: $0) }
        if unsafe parser.pointee.error == YAML_READER_ERROR {
            return unsafe YAMLError(problem: problem, at: .offset(Int(parser.pointee.problem_offset)))
        }
        let contextMark = unsafe Mark(parser.pointee.context_mark)
        return unsafe YAMLError(
            problem: problem, context: context.map { ($0, contextMark.line) }, at: .mark(Mark(parser.pointee.problem_mark)))
    }
}

/// Why the text is no YAML.
struct YAMLError: Error {
    let problem: String
    /// What libyaml was doing, and the line where that began.
    var context: (doing: String, line: Int)?
    let at: Place

    enum Place {
        case mark(Mark)
        /// In bytes from the start: an error of the encoding, found before characters were counted.
        case offset(Int)
    }
}

extension Mark {
    /// libyaml counts from 0.
    fileprivate init(_ mark: yaml_mark_t) { self.init(line: Int(mark.line) + 1, column: Int(mark.column) + 1) }
}
