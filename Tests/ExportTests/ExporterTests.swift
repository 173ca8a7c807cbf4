@testable import Export
import Glibc
import HTTP
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(2))) struct `An exporter` {
    private static func ids(_ range: ClosedRange<Int>) -> [UInt64] { range.map { UInt64($0) } }

    // MARK: what is sent

    @Test(arguments: [true, false]) func `posts protobuf with its headers, as gzip or plain`(isCompressed: Bool) throws {
        let collector = try Collector()
        let shelf = Shelf()
        let bench = Bench()
        shelf.add(3)
        var destination = ExportDestination.quick(collector)
        destination.isCompressed = isCompressed
        destination.headers = ["x-key": "secret value"]
        destination.target = "/base/v1/traces?tenant=a"
        try bench.start(shelf, destination)
        bench.finish()
        let request = try #require(collector.requests.first)
        #expect(collector.requests.count == 1)
        #expect(request.spans == [1, 2, 3])
        let lines = request.head.split(separator: "\r\n").map(String.init)
        #expect(lines[0] == "POST /base/v1/traces?tenant=a HTTP/1.1")
        #expect(lines.contains("host: 127.0.0.1:\(collector.port)"))
        #expect(lines.contains("content-type: application/x-protobuf"))
        #expect(lines.contains("user-agent: Hopspan/1.2.3 OTel-OTLP-Exporter-Swift/1.2.3"))
        #expect(lines.contains("x-key: secret value"))
        #expect(lines.contains("content-encoding: gzip") == isCompressed)
        #expect(request.isCompressed == isCompressed)
        let text = String(decoding: request.message, as: UTF8.self)
        for word in ["service.name", "svc", "service.version", "service.instance.id", "one", "telemetry.sdk.name", "swift", "1.2.3", "https://opentelemetry.io/schemas/1.44.0"] {
            #expect(text.contains(word), "\(word)")
        }
        #expect(bench.events.isEmpty)
    }

    @Test func `sends every sampled span once, in order, in batches of the size it was told`() throws {
        let collector = try Collector()
        let shelf = Shelf()
        let bench = Bench()
        shelf.add(1_000)
        var destination = ExportDestination.quick(collector)
        destination.spansAtMost = 128
        try bench.start(shelf, destination)
        bench.finish()
        #expect(collector.taken == Self.ids(1...1_000))
        #expect(collector.requests.map(\.spans.count) == [128, 128, 128, 128, 128, 128, 128, 104])
        #expect(shelf.cursors == [128, 256, 384, 512, 640, 768, 896, 1_000])
    }

    @Test func `keeps batches below a number of bytes, and sends a larger span alone`() throws {
        let collector = try Collector()
        let shelf = Shelf()
        let bench = Bench()
        shelf.add(4, bytes: 300)
        shelf.add(1, bytes: 5_000)
        shelf.add(1, bytes: 300)
        var destination = ExportDestination.quick(collector)
        destination.bytesAtMost = 1_024
        try bench.start(shelf, destination)
        bench.finish()
        #expect(collector.requests.map(\.spans) == [[1, 2, 3], [4], [5], [6]])
    }

    @Test func `leaves out spans that are not sampled and passes over them`() throws {
        let collector = try Collector()
        let shelf = Shelf()
        let bench = Bench()
        shelf.add(2)
        shelf.add(5, isSampled: false)
        shelf.add(1)
        shelf.add(3, isSampled: false)
        try bench.start(shelf, .quick(collector))
        bench.finish()
        #expect(collector.taken == [1, 2, 8])
        #expect(shelf.cursor == 11)
    }

    @Test func `sends nothing for spans of which none is sampled`() throws {
        let collector = try Collector()
        let shelf = Shelf()
        let bench = Bench()
        shelf.add(5, isSampled: false)
        try bench.start(shelf, .quick(collector))
        bench.finish()
        #expect(collector.requests.isEmpty)
        #expect(shelf.cursor == 5)
    }

    @Test func `goes on when it is told of more`() throws {
        let collector = try Collector()
        let shelf = Shelf()
        let bench = Bench()
        try bench.start(shelf, .quick(collector))
        for round in 1...5 {
            shelf.add(2)
            bench.exporters.notify()
            wait { collector.taken.count == round * 2 }
        }
        bench.finish()
        #expect(collector.taken == Self.ids(1...10))
    }

    @Test func `sends a full batch at once and lets a small one wait`() throws {
        let collector = try Collector()
        let shelf = Shelf()
        let bench = Bench()
        var destination = ExportDestination.quick(collector)
        destination.batchDelay = .seconds(3_600)
        destination.spansAtMost = 10
        try bench.start(shelf, destination)
        shelf.add(25)
        bench.exporters.notify()
        wait { collector.taken.count == 20 }
        wait { bench.health.pending == 5 }
        #expect(collector.requests.map(\.spans.count) == [10, 10])
        bench.finish()
        #expect(collector.taken == Self.ids(1...25))
    }

    @Test func `goes on from where it was left`() throws {
        let collector = try Collector()
        let shelf = Shelf()
        shelf.add(10)
        let first = Bench()
        try first.start(shelf, .quick(collector))
        first.finish()
        shelf.add(10)
        let second = Bench()
        try second.start(shelf, .quick(collector))
        second.finish()
        #expect(collector.taken == Self.ids(1...20))
    }

    // MARK: what is answered

    static let refusals = [400, 401, 403, 404, 405, 408, 415, 500, 501, 505]

    @Test(arguments: refusals) func `drops a batch that is refused for good, and goes on`(_ status: Int) throws {
        let collector = try Collector { $0.number == 1 ? .status(status) : .ok }
        let shelf = Shelf()
        let bench = Bench()
        shelf.add(15)
        var destination = ExportDestination.quick(collector)
        destination.spansAtMost = 10
        try bench.start(shelf, destination)
        wait { bench.health.batches == 2 }
        #expect(collector.taken == Self.ids(11...15))
        #expect(bench.health.dropped == 10)
        #expect(bench.health.exported == 5)
        #expect(bench.health.lastError == "HTTP \(status)")
        #expect(bench.health.failures == 1)
        #expect(!bench.health.isFailing)
        bench.finish()
        #expect(bench.events == [.dropped(spans: 10, reason: "HTTP \(status)"), .recovered(failures: 1)])
        #expect(shelf.cursor == 15)
    }

    @Test func `is not well while every batch is refused, and says so once`() throws {
        let collector = try Collector { _ in .status(401) }
        let shelf = Shelf()
        let bench = Bench()
        shelf.add(30)
        var destination = ExportDestination.quick(collector)
        destination.spansAtMost = 10
        try bench.start(shelf, destination)
        wait { bench.health.batches == 3 }
        #expect(bench.health.isFailing)
        #expect(bench.health.failures == 3)
        #expect(bench.health.dropped == 30)
        bench.finish()
        #expect(bench.events == [.dropped(spans: 10, reason: "HTTP 401")])
    }

    @Test func `says that an outage has begun also where a refusal came before it`() throws {
        let collector = try Collector { request in
            switch request.number {
            case 1: .status(401)
            case 2...4: .status(503)
            case 5: .ok
            case 6: .status(503)
            default: .ok
            }
        }
        let shelf = Shelf()
        let bench = Bench()
        shelf.add(30)
        var destination = ExportDestination.quick(collector)
        destination.spansAtMost = 10
        try bench.start(shelf, destination)
        wait { bench.health.batches == 3 }
        bench.finish()
        #expect(bench.events == [
            .dropped(spans: 10, reason: "HTTP 401"), .failing(reason: "HTTP 503"), .recovered(failures: 4), .failing(reason: "HTTP 503"), .recovered(failures: 1),
        ])
    }

    @Test func `passes over spans that retention took before it could have them`() throws {
        let collector = try Collector()
        let shelf = Shelf()
        let bench = Bench()
        shelf.add(10)
        shelf.retireAll()
        var destination = ExportDestination.quick(collector)
        // Whoever waits for what is gone waits longer than the test may take.
        destination.backoff.initial = .seconds(3_600)
        destination.backoff.most = .seconds(3_600)
        try bench.start(shelf, destination)
        wait { shelf.cursor == 10 && bench.health.pending == 0 }
        #expect(bench.health.oldestPending == nil && bench.health.backoff == nil)
        shelf.add(3)
        bench.exporters.notify()
        bench.finish()
        #expect(collector.taken == [11, 12, 13])
        #expect(shelf.cursor == 13)
    }

    @Test(arguments: ["0", "Sun, 06 Nov 1994 08:49:37 GMT"]) func `does not come back at once, whatever the receiver says`(_ value: String) throws {
        let collector = try Collector { _ in .status(429, headers: ["retry-after: \(value)"]) }
        let shelf = Shelf()
        let bench = Bench()
        shelf.add(1)
        var destination = ExportDestination.quick(collector)
        destination.backoff.initial = .seconds(60)
        destination.backoff.most = .seconds(60)
        try bench.start(shelf, destination)
        wait { bench.health.backoff != nil }
        #expect(try #require(bench.health.backoff) >= .seconds(30))
        bench.finish(.milliseconds(10))
    }

    @Test(arguments: ["Bearer token-12345", "token-12345", "key-67890", "/v1/traces?tenant=a&key=key-67890"])
    func `does not repeat what it was told in confidence`(_ echo: String) throws {
        // google.rpc.Status: message = 2.
        let collector = try Collector { _ in .status(400, body: [0x12, UInt8(echo.utf8.count)] + Array(echo.utf8)) }
        let shelf = Shelf()
        let bench = Bench()
        shelf.add(1)
        var destination = ExportDestination.quick(collector)
        destination.headers = ["authorization": "Bearer token-12345", "x-tenant": "4"]
        destination.target = "/v1/traces?tenant=a&key=key-67890"
        try bench.start(shelf, destination)
        wait { bench.health.batches == 1 }
        #expect(bench.health.lastError == "(withheld: it repeats a header or the query)")
        bench.finish()
    }

    @Test(arguments: [429, 502, 503, 504]) func `sends a batch again until it is taken`(_ status: Int) throws {
        let collector = try Collector { $0.number <= 3 ? .status(status) : .ok }
        let shelf = Shelf()
        let bench = Bench()
        shelf.add(10)
        try bench.start(shelf, .quick(collector))
        wait { bench.health.batches == 1 }
        #expect(collector.requests.map(\.spans) == Array(repeating: Self.ids(1...10), count: 4))
        #expect(collector.taken == Self.ids(1...10))
        #expect(shelf.cursors == [10])
        #expect(bench.health.failures == 3)
        #expect(bench.health.dropped == 0)
        #expect(!bench.health.isFailing)
        bench.finish()
        #expect(bench.events == [.failing(reason: "HTTP \(status)"), .recovered(failures: 3)])
    }

    @Test func `says how it is while it waits`() throws {
        // google.rpc.Status: code = 14, message = "busy".
        let collector = try Collector { _ in .status(503, headers: ["retry-after: 1000"], body: [8, 14, 0x12, 4] + Array("busy".utf8)) }
        let shelf = Shelf()
        let bench = Bench()
        shelf.add(10)
        try bench.start(shelf, .quick(collector))
        wait { bench.health.backoff != nil }
        let health = bench.health
        #expect(health.backoff == .seconds(1000))
        #expect(health.isFailing)
        #expect(health.failures == 1)
        #expect(health.pending == 10)
        #expect(health.oldestPending == 1)
        #expect(health.lastError == "HTTP 503: busy")
        #expect(health.lastSuccessAt == nil)
        #expect(health.destination == "http://127.0.0.1:\(collector.port)/v1/traces")
        bench.finish(.seconds(60))
        #expect(collector.requests.count == 2, "the end is a reason to try once more, and not to wait")
    }

    @Test(arguments: ["1", "date"]) func `does not come back before it may`(_ form: String) throws {
        let now = Int64(time(nil))
        let value = form == "date" ? httpDate(now + 2) : form
        let times = Mutex<[ContinuousClock.Instant]>([])
        let collector = try Collector { request in
            times.withLock { $0.append(.now) }
            return request.number == 1 ? .status(503, headers: ["Retry-After: \(value)"]) : .ok
        }
        let shelf = Shelf()
        let bench = Bench()
        shelf.add(1)
        try bench.start(shelf, .quick(collector))
        wait { bench.health.batches == 1 }
        let waited = times.withLock { $0[1] - $0[0] }
        // Less than a second for the date, because now is somewhere within one.
        #expect(waited > .milliseconds(form == "date" ? 800 : 1_000), "without the field it would be 5 ms")
        bench.finish()
    }

    @Test func `counts what a receiver rejects, and does not send it again`() throws {
        // ExportTraceServiceResponse: partial_success = 1 { rejected_spans = 1: 3, error_message = 2: "bad" }.
        let collector = try Collector { _ in .status(200, body: [0x0A, 7, 8, 3, 0x12, 3] + Array("bad".utf8)) }
        let shelf = Shelf()
        let bench = Bench()
        shelf.add(10)
        try bench.start(shelf, .quick(collector))
        wait { bench.health.batches == 1 }
        #expect(collector.requests.count == 1)
        #expect(bench.health.exported == 7)
        #expect(bench.health.rejected == 3)
        #expect(bench.health.lastError == "bad")
        bench.finish()
        #expect(bench.events == [.rejected(spans: 3, message: "bad")])
        #expect(shelf.cursor == 10)
    }

    @Test func `takes a message with nothing rejected as a warning`() throws {
        let collector = try Collector { _ in .status(200, body: [0x0A, 5, 0x12, 3] + Array("old".utf8)) }
        let shelf = Shelf()
        let bench = Bench()
        shelf.add(10)
        try bench.start(shelf, .quick(collector))
        bench.finish()
        #expect(bench.events == [.warned(message: "old")])
    }

    /// No more than this batch can be rejected, and the message is one line.
    @Test func `does not believe everything a receiver says`() throws {
        let message = Array(("x\ny" + String(repeating: "z", count: 1_000)).utf8)
        let partial = [8, 0xFF, 0xFF, 3, 0x12, 0xEB, 7] + message
        let collector = try Collector { _ in .status(200, body: [0x0A, UInt8(partial.count & 0x7F) | 0x80, UInt8(partial.count >> 7)] + partial) }
        let shelf = Shelf()
        let bench = Bench()
        shelf.add(10)
        try bench.start(shelf, .quick(collector))
        bench.finish()
        #expect(bench.events == [.rejected(spans: 10, message: "x y" + String(repeating: "z", count: 297))])
    }

    static let taken: [(name: String, reply: Collector.Reply)] = [
        ("no body", .ok), ("an empty partial success", .status(200, body: [0x0A, 0])), ("garbage", .status(200, body: [0xFF, 0xFF, 0xFF])),
        ("JSON", .bytes("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}")),
        ("HTML until the close", .bytes("HTTP/1.1 200 OK\r\n\r\n<html>")), ("another success", .status(202)),
    ]

    @Test(arguments: taken) func `takes a 200 as a 200, with`(_ name: String, _ reply: Collector.Reply) throws {
        let collector = try Collector { _ in reply }
        let shelf = Shelf()
        let bench = Bench()
        shelf.add(10)
        try bench.start(shelf, .quick(collector))
        wait { bench.health.batches == 1 }
        #expect(bench.health.exported == 10)
        #expect(bench.health.failures == 0)
        bench.finish()
        #expect(collector.requests.count == 1)
        #expect(bench.events.isEmpty)
    }

    static let broken: [(name: String, reply: Collector.Reply)] = [
        ("garbage", .bytes("\u{1}\u{2}\u{3}\r\n\r\n")), ("nothing", .bytes("")), ("half a head", .bytes("HTTP/1.1 200 OK\r\ncont")),
        ("half a body", .bytes("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nx")), ("a redirect", .status(301, headers: ["location: http://127.0.0.1:1/"])),
    ]

    @Test(arguments: broken) func `sends again what got no proper answer but`(_ name: String, _ reply: Collector.Reply) throws {
        let collector = try Collector { $0.number <= 2 ? reply : .ok }
        let shelf = Shelf()
        let bench = Bench()
        shelf.add(10)
        try bench.start(shelf, .quick(collector))
        wait { bench.health.batches == 1 }
        #expect(collector.taken == Self.ids(1...10))
        #expect(bench.health.dropped == 0)
        bench.finish()
        #expect(shelf.cursors == [10])
    }

    @Test func `halves a batch that is too large, and drops a span that is too large alone`() throws {
        // Takes a kilobyte.
        let collector = try Collector { $0.message.count > 1_024 ? .status(413) : .ok }
        let shelf = Shelf()
        let bench = Bench()
        shelf.add(16, bytes: 100)
        shelf.add(1, bytes: 3_000)
        shelf.add(16, bytes: 100)
        try bench.start(shelf, .quick(collector))
        bench.finish()
        #expect(collector.taken == Self.ids(1...16) + Self.ids(18...33))
        #expect(shelf.cursor == 33)
        #expect(bench.events == [.dropped(spans: 1, reason: "HTTP 413, the span alone is too large")])
    }

    @Test func `ends a try that takes too long, and tries again`() throws {
        let collector = try Collector { $0.number <= 2 ? .silence : .ok }
        let shelf = Shelf()
        let bench = Bench()
        shelf.add(10)
        var destination = ExportDestination.quick(collector)
        destination.timeout = .milliseconds(50)
        try bench.start(shelf, destination)
        // More than once where the machine is so busy that the answer to a good try comes late.
        wait { collector.taken.count >= 10 }
        wait { bench.health.batches == 1 }
        #expect(bench.health.lastError == "timed out")
        bench.finish()
        #expect(shelf.cursors == [10])
    }

    @Test func `waits for a receiver that is not there yet`() throws {
        let gone = try Collector()
        gone.stop()
        let shelf = Shelf()
        let bench = Bench()
        shelf.add(10)
        var destination = ExportDestination.quick(gone)
        try bench.start(shelf, destination)
        wait { bench.health.failures >= 3 }
        #expect(bench.health.lastError == "no connection: Connection refused")
        #expect(shelf.cursors.isEmpty)
        bench.finish()
        #expect(shelf.cursors.isEmpty, "what could not be sent stays in the store")
        #expect(bench.events == [.failing(reason: "no connection: Connection refused")])

        let collector = try Collector()
        destination.origin = collector.origin
        let later = Bench()
        try later.start(shelf, destination)
        later.finish()
        #expect(collector.taken == Self.ids(1...10))
    }

    @Test func `outlives a receiver that comes and goes`() throws {
        let collector = try Collector { $0.number % 3 == 0 ? .bytes("") : .ok }
        let shelf = Shelf()
        let bench = Bench()
        var destination = ExportDestination.quick(collector)
        destination.spansAtMost = 7
        try bench.start(shelf, destination)
        for _ in 0..<20 {
            shelf.add(10)
            bench.exporters.notify()
        }
        wait { shelf.cursor == 200 }
        bench.finish()
        #expect(collector.taken == Self.ids(1...200))
    }

    @Test func `asks a store again that cannot be read`() throws {
        let collector = try Collector()
        let shelf = Shelf()
        let bench = Bench()
        shelf.add(10)
        shelf.failToRead(times: 3)
        try bench.start(shelf, .quick(collector))
        wait { shelf.cursor == 10 }
        bench.finish()
        #expect(collector.taken == Self.ids(1...10))
        #expect(bench.events == [.failing(reason: "the store cannot be read: io_error"), .recovered(failures: 3)])
    }

    @Test func `shows no secret`() throws {
        let secret = "Bearer s3cr3t"
        let collector = try Collector { _ in .status(400, body: [0x12, UInt8(4 + secret.utf8.count)] + Array("bad \(secret)".utf8)) }
        let shelf = Shelf()
        let bench = Bench()
        shelf.add(1)
        var destination = ExportDestination.quick(collector)
        destination.headers = ["authorization": secret]
        destination.target = "/v1/traces?key=s3cr3t"
        try bench.start(shelf, destination)
        wait { bench.health.batches == 1 }
        let health = bench.health
        bench.finish()
        for text in ["\(destination)", String(reflecting: destination), "\(health)", "\(bench.events)"] {
            #expect(!text.contains("s3cr3t"), "\(text)")
        }
        var dumped = ""
        dump(destination, to: &dumped)
        #expect(!dumped.contains("s3cr3t"))
    }

    // MARK: the end

    @Test func `gives a receiver that hangs no more than the time there is`() throws {
        let collector = try Collector { _ in .silence }
        let shelf = Shelf()
        let bench = Bench()
        shelf.add(10)
        try bench.start(shelf, .quick(collector))
        wait { collector.requests.count == 1 }
        // Its own time-out is a minute; the suite's limit is two.
        let started = ContinuousClock.now
        bench.finish(.milliseconds(20))
        #expect(ContinuousClock.now - started < .seconds(30))
        #expect(shelf.cursors.isEmpty)
    }
}

/// IMF-fixdate, as C writes it.
private func httpDate(_ seconds: Int64) -> String {
    var parts = unsafe tm()
    var time = time_t(seconds)
    unsafe gmtime_r(&time, &parts)
    var text = [CChar](repeating: 0, count: 64)
    let count = unsafe strftime(&text, text.count, "%a, %d %b %Y %H:%M:%S GMT", &parts)
    return String(decoding: text.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
