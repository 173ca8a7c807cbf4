extension EventStreamEvent {
    /// Gives the event's bytes with `new` in place of its data. Every other line, comments included, stays as it is, byte for byte, and so
    /// do the spelling of its first `data:` and the ends of its lines. For an event that was given whole, and that has data.
    ///
    /// - Parameters:
    ///   - new: of as many lines as it has LF, without CR.
    ///   - emit: called with one piece after the other.
    public func write(data new: RawSpan, _ emit: (RawSpan) -> Void) {
        let raw = raw
        // Bytes up to here have been given, or are left out.
        var done = 0
        var isWritten = false
        // A byte order mark may open the stream.
        var at = offset == 0 && raw.starts(with: "\u{FEFF}") ? 3 : 0
        unsafe raw.withUnsafeBytes { bytes in
            // Sound: the bytes outlive it, and an event has some.
            var lineEnds = unsafe LineEnds(bytes)
            while at < bytes.count {
                let end = unsafe lineEnds.next(from: at)
                var next = min(end + 1, bytes.count)
                if unsafe next < bytes.count && bytes[end] == 0x0D && bytes[next] == 0x0A { next += 1 }
                defer { at = next }
                guard let value = Self.dataValue(in: raw, at..<end) else { continue }
                emit(raw.extracting(done..<(isWritten ? at : value)))
                done = next
                guard !isWritten else { continue }
                isWritten = true
                if value == end, end == at + 4 { emit((": " as StaticString).bytes) }
                Self.write(new, begin: raw.extracting(at..<value), end: raw.extracting(end..<next), emit)
            }
        }
        emit(raw.extracting(done..<raw.byteCount))
    }

    /// Where the value of a line begins that is a `data` field; nil of any other line.
    private static func dataValue(in raw: RawSpan, _ line: Range<Int>) -> Int? {
        let text = raw.extracting(line)
        guard text.starts(with: "data") else { return nil }
        guard text.byteCount > 4 else { return line.upperBound }
        guard text[byte: 4] == UInt8(ascii: ":") else { return nil }
        return line.lowerBound + (text.byteCount > 5 && text[byte: 5] == 0x20 ? 6 : 5)
    }

    /// The lines of `new` behind a `begin` that has been given already.
    private static func write(_ new: RawSpan, begin: RawSpan, end: RawSpan, _ emit: (RawSpan) -> Void) {
        var at = 0
        while let feed = new.firstIndex(of: 0x0A, from: at) {
            emit(new.extracting(at..<feed))
            if end.byteCount > 0 { emit(end) } else { emit(("\n" as StaticString).bytes) }
            if begin.byteCount > 4 { emit(begin) } else { emit(("data: " as StaticString).bytes) }
            at = feed + 1
        }
        emit(new.extracting(at..<new.byteCount))
        emit(end)
    }
}
