internal import JSON
private import Glibc

/// An event of a stream as it looked when it was read, with holes where the next ones may differ without anybody noticing.
///
/// A stream says the same thing hundreds of times and changes a few letters of it. An event that was read and changed nothing of
/// what is known (`ResponseFacts.isSame`) would change nothing if it came again before anything else changes; nor would one that differs from it only in
/// strings and numbers that are not read at all. Those are the holes: the text of a delta once there has been content, time
/// stamps, sequence numbers, padding. Between the holes, framing included, every byte must be the same; in a hole must stand a
/// value of JSON's grammar. So an event that fits needs no reading, and what is known of the stream is exactly what reading it
/// would have left.
@safe struct EventPattern: ~Copyable {
    /// Longer events are read each time.
    private static let sizeLimit = 1 << 10
    /// So many patterns that nothing fitted, one after the other, and there are no more.
    private static let attempts = 8

    /// The event's bytes; allocated with the first event that is learned.
    private var bytes = unsafe UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private var count = 0
    private var holes = InlineArray<8, Hole>(repeating: Hole(start: 0, end: 0, isString: false))
    private var holeCount = 0
    /// Patterns learned since an event last fitted one.
    private var misses = 0

    /// The extent of a value in `bytes`, a string's quotes included.
    private struct Hole: BitwiseCopyable {
        var start: UInt16
        var end: UInt16
        var isString: Bool
    }

    deinit { unsafe bytes.deallocate() }

    /// Ready for another stream.
    mutating func reset() {
        count = 0
        holeCount = 0
        misses = 0
    }

    /// An event is read, which may change what is known: the pattern holds no longer.
    mutating func forget() { count = 0 }

    // MARK: fitting

    /// The index behind the event that begins at `start` of `chunk`, where it is one that fits; nil where it is not, or not whole.
    mutating func end(in chunk: RawSpan, from start: Int) -> Int? {
        guard count > 0 else { return nil }
        var at = start
        var literal = 0
        for index in 0..<holeCount {
            let hole = holes[index]
            guard matches(literal..<Int(hole.start), chunk, &at), at < chunk.byteCount else { return nil }
            literal = Int(hole.end)
            // Many stay as they are. (Whether the value ends here as well, what follows it will tell.)
            if matches(Int(hole.start)..<literal, chunk, &at) { continue }
            let isString = chunk.byte(at) == UInt8(ascii: "\"")
            guard isString == hole.isString, isString || Self.beginsNumber(chunk.byte(at)) else { return nil }
            var value = JSONReader(chunk.extracting(from: at))
            do { try value.skip() } catch { return nil }
            at += value.offset
        }
        guard matches(literal..<count, chunk, &at) else { return nil }
        misses = 0
        return at
    }

    /// Whether the pattern's bytes of `range` stand at `at`, and steps behind them.
    @inline(__always) private func matches(_ range: Range<Int>, _ chunk: RawSpan, _ at: inout Int) -> Bool {
        let length = range.count
        guard chunk.byteCount - at >= length else { return false }
        // Sound: both have `length` bytes from where they are compared; the range lies inside what was learned.
        let isSame = unsafe chunk.withUnsafeBytes { unsafe memcmp($0.baseAddress! + at, bytes.baseAddress! + range.lowerBound, length) == 0 }
        if isSame { at += length }
        return isSame
    }

    private static func beginsNumber(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "-") || byte &- UInt8(ascii: "0") < 10 }

    // MARK: learning

    /// Whether it is worth while to learn from events that do not fit.
    var wantsToLearn: Bool { misses < Self.attempts }

    /// Takes an event for the pattern. It was read, is well-formed, changed nothing, and there has been content before.
    /// - Parameters:
    ///   - data: the event's one line of data, a part of `raw`.
    ///   - idIsKnown: the answer's id is not read any more.
    mutating func learn(_ raw: RawSpan, data: RawSpan, api: API, idIsKnown: Bool) {
        misses += 1
        count = 0
        holeCount = 0
        // A line break that may go on in the next chunk, a comment or a byte order mark say something to the reader of events.
        guard raw.byteCount <= Self.sizeLimit, raw.ends(with: "\n\n") || raw.ends(with: "\r\n\r\n"), raw.byte(0) != UInt8(ascii: ":"), raw.byte(0) < 0x80,
            let start = raw.byteOffsets(of: data)?.lowerBound
        else { return }
        var json = JSONReader(data)
        do throws(JSONError) {
            switch api {
            case .chatCompletions: try findHolesOfChat(&json, idIsKnown: idIsKnown)
            case .responses: try findHoles(&json) { $0.is("delta") || $0.is("sequence_number") || $0.is("obfuscation") }
            case .messages: try findHolesOfMessages(&json)
            case .embeddings, .generateContent, .embedContent, .converse, .invokeModel, .cohereChat, .cohereEmbed: return
            }
        } catch { return }
        guard holeCount <= holes.count else { return }
        for index in 0..<holeCount {
            holes[index].start += UInt16(start)
            holes[index].end += UInt16(start)
        }
        if unsafe bytes.count < raw.byteCount {
            unsafe bytes.deallocate()
            unsafe bytes = .allocate(byteCount: (raw.byteCount + 127) & ~63, alignment: 8)
        }
        // Sound: there is room for them.
        unsafe raw.withUnsafeBytes { unsafe bytes.copyMemory(from: $0) }
        count = raw.byteCount
    }

    /// Of chunks of Chat Completions: `ResponseFacts.readChatCompletion` and what it calls read none of these, or ask only whether they
    /// are empty, as a sign of content.
    @_lifetime(json: copy json)
    private mutating func findHolesOfChat(_ json: inout JSONReader, idIsKnown: Bool) throws(JSONError) {
        guard try json.enterObject() else { return }
        while let key = try json.nextMember() {
            if key.is("choices") {
                guard try json.enterArray() else { continue }
                while try json.nextElement() {
                    guard try json.enterObject() else { continue }
                    while let key = try json.nextMember() {
                        if key.is("delta") { try findHolesOfDelta(&json) }
                    }
                }
            } else if key.is("created") || key.is("obfuscation") || (idIsKnown && key.is("id")) {
                try addHole(&json)
            }
        }
    }

    @_lifetime(json: copy json)
    private mutating func findHolesOfDelta(_ json: inout JSONReader) throws(JSONError) {
        guard try json.enterObject() else { return }
        while let key = try json.nextMember() {
            if key.is("content") || key.is("reasoning_content") || key.is("reasoning") || key.is("refusal") {
                try addHole(&json)
            } else if key.is("tool_calls") {
                guard try json.enterArray() else { continue }
                while try json.nextElement() {
                    guard try json.enterObject() else { continue }
                    while let key = try json.nextMember() {
                        if key.is("function") { try findHoles(&json) { $0.is("arguments") } }
                    }
                }
            }
        }
    }

    /// Of events of Messages: `ResponseFacts.readMessagesDelta` reads none of these once there has been content.
    @_lifetime(json: copy json)
    private mutating func findHolesOfMessages(_ json: inout JSONReader) throws(JSONError) {
        guard try json.enterObject() else { return }
        while let key = try json.nextMember() {
            guard key.is("delta") else { continue }
            try findHoles(&json) { $0.is("text") || $0.is("partial_json") || $0.is("thinking") }
        }
    }

    /// The values of those members of the pending object that are named by `isFree`.
    @_lifetime(json: copy json)
    private mutating func findHoles(_ json: inout JSONReader, _ isFree: (borrowing JSONString) -> Bool) throws(JSONError) {
        guard try json.enterObject() else { return }
        while let key = try json.nextMember() {
            if isFree(key) { try addHole(&json) }
        }
    }

    /// The pending value where it is a string or a number; any other must come again as it is.
    @_lifetime(json: copy json)
    private mutating func addHole(_ json: inout JSONReader) throws(JSONError) {
        let kind = try json.peek()
        guard kind == .string || kind == .number, holeCount <= holes.count else { return }
        let range = try json.rawValue()
        if holeCount < holes.count {
            holes[holeCount] = Hole(start: UInt16(range.lowerBound), end: UInt16(range.upperBound), isString: kind == .string)
        }
        holeCount += 1
    }
}

extension ResponseFacts {
    /// What stands in these facts, to be compared with what stands in them later.
    ///
    /// They are compared bit by bit, so that no member can be forgotten. What lists and texts hold lies elsewhere: an element is only
    /// ever changed by a text that is kept for it, and that makes the texts longer, whose length lies here.
    @unsafe func copy(to place: UnsafeMutableRawBufferPointer) {
        // Sound: the place has room for `byteCount`, and what is copied is only ever compared.
        unsafe withUnsafeBytes(of: self) { unsafe place.copyMemory(from: $0) }
        unsafe place.storeBytes(of: choices.count << 16 | toolCalls.count, toByteOffset: Self.countsOffset, as: Int.self)
    }

    /// Whether nothing has changed since they were copied there.
    @unsafe func isSame(as place: UnsafeMutableRawBufferPointer) -> Bool {
        guard unsafe place.load(fromByteOffset: Self.countsOffset, as: Int.self) == choices.count << 16 | toolCalls.count else { return false }
        // Sound: both have as many bytes as are compared.
        return unsafe withUnsafeBytes(of: self) { unsafe memcmp(place.baseAddress!, $0.baseAddress!, $0.count) == 0 }
    }

    /// The room that `copy` needs.
    static var byteCount: Int { countsOffset + MemoryLayout<Int>.size }
    private static var countsOffset: Int { (MemoryLayout<ResponseFacts>.size + 15) & ~15 }
}
