import HTTP
import Testing

@Suite struct `An event's data` {
    /// The stream with every event's data replaced.
    private func replaced(_ stream: String, with data: String, cut: Int = .max) -> String {
        var reader = EventStreamReader(limit: 1 << 20)
        let new = Array(data.utf8)
        var out: [UInt8] = []
        func take(_ event: borrowing EventStreamEvent) {
            if event.data.byteCount == 0 { out += bytes(event.raw) } else { event.write(data: unsafe new.span.bytes) { out += bytes($0) } }
        }
        let all = Array(stream.utf8)
        for start in stride(from: 0, to: all.count, by: min(cut, all.count)) { reader.read(Array(all[start..<min(start + min(cut, all.count), all.count)])) { take($0) } }
        reader.finish { take($0) }
        return String(decoding: out, as: UTF8.self)
    }

    @Test(arguments: [
        ("data: old\n\n", "new", "data: new\n\n"),
        ("data:old\n\n", "new", "data:new\n\n"),
        ("id: 7\nevent: message\ndata: old\nretry: 5\n\n", "new", "id: 7\nevent: message\ndata: new\nretry: 5\n\n"),
        (": hello\n\ndata: old\r\n\r\n", "new", ": hello\n\ndata: new\r\n\r\n"),
        ("data: old\r\r", "new", "data: new\r\r"),
        // The data may be of several lines, before and after.
        ("data: o\ndata: l\nid: 1\ndata: d\n\n", "new", "data: new\nid: 1\n\n"),
        ("id: 1\r\ndata: old\r\n\r\n", "n\ne\nw", "id: 1\r\ndata: n\r\ndata: e\r\ndata: w\r\n\r\n"),
        ("data\ndata: old\n\n", "n\new", "data: n\ndata: ew\n\n"),
        // What only looks like data is none.
        ("database: 1\ndata: old\n:data: x\n\n", "new", "database: 1\ndata: new\n:data: x\n\n"),
        ("\u{FEFF}data: old\n\n", "new", "\u{FEFF}data: new\n\n"),
        // The stream may end before the event does.
        ("data: old", "new", "data: new"), ("data: old\n", "n\nw", "data: n\ndata: w\n"), ("data: old", "n\nw", "data: n\ndata: w"),
        ("id: 1\ndata:\n\n: x\n\n", "new", "id: 1\ndata:\n\n: x\n\n"),
    ]) func `can be replaced, and all else stays as it is`(stream: String, data: String, expected: String) {
        for cut in [1, 2, 5, .max] { #expect(replaced(stream, with: data, cut: cut) == expected) }
    }
}
