/// Reads `text/event-stream` (WHATWG HTML §9.2) from chunks that may be cut anywhere: between CR and LF, inside a character.
///
/// An event that lies whole inside one chunk is given as it lies there; one that is cut is put together in a buffer of the
/// reader's, which is kept for the next. Lines end in LF, CR or CRLF; comments, unknown fields and a byte order mark are passed
/// over. Bytes are not checked for being UTF-8. One per stream at a time; not shared between threads.
///
///     reader.read(chunk) { event in if event.data.byteCount > 0 { … } }
///     reader.finish { event in … }       // the stream has ended
///
/// Lenient where the standard is not: an event that the end of the stream cut off is given, marked `unterminated`. A comment
/// line that opens a block is given at once, as an event of its own without data, so that a relay does not hold back a keep-alive.
@safe public struct EventStreamReader: ~Copyable {
    /// The largest event that is read, in bytes; larger ones are given in pieces.
    private let limit: Int

    /// The bytes of the open event that came in earlier chunks; allocated with the first event that is cut.
    private var held = unsafe UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private var heldCount = 0
    /// Where `data` values are joined when an event has several.
    private var joined = unsafe UnsafeMutableRawBufferPointer(start: nil, count: 0)

    /// Where the open event (or, of an oversized one, the next piece) begins in the stream.
    public private(set) var offset: UInt64 = 0
    /// The open event passed the limit.
    private var isOversized = false
    /// The open event has a finished line.
    private var hasLines = false
    /// The open line has bytes.
    private var lineHasBytes = false
    /// The open event began with a colon.
    private var startsWithColon = false
    /// The last byte was a CR that ended a line: an LF right after it belongs to that line end.
    private var afterCR = false

    public init(limit: Int) { self.limit = limit }

    deinit {
        unsafe held.deallocate()
        unsafe joined.deallocate()
    }

    /// Ready for another stream; a buffer that a huge event has grown is given back.
    public mutating func reset() {
        heldCount = 0
        offset = 0
        isOversized = false
        hasLines = false
        lineHasBytes = false
        startsWithColon = false
        afterCR = false
        if unsafe held.count > 16 << 10 {
            unsafe held.deallocate()
            unsafe held = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        }
        if unsafe joined.count > 16 << 10 {
            unsafe joined.deallocate()
            unsafe joined = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        }
    }

    /// The bytes of an unfinished event that are being held.
    public var heldByteCount: Int { heldCount }

    /// The next byte begins an event.
    public var isBetweenEvents: Bool { heldCount == 0 && !hasLines && !lineHasBytes && !afterCR && !isOversized }

    /// Goes on behind `count` bytes that are whole events, of which the caller has taken care itself: only between events.
    public mutating func passOver(_ count: Int) { offset += UInt64(count) }

    /// Takes the next bytes of the stream and calls `body` for each event they complete, in order.
    public mutating func read(_ chunk: RawSpan, _ body: (borrowing EventStreamEvent) -> Void) {
        guard chunk.byteCount > 0 else { return }
        // Sound: the chunk is borrowed for the whole call, and the pointers do not leave the closure.
        unsafe chunk.withUnsafeBytes { bytes in
            var lineEnds = unsafe LineEnds(bytes)
            var start = 0
            while start < bytes.count {
                let end = unsafe endOfEvent(&lineEnds, from: start)
                let piece = unsafe UnsafeRawBufferPointer(rebasing: bytes[start..<(end ?? bytes.count)])
                if end != nil { unsafe complete(piece, body) } else { unsafe hold(piece, body) }
                start += piece.count
            }
        }
    }

    /// The stream has ended: gives what was left without its blank line.
    public mutating func finish(_ body: (borrowing EventStreamEvent) -> Void) {
        guard heldCount > 0 else { return }
        let count = heldCount
        heldCount = 0
        unsafe give(UnsafeRawBufferPointer(rebasing: held[..<count]), .unterminated, body)
    }

    // MARK: where events end

    /// The index after the line end that completes the open event; nil where the chunk ends first.
    private mutating func endOfEvent(_ lineEnds: inout LineEnds, from start: Int) -> Int? {
        var index = start
        let count = unsafe lineEnds.count
        if afterCR {
            afterCR = false
            if unsafe lineEnds[index] == 0x0A {
                index += 1
                // The event was ended by that CR and has been given: its LF passes alone.
                if !hasLines && !lineHasBytes { return index }
            }
        }
        while index < count {
            if !hasLines && !lineHasBytes { startsWithColon = unsafe lineEnds[index] == UInt8(ascii: ":") }
            let lineEnd = unsafe lineEnds.next(from: index)
            guard lineEnd < count else {
                lineHasBytes = true
                return nil
            }
            let isBlank = !lineHasBytes && lineEnd == index
            lineHasBytes = false
            index = lineEnd + 1
            if unsafe lineEnds[lineEnd] == 0x0D {
                if index == count {
                    afterCR = true
                } else if unsafe lineEnds[index] == 0x0A {
                    index += 1
                }
            }
            if isBlank || (!hasLines && startsWithColon) {
                hasLines = false
                return index
            }
            hasLines = true
        }
        return nil
    }

    /// The open event ends with `piece`.
    private mutating func complete(_ piece: UnsafeRawBufferPointer, _ body: (borrowing EventStreamEvent) -> Void) {
        if unsafe !fits(piece) {
            unsafe givePieces(piece, .lastPiece, body)
            isOversized = false
        } else if heldCount == 0 {
            unsafe give(piece, .whole, body)
        } else {
            unsafe append(piece)
            let count = heldCount
            heldCount = 0
            unsafe give(UnsafeRawBufferPointer(rebasing: held[..<count]), .whole, body)
        }
    }

    /// The open event goes on after `piece`.
    private mutating func hold(_ piece: UnsafeRawBufferPointer, _ body: (borrowing EventStreamEvent) -> Void) {
        if unsafe !fits(piece) {
            unsafe givePieces(piece, .piece, body)
            isOversized = true
        } else {
            unsafe append(piece)
        }
    }

    private func fits(_ piece: UnsafeRawBufferPointer) -> Bool {
        !isOversized && piece.count <= limit - heldCount
    }

    /// Gives what is held and `piece` as they are.
    private mutating func givePieces(
        _ piece: UnsafeRawBufferPointer, _ verdict: EventStreamEvent.Verdict, _ body: (borrowing EventStreamEvent) -> Void
    ) {
        if heldCount > 0 {
            let count = heldCount
            heldCount = 0
            unsafe give(UnsafeRawBufferPointer(rebasing: held[..<count]), .piece, body)
        }
        unsafe give(piece, verdict, body)
    }

    // MARK: what an event says

    private mutating func give(
        _ raw: UnsafeRawBufferPointer, _ verdict: EventStreamEvent.Verdict, _ body: (borrowing EventStreamEvent) -> Void
    ) {
        var fields = unsafe Fields()
        if verdict == .whole || verdict == .unterminated { unsafe readFields(of: raw, into: &fields) }
        // Sound: chunk, `held` and `joined` stay as they are until `body` has returned; it can not reach this reader.
        body(unsafe EventStreamEvent(raw: raw.bytes, data: fields.data.bytes, name: fields.name.bytes, offset: offset, verdict: verdict))
        offset += UInt64(raw.count)
    }

    @unsafe private struct Fields {
        var data = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
        var name = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
        var dataLines = 0
    }

    private mutating func readFields(of raw: UnsafeRawBufferPointer, into fields: inout Fields) {
        var lineEnds = unsafe LineEnds(raw)
        var index = 0
        // A byte order mark may open the stream.
        if unsafe offset == 0 && raw.count >= 3 && raw[0] == 0xEF && raw[1] == 0xBB && raw[2] == 0xBF { index = 3 }
        while index < raw.count {
            let end = unsafe lineEnds.next(from: index)
            if end > index { unsafe readField(UnsafeRawBufferPointer(rebasing: raw[index..<end]), into: &fields) }
            index = end + 1
        }
    }

    private mutating func readField(_ line: UnsafeRawBufferPointer, into fields: inout Fields) {
        if let value = unsafe Self.value(of: line, named: "data") {
            if unsafe fields.dataLines == 0 { unsafe fields.data = value } else { unsafe join(value, to: &fields) }
            unsafe fields.dataLines += 1
        } else if let value = unsafe Self.value(of: line, named: "event") {
            unsafe fields.name = value
        }
    }

    /// The value of a field line: what follows the colon and one optional space, or nothing where there is no colon.
    private static func value(of line: UnsafeRawBufferPointer, named name: StaticString) -> UnsafeRawBufferPointer? {
        let length = name.utf8CodeUnitCount
        guard line.count >= length else { return nil }
        for index in 0..<length where unsafe line[index] != name.utf8Start[index] { return nil }
        var start = length
        if start < line.count {
            guard unsafe line[start] == UInt8(ascii: ":") else { return nil }
            start += 1
            if unsafe start < line.count && line[start] == UInt8(ascii: " ") { start += 1 }
        }
        return unsafe UnsafeRawBufferPointer(rebasing: line[start...])
    }

    // MARK: buffers

    private mutating func append(_ piece: UnsafeRawBufferPointer) {
        unsafe Self.grow(&held, to: heldCount + piece.count, keeping: heldCount)
        unsafe UnsafeMutableRawBufferPointer(rebasing: held[heldCount...]).copyMemory(from: piece)
        heldCount += piece.count
    }

    /// Puts LF and `value` after the data so far, which moves into `joined` with the second line.
    private mutating func join(_ value: UnsafeRawBufferPointer, to fields: inout Fields) {
        let length = unsafe fields.data.count
        let total = length + 1 + value.count
        if unsafe fields.dataLines == 1 {
            unsafe Self.grow(&joined, to: total, keeping: 0)
            unsafe joined.copyMemory(from: fields.data)
        } else {
            unsafe Self.grow(&joined, to: total, keeping: length)
        }
        unsafe joined[length] = 0x0A
        unsafe UnsafeMutableRawBufferPointer(rebasing: joined[(length + 1)...]).copyMemory(from: value)
        unsafe fields.data = UnsafeRawBufferPointer(rebasing: joined[..<total])
    }

    private static func grow(_ buffer: inout UnsafeMutableRawBufferPointer, to count: Int, keeping used: Int) {
        guard count > buffer.count else { return }
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1024, count, buffer.count * 2), alignment: 8)
        if used > 0 { unsafe larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[..<used])) }
        unsafe buffer.deallocate()
        unsafe buffer = larger
    }
}
