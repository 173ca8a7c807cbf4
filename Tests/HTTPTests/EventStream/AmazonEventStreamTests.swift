import HTTP
import Testing

/// A message as a test compares it.
private struct Seen: Equatable {
    var kind: AmazonEventStreamMessage.Kind = .event
    var name: String
    var payload: String
    var text = ""
}

/// A message on the wire, from parts that need not be right.
private struct Wire {
    var headers: [UInt8] = []
    var payload: [UInt8] = []
    var total: Int?
    var headersLength: Int?
    var preludeSum: UInt32?
    var sum: UInt32?

    init(_ headers: [(String, String)], _ payload: String) {
        for (name, value) in headers { self.headers += [UInt8(name.utf8.count)] + Array(name.utf8) + [7, 0, UInt8(value.utf8.count)] + Array(value.utf8) }
        self.payload = Array(payload.utf8)
    }

    static func event(_ name: String, _ payload: String) -> Wire { Wire([(":event-type", name), (":message-type", "event")], payload) }

    var bytes: [UInt8] {
        var message = Self.word(UInt32(total ?? 16 + headers.count + payload.count)) + Self.word(UInt32(headersLength ?? headers.count))
        message += Self.word(preludeSum ?? Self.sum(message))
        message += headers + payload
        return message + Self.word(sum ?? Self.sum(message))
    }

    static func word(_ value: UInt32) -> [UInt8] { [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) } }

    static func sum(_ bytes: [UInt8]) -> UInt32 {
        var sum: UInt32 = 0xFFFF_FFFF
        for byte in bytes {
            sum ^= UInt32(byte)
            for _ in 0..<8 { sum = sum >> 1 ^ (sum & 1 == 1 ? 0xEDB8_8320 : 0) }
        }
        return ~sum
    }
}

/// What a reader makes of the chunks: its messages, and whether it gave up or passed over something.
private func read(_ chunks: [[UInt8]], limit: Int = 1 << 16) -> (seen: [Seen], isBroken: Bool, hasPassedOver: Bool, isBetween: Bool) {
    var reader = AmazonEventStreamReader(limit: limit)
    var seen: [Seen] = []
    for chunk in chunks {
        // Sound: bytes have no padding.
        unsafe reader.read(chunk.span.bytes) { seen.append(Seen(kind: $0.kind, name: text($0.name), payload: text($0.payload), text: text($0.text))) }
        let held = reader.heldByteCount
        #expect(held <= max(limit, 12))
    }
    return (seen, reader.isBroken, reader.hasPassedOver, reader.isBetweenMessages)
}

@Suite struct `An Amazon event stream` {
    private let example = "0000007a00000051ca2c46650b3a6576656e742d7479706507000b6d65737361676553746f700d3a636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e0d3a6d6573736167652d747970650700056576656e747b2273746f70526561736f6e223a22656e645f7475726e227d5fbf09fc"

    @Test func `is read as botocore writes it`() {
        let digits = Array(example)
        let bytes = stride(from: 0, to: digits.count, by: 2).map { UInt8(String(digits[$0...$0 + 1]), radix: 16)! }
        let (seen, isBroken, _, isBetween) = read([bytes])
        #expect(seen == [Seen(name: "messageStop", payload: #"{"stopReason":"end_turn"}"#)])
        #expect(!isBroken && isBetween)
    }

    @Test func `is the same wherever it is cut`() {
        var odd = Wire.event("odd", "{}")
        // A header of each type stands before the payload: a truth, numbers, bytes, a time, an id.
        for (type, count) in [(0, 0), (1, 0), (2, 1), (3, 2), (4, 4), (5, 8), (8, 8), (9, 16)] { odd.headers += [1, 0x61, UInt8(type)] + [UInt8](repeating: 7, count: count) }
        odd.headers += [1, 0x62, 6, 0, 3, 1, 2, 3]
        let stream =
            Wire.event("a", #"{"text":"Grüße"}"#).bytes + odd.bytes + Wire.event("empty", "").bytes
            + Wire([(":exception-type", "throttlingException"), (":message-type", "exception")], #"{"message":"no"}"#).bytes
            + Wire([(":error-code", "500"), (":error-message", "broken"), (":message-type", "error")], "").bytes
        let whole = read([stream]).seen
        #expect(whole.map(\.name) == ["a", "odd", "empty", "throttlingException", "500"])
        #expect(whole.map(\.kind) == [.event, .event, .event, .exception, .error])
        #expect(whole[0].payload == #"{"text":"Grüße"}"# && whole[4].text == "broken")
        #expect(read(stream.map { [$0] }).seen == whole)
        for cut in 0...stream.count { #expect(read([Array(stream[..<cut]), Array(stream[cut...])]).seen == whole, "cut at \(cut)") }
    }

    @Test func `passes over what is larger than its reader's limit`() {
        let large = Wire.event("large", String(repeating: "a", count: 5000)).bytes
        let stream = Wire.event("a", "1").bytes + large + Wire.event("b", "2").bytes
        for chunks in [[stream], stream.map { [$0] }, [Array(stream[..<200]), Array(stream[200...])]] {
            let (seen, isBroken, hasPassedOver, isBetween) = read(chunks, limit: 1000)
            #expect(seen.map(\.name) == ["a", "b"])
            #expect(!isBroken && hasPassedOver && isBetween)
        }
    }

    private static let good = Wire.event("a", "1")

    private static func hostile() -> [(String, [UInt8])] {
        func changed(_ change: (inout Wire) -> Void) -> [UInt8] {
            var wire = good
            change(&wire)
            return wire.bytes
        }
        return [
            ("zeros", [UInt8](repeating: 0, count: 64)),
            ("a length of fifteen", changed { $0.total = 15 }),
            ("no room for its headers", changed { $0.headersLength = $0.headers.count + 2 }),
            ("headers beyond 128 KiB", changed { ($0.headersLength, $0.total) = (128 << 10 + 1, 1 << 20) }),
            ("a payload beyond 24 MiB", changed { $0.total = 16 + $0.headers.count + 24 << 20 + 1 }),
            ("the largest length", changed { ($0.total, $0.headersLength) = (0xFFFF_FFFF, 0) }),
            ("a wrong sum of its prelude", changed { $0.preludeSum = 1 }),
            ("a wrong sum", changed { $0.sum = 1 }),
            ("a type twice", Wire([(":event-type", "a"), (":event-type", "b")], "").bytes),
            ("a type that is a number", changed { $0.headers = [11] + Array(":event-type".utf8) + [4, 0, 0, 0, 1] }),
            ("a header without a name", changed { $0.headers = [0, 7, 0, 0] }),
            ("a header of no known type", changed { $0.headers = [1, 0x61, 10, 0] }),
            ("a header that goes on too long", changed { $0.headers = [1, 0x61, 7, 0xFF, 0xFF, 0x61] }),
            ("a header of a name alone", changed { $0.headers = [5, 0x61] }),
            ("a header cut in its length", changed { $0.headers = [1, 0x61, 7, 0] }),
        ]
    }

    @Test func `is read no further than to a message that is not what it says`() {
        for (what, bytes) in Self.hostile() {
            let stream = Self.good.bytes + bytes + Self.good.bytes
            for chunks in [[stream], stream.map { [$0] }] {
                let (seen, isBroken, hasPassedOver, _) = read(chunks)
                #expect(seen == [Seen(name: "a", payload: "1")], "\(what)")
                #expect(isBroken && !hasPassedOver, "\(what)")
            }
        }
    }

    @Test func `is ready for another stream after one that broke`() {
        var reader = AmazonEventStreamReader(limit: 1000)
        let zeros = [UInt8](repeating: 0, count: 20)
        unsafe reader.read(zeros.span.bytes) { _ in }
        let isBroken = reader.isBroken
        #expect(isBroken)
        reader.reset()
        var count = 0
        let good = Self.good.bytes
        unsafe reader.read(good.span.bytes) { _ in count += 1 }
        let isBrokenAgain = reader.isBroken
        #expect(count == 1 && !isBrokenAgain)
    }
}
