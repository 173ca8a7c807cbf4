import HTTP
import Testing

/// An event as a test compares it.
struct SeenEvent: Equatable, CustomStringConvertible {
    var name: String
    var data: String
    var verdict: EventStreamEvent.Verdict = .whole
    var description: String { "(\(name.debugDescription), \(data.debugDescription), \(verdict))" }
}

func text(_ span: RawSpan) -> String { String(decoding: bytes(span), as: UTF8.self) }
func bytes(_ span: RawSpan) -> [UInt8] { (0..<span.byteCount).map { span.unsafeByte($0) } }

extension RawSpan {
    func unsafeByte(_ index: Int) -> UInt8 { unsafe unsafeLoad(fromByteOffset: index, as: UInt8.self) }
}

extension EventStreamReader {
    mutating func read(_ chunk: [UInt8], _ body: (borrowing EventStreamEvent) -> Void) {
        // Sound: bytes have no padding.
        unsafe read(chunk.span.bytes, body)
    }

    mutating func read(_ chunk: String, _ body: (borrowing EventStreamEvent) -> Void) { read(Array(chunk.utf8), body) }
}

/// Reads `chunks` as one stream. Checks on the way that the extents tile it; gives the events that have data, or were too large to have any.
func events(_ chunks: [[UInt8]], limit: Int = 1 << 20) -> [SeenEvent] {
    var reader = EventStreamReader(limit: limit)
    var seen: [SeenEvent] = []
    var relayed: [UInt8] = []
    func take(_ event: borrowing EventStreamEvent) {
        #expect(event.offset == UInt64(relayed.count))
        relayed += bytes(event.raw)
        if event.data.byteCount > 0 || event.verdict == .piece || event.verdict == .lastPiece {
            seen.append(SeenEvent(name: text(event.name), data: text(event.data), verdict: event.verdict))
        }
    }
    for chunk in chunks { reader.read(chunk) { take($0) } }
    reader.finish { take($0) }
    #expect(relayed == chunks.flatMap { $0 })
    return seen
}

struct StreamCase: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var stream: String
    var events: [SeenEvent]

    init(_ name: String, _ stream: String, _ events: [SeenEvent]) {
        (testDescription, self.stream, self.events) = (name, stream, events)
    }

    static let all: [StreamCase] = [
        .init("two events", "data: a\n\ndata: b\n\n", [.init(name: "", data: "a"), .init(name: "", data: "b")]),
        .init("names", "event: ping\ndata: {}\n\nevent:pong\ndata:{}\n\n", [.init(name: "ping", data: "{}"), .init(name: "pong", data: "{}")]),
        .init("CRLF", "event: x\r\ndata: a\r\n\r\ndata: b\r\n\r\n", [.init(name: "x", data: "a"), .init(name: "", data: "b")]),
        .init("CR alone", "event: x\rdata: a\r\rdata: b\r\r", [.init(name: "x", data: "a"), .init(name: "", data: "b")]),
        .init("mixed line ends", "data: a\r\n\ndata: b\n\r\ndata: c\r\r\ndata: d\n\r", ["a", "b", "c", "d"].map { .init(name: "", data: $0) }),
        .init("several data lines", "data: a\ndata:b\ndata:  c\ndata\n\n", [.init(name: "", data: "a\nb\n c\n")]),
        .init("several data lines, twice", "data: a\ndata: b\n\ndata: longer\ndata: c\ndata: d\n\n", [.init(name: "", data: "a\nb"), .init(name: "", data: "longer\nc\nd")]),
        .init("comments", ": keep-alive\n\ndata: a\n: inside\ndata: b\n\n:\n\n", [.init(name: "", data: "a\nb")]),
        .init("a comment right before an event", ": c\ndata: a\n\n", [.init(name: "", data: "a")]),
        .init("byte order mark", "\u{FEFF}data: a\n\ndata: b\n\n", [.init(name: "", data: "a"), .init(name: "", data: "b")]),
        .init("no second byte order mark", "data: a\n\n\u{FEFF}data: b\n\n", [.init(name: "", data: "a")]),
        .init("unknown fields", "id: 1\nretry: 10\ndatas: no\ndat: no\neventual: no\ndata: a\nx\n\n", [.init(name: "", data: "a")]),
        .init("the last name wins, and ends with its event", "event: a\nevent: b\ndata: 1\n\ndata: 2\n\n", [.init(name: "b", data: "1"), .init(name: "", data: "2")]),
        .init("a name without data is no event", "event: a\n\ndata: 1\n\n", [.init(name: "", data: "1")]),
        .init("one space only is taken off", "data:  a\n\ndata:b\n\ndata: \n\n", [.init(name: "", data: " a"), .init(name: "", data: "b")]),
        .init("colons in the value", "data: a: b:c\n\n", [.init(name: "", data: "a: b:c")]),
        .init("multi-byte characters", "data: grüße 🌍 “x”\n\n", [.init(name: "", data: "grüße 🌍 “x”")]),
        .init("blank lines between", "\n\n\r\n\rdata: a\n\n\n\n\ndata: b\n\n", [.init(name: "", data: "a"), .init(name: "", data: "b")]),
        .init("no blank line at the end", "data: a\n\ndata: [DONE]\n", [.init(name: "", data: "a"), .init(name: "", data: "[DONE]", verdict: .unterminated)]),
        .init("no line end at the end", "data: a\n\ndata: [DO", [.init(name: "", data: "a"), .init(name: "", data: "[DO", verdict: .unterminated)]),
        .init("nothing", "", []),
    ]
}

@Suite struct `An event stream` {
    @Test(arguments: StreamCase.all) func `gives its events`(_ item: StreamCase) {
        #expect(events([Array(item.stream.utf8)]) == item.events)
    }

    @Test(arguments: StreamCase.all) func `gives the same events byte by byte`(_ item: StreamCase) {
        #expect(events(item.stream.utf8.map { [$0] }) == item.events)
    }

    @Test(arguments: StreamCase.all) func `gives the same events cut in two anywhere`(_ item: StreamCase) {
        let stream = Array(item.stream.utf8)
        for cut in 0...stream.count {
            #expect(events([Array(stream[..<cut]), Array(stream[cut...])]) == item.events, "cut at \(cut)")
        }
    }

    @Test(arguments: StreamCase.all) func `gives the same events cut in three anywhere`(_ item: StreamCase) {
        let stream = Array(item.stream.utf8)
        for first in 0...stream.count {
            for second in first...stream.count {
                let seen = events([Array(stream[..<first]), Array(stream[first..<second]), Array(stream[second...])])
                #expect(seen == item.events, "cut at \(first) and \(second)")
            }
        }
    }

    @Test func `gives an event in the chunk that completes it`() {
        var reader = EventStreamReader(limit: 100)
        var count = 0
        for (chunk, expected) in [("data: a\n", 0), ("\n", 1), ("data: b\r\n\r", 2), ("\n", 2), (": ping\n", 3)] {
            reader.read(chunk) { event in count += event.data.byteCount > 0 || text(event.raw).contains("ping") ? 1 : 0 }
            #expect(count == expected, "\(chunk.debugDescription)")
        }
    }

    @Test func `passes an event larger than the limit in pieces and reads on after it`() {
        let stream = "data: a\n\ndata: " + String(repeating: "x", count: 50) + "\n\ndata: b\n\n"
        let ends: [SeenEvent] = [.init(name: "", data: "a"), .init(name: "", data: "", verdict: .lastPiece), .init(name: "", data: "b")]
        #expect(events([Array(stream.utf8)], limit: 20) == ends)
        #expect(events(stream.utf8.map { [$0] }, limit: 20).filter { $0.verdict != .piece } == ends)
        #expect(events(stream.utf8.map { [$0] }, limit: 20).count { $0.verdict == .piece } > 1)
    }

    @Test func `takes an event of exactly the limit`() {
        #expect(events([Array("data: 34567\n".utf8), Array("\n".utf8)], limit: 13) == [.init(name: "", data: "34567")])
        #expect(events([Array("data: 345678\n".utf8), Array("\n".utf8)], limit: 13).last?.verdict == .lastPiece)
    }

    @Test func `starts anew after a reset`() {
        var reader = EventStreamReader(limit: 100)
        var seen: [String] = []
        reader.read("event: old\ndata: cut\r") { _ in seen.append("early") }
        reader.reset()
        reader.read("\u{FEFF}data: new\n\n") { seen.append("\($0.offset) \(text($0.name))\(text($0.data))") }
        reader.finish { _ in seen.append("late") }
        #expect(seen == ["0 new"])
    }

    @Test func `agrees with a reader that has the whole stream, for streams made at random`() {
        var random = SystemRandomNumberGenerator()
        let pieces = ["data", "data:", "data: x", "event: e", ":", ": c", "\n", "\n", "\r", "\r\n", "\n\n", "ü", "id: 1", " "]
        for _ in 0..<500 {
            let stream = (0..<Int.random(in: 1...30, using: &random)).map { _ in pieces.randomElement(using: &random)! }.joined()
            var chunks: [[UInt8]] = []
            var rest = Array(stream.utf8)[...]
            while !rest.isEmpty {
                let length = Int.random(in: 1...min(9, rest.count), using: &random)
                chunks.append(Array(rest.prefix(length)))
                rest = rest.dropFirst(length)
            }
            #expect(events(chunks) == reference(stream), "\(stream.debugDescription) as \(chunks.map(\.count))")
        }
    }

    /// The standard's algorithm, word for word, over the whole text; and the event that is left over at the end.
    private func reference(_ stream: String) -> [SeenEvent] {
        var lines: [String] = []
        var line = ""
        var previous: Unicode.Scalar = " "
        for scalar in stream.unicodeScalars {
            if scalar == "\n" || scalar == "\r" {
                if !(scalar == "\n" && previous == "\r") { lines.append(line) }
                line = ""
            } else {
                line.unicodeScalars.append(scalar)
            }
            previous = scalar
        }
        var seen: [SeenEvent] = []
        var data: [String] = []
        var name = ""
        func field(_ line: String) {
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            var value = parts.count > 1 ? String(parts[1]) : ""
            if value.hasPrefix(" ") { value.removeFirst() }
            if parts[0] == "data" { data.append(value) } else if parts[0] == "event" { name = value }
        }
        for line in lines {
            if line.isEmpty {
                if !data.joined(separator: "\n").isEmpty { seen.append(.init(name: name, data: data.joined(separator: "\n"))) }
                data = []
                name = ""
            } else if !line.hasPrefix(":") {
                field(line)
            }
        }
        if !line.isEmpty && !line.hasPrefix(":") { field(line) }
        if !data.joined(separator: "\n").isEmpty {
            seen.append(.init(name: name, data: data.joined(separator: "\n"), verdict: .unterminated))
        }
        return seen
    }
}
