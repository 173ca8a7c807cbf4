import Deflate
import Foundation
import OTLP
import Runs
import Testing
import Tracing

@testable import Store

@Suite struct `An exporter` {
    /// The fields of a batch, inflated where they are not.
    private func fields(_ batch: ExportBatch) -> [UInt8] {
        var fields = batch.fields
        #expect(fields.isEmpty || batch.pieces.isEmpty)
        let inflater = BlockInflater(usualSize: SpanBlock.usualBytes)
        for piece in batch.pieces {
            let deflated = Array(batch.deflated[piece.range])
            var inflated: [UInt8] = []
            #expect(unsafe inflater.append(deflated.span.bytes, size: piece.size, to: &inflated))
            var crc: UInt32 = ~0
            for byte in inflated {
                crc ^= UInt32(byte)
                for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
            }
            #expect(~crc == piece.checksum)
            fields += inflated
        }
        #expect(fields.count == batch.byteCount)
        return fields
    }

    private func ids(_ batch: ExportBatch) throws -> [UInt64] {
        let fields = fields(batch)
        var ids: [UInt64] = []
        var offset = 0
        while offset < fields.count {
            #expect(fields[offset] == 0x12)
            var length = 0
            var shift = 0
            offset += 1
            while true {
                let byte = fields[offset]
                offset += 1
                length |= Int(byte & 0x7F) << shift
                shift += 7
                if byte < 0x80 { break }
            }
            ids.append(try decode(fields, offset..<offset + length).spanID.value)
            offset += length
        }
        return ids
    }

    @Test(arguments: [(512, 4 << 20), (7, 4 << 20), (40, 4 << 20), (1_000_000, 3_000), (1, 1)], [false, true])
    func `gets every sampled span once, in order, in batches of any size`(_ most: (spans: Int, bytes: Int), takesDeflated: Bool) async throws {
        let (limit, bytes) = most
        let fixture = StoreFixture()
        try fixture.start()
        var expected: [UInt64] = []
        var span: UInt64 = 0
        for batch in 0..<12 {
            var hops: [Hop] = []
            for _ in 0..<(batch * 7 + 1) {
                span += 1
                let isSampled = batch % 3 != 0 || span % 4 != 0
                if isSampled { expected.append(span) }
                hops.append(Hop(trace: .test(Int(span % 5)), span: span, isSampled: isSampled, content: String(repeating: "x", count: 200)))
            }
            try await fixture.write(hops)
        }
        let reader = try fixture.store.makeReader()
        var batch = ExportBatch(takesDeflated: takesDeflated)
        var cursor: Int64 = 0
        var seen: [UInt64] = []
        var sawPieces = false
        while try reader.unexported(after: cursor, limit: limit, maxBytes: bytes, into: &batch) {
            #expect(batch.upTo > cursor)
            #expect(batch.count <= limit)
            #expect(batch.byteCount <= bytes || batch.count == 1)
            sawPieces = sawPieces || !batch.pieces.isEmpty
            let ids = try ids(batch)
            #expect(ids.count == batch.count)
            seen += ids
            cursor = batch.upTo
        }
        #expect(seen == expected)
        #expect(cursor == fixture.store.health().lastSpan)
        if !takesDeflated { #expect(!sawPieces) } else if limit >= 40, bytes > 1 << 20 { #expect(sawPieces) }
    }

    @Test func `gets bytes that a request takes as they are`() async throws {
        let fixture = StoreFixture()
        try fixture.start()
        try await fixture.write((1...30).map { Hop(span: UInt64($0)) })
        let source = SpanSource(resource: [], scopeName: "hopspan", scopeVersion: "1")
        let frame = TracesFrame(source: source)
        var batch = ExportBatch(frontRoom: frame.frontRoom)
        let reader = try fixture.store.makeReader()
        #expect(try reader.unexported(after: 0, limit: 512, maxBytes: 4 << 20, into: &batch))
        #expect(batch.count == 30)
        var oneByOne = TracesFrame(source: source)
        let spans = try reader.spans(of: try #require(try reader.runs(RunQuery()).runs.first))
        for message in spans.messages {
            let bytes = Array(spans.fields[message])
            oneByOne.append(unsafe bytes.span.bytes)
        }
        let (request, expected) = (frame.withMessage(around: &batch.fields) { Array($0.text) }, oneByOne.withMessage { Array($0.text) })
        #expect(request == expected)
    }

    @Test func `goes on where it was, in the next process`() async throws {
        let fixture = StoreFixture()
        var options = fixture.options
        options.destinations = ["collector"]
        try fixture.start(options)
        try await fixture.write((1...10).map { Hop(span: UInt64($0)) })
        #expect(fixture.store.health().cursors == ["collector": 0])
        fixture.store.setCursor("collector", 6)
        try await fixture.flush()
        let killed = try fixture.copyAsKilled()
        var killedOptions = killed.options
        killedOptions.destinations = ["collector", "new"]
        try killed.start(killedOptions)
        // One that is new starts behind what is there.
        #expect(killed.store.health().cursors == ["collector": 6, "new": 10])
        var batch = ExportBatch()
        #expect(try killed.store.makeReader().unexported(after: 6, limit: 512, maxBytes: 4 << 20, into: &batch))
        #expect(try ids(batch) == [7, 8, 9, 10])
    }

    @Test func `goes on where another of its URL was that is gone`() async throws {
        let fixture = StoreFixture()
        var options = fixture.options
        options.destinations = ["http://a/v1/traces#1", "http://b/v1/traces", "http://c/v1/traces?key=1#2"]
        try fixture.start(options)
        try await fixture.write((1...10).map { Hop(span: UInt64($0)) })
        for (number, name) in options.destinations.enumerated() { fixture.store.setCursor(name, Int64(number) + 4) }
        try await fixture.flush()
        // The first has other headers now, the second another with headers beside it, the third a name of the present form.
        options.destinations = ["http://a/v1/traces#9", "http://b/v1/traces", "http://b/v1/traces#8", "http://c/v1/traces#7"]
        let store = fixture.store
        let changed = options
        // What an exporter reads once it is told.
        let cursors = Seen<[String: Int64]>()
        try await fixture.result { done in
            store.reconfigure(changed) { result in
                cursors.add(store.health().cursors)
                done(result)
            }
        }
        let found = try #require(cursors.all.first)
        #expect(options.destinations.map { found[$0] } == [4, 5, 10, 6])
    }

    @Test func `is told how old the oldest span is that waits`() async throws {
        let fixture = StoreFixture()
        try fixture.start()
        try await fixture.write(Hop(span: 1, milliseconds: 4))
        let reader = try fixture.store.makeReader()
        #expect(try reader.oldest(after: 0) == fixture.now + 4_000_000)
        #expect(try reader.oldest(after: 1) == nil)
    }

    @Test func `gets blocks together that have one between them of which nothing is sampled`() async throws {
        let fixture = StoreFixture()
        try fixture.start()
        for batch in 0..<3 {
            try await fixture.write((1...10).map { Hop(span: UInt64(batch * 10 + $0), isSampled: batch != 1) })
            try await fixture.onThread { $0.sealTail() }
        }
        var batch = ExportBatch(takesDeflated: true)
        #expect(try fixture.store.makeReader().unexported(after: 0, limit: 512, maxBytes: 4 << 20, into: &batch))
        #expect(try ids(batch) == Array(1...10) + Array(21...30))
        #expect(batch.pieces.count == 2 && batch.upTo == 30)
    }

    @Test func `passes over spans that were deleted`() async throws {
        let fixture = StoreFixture()
        try fixture.start()
        try await fixture.write([Hop(trace: .test(1), span: 1), Hop(trace: .test(2), span: 2), Hop(trace: .test(1), span: 3)])
        let reader = try fixture.store.makeReader()
        let run = try #require(try reader.run(TraceID.test(1).description))
        #expect(try await fixture.result { fixture.store.delete(run, completion: $0) })
        var batch = ExportBatch()
        #expect(try reader.unexported(after: 0, limit: 512, maxBytes: 4 << 20, into: &batch))
        #expect(try ids(batch) == [2])
        #expect(batch.upTo == 3)
    }
}

@Suite struct `A deleted run` {
    @Test func `is gone from lists, look-ups, spend and the file`() async throws {
        let fixture = StoreFixture()
        try fixture.start()
        var hops: [Hop] = []
        for number in 0..<400 {
            let isSecret = number % 10 == 3
            hops.append(Hop(
                trace: .test(isSecret ? 1 : 2 + number % 3), span: UInt64(number + 1), cost: isSecret ? "1" : "0.001",
                agent: isSecret ? "agent-QZX" : "planner", content: isSecret ? "top secret QZX \(number)" : String(repeating: "y", count: 400)))
        }
        for start in stride(from: 0, to: 400, by: 40) { try await fixture.write(Array(hops[start..<start + 40])) }
        let reader = try fixture.store.makeReader()
        let run = try #require(try reader.run(TraceID.test(1).description))
        #expect(run.summary.head.totals.hops == 40)
        let others = try (2...4).map { try reader.spans(of: try #require(try reader.run(TraceID.test($0).description))).fields }
        #expect(try await fixture.result { fixture.store.delete(run, completion: $0) })
        #expect(try reader.run(TraceID.test(1).description) == nil)
        #expect(try reader.runs(RunQuery()).runs.count == 3)
        #expect(try reader.spend(SpendQuery(by: [.agent])).rows.map(\.keys) == [[.text("planner")]])
        #expect(try reader.spans(of: run).count == 0)
        for (number, fields) in zip(2...4, others) {
            #expect(try reader.spans(of: try #require(try reader.run(TraceID.test(number).description))).fields == fields)
        }
        #expect(try await !fixture.result { fixture.store.delete(run, completion: $0) })
        #expect(fixture.store.health().runs == 3)
        fixture.stop()
        for suffix in ["", "-wal"] {
            let bytes = FileManager.default.contents(atPath: fixture.path + suffix) ?? Data()
            #expect(bytes.range(of: Data("QZX".utf8)) == nil)
        }
    }

    @Test func `can come again`() async throws {
        let fixture = StoreFixture()
        try fixture.start()
        try await fixture.write(Hop(span: 1, root: 7, cost: "1"))
        let reader = try fixture.store.makeReader()
        let id = TraceID(high: 1, low: 1).description
        let run = try #require(try reader.run(id))
        #expect(try await fixture.result { fixture.store.delete(run, completion: $0) })
        try await fixture.write(Hop(span: 2, root: 7, cost: "0.25"))
        #expect(try reader.run(id)?.summary.head.totals.cost == USD("0.25"))
        #expect(try reader.spans(of: try #require(try reader.run(id))).count == 1)
    }
}

extension RawSpan {
    fileprivate var text: [UInt8] { (0..<byteCount).map { unsafe unsafeLoad(fromByteOffset: $0, as: UInt8.self) } }
}
