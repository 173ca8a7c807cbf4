import Deflate
import Foundation
import Runs
import Testing
import Tracing

@testable import Store

@Suite struct `The spans of a block` {
    private func deflate(_ bytes: [UInt8], _ deflater: inout BlockDeflater) -> (bytes: [UInt8], checksum: UInt32) {
        let checksum = deflater.deflate(bytes.raw)
        return (deflater.withOutput { bytes in unsafe bytes.withUnsafeBytes { unsafe Array($0) } }, checksum)
    }

    /// Nil where the block is damaged.
    private func inflate(_ bytes: [UInt8], size: Int?) -> [UInt8]? {
        var back: [UInt8] = [7]
        let isWhole = BlockInflater(usualSize: SpanBlock.usualBytes).append(bytes.raw, size: size, to: &back)
        return isWhole ? Array(back.dropFirst()) : back == [7] ? nil : []
    }

    /// CRC-32 by its definition (RFC 1952 §8).
    private func checksum(_ bytes: [UInt8]) -> UInt32 {
        var sum = UInt32.max
        for byte in bytes {
            sum ^= UInt32(byte)
            for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1 }
        }
        return ~sum
    }

    private static let cases: [[UInt8]] = [
        [], [0], Array("span ".utf8), Array(String(repeating: "span ", count: 10_000).utf8), Array(String.noise(200_000).utf8),
        (0..<70_000).map { UInt8(truncatingIfNeeded: UInt64($0) &* 0x9E37_79B9_7F4A_7C15 >> 56) },
    ]

    @Test(arguments: cases) func `come back as they were, with their checksum`(bytes: [UInt8]) {
        var deflater = BlockDeflater(usualSize: SpanBlock.usualBytes)
        let deflated = deflate(bytes, &deflater)
        #expect(deflated.checksum == checksum(bytes))
        let isSame = inflate(deflated.bytes, size: bytes.count) == bytes
        #expect(isSame)
    }

    @Test func `are one stream when they are put one after the other`() {
        var deflater = BlockDeflater(usualSize: SpanBlock.usualBytes)
        var (together, plain): ([UInt8], [UInt8]) = ([], [])
        for bytes in Self.cases {
            together += deflate(bytes, &deflater).bytes
            plain += bytes
        }
        let isSame = inflate(together, size: plain.count) == plain
        #expect(isSame)
    }

    @Test func `are nothing where they are damaged`() {
        var deflater = BlockDeflater(usualSize: SpanBlock.usualBytes)
        let bytes = Array(String(repeating: "span ", count: 10_000).utf8)
        let deflated = deflate(bytes, &deflater).bytes
        #expect(inflate(Array(deflated.prefix(deflated.count / 2)), size: bytes.count) == nil)
        for size in [bytes.count - 1, bytes.count + 1, .max, -1] {
            let isWhole = inflate(deflated, size: size) != nil
            #expect(!isWhole, "\(size)")
        }
        #expect(inflate([0xFF, 0xFF, 0xFF], size: 3) == nil)
    }

    @Test func `are read as well where a former version wrote them as they are`() async throws {
        let fixture = StoreFixture()
        try fixture.start()
        try await fixture.write((1...100).map { Hop(trace: .test($0 % 3), span: UInt64($0)) })
        let before = try spans(of: .test(1), fixture)
        fixture.stop()
        do {
            let database = try Database(fixture.path, .readWrite)
            let select = try database.prepare("SELECT first, spans, size FROM span_blocks")
            let update = try database.prepare("UPDATE span_blocks SET spans = ?2 WHERE first = ?1")
            var plain: [(first: Int64, spans: [UInt8])] = []
            while try select.step() {
                var spans: [UInt8] = []
                let size = select.size(2)
                let isWhole = select.withBlob(1) { BlockInflater(usualSize: SpanBlock.usualBytes).append($0, size: size, to: &spans) }
                #expect(isWhole)
                plain.append((select.integer(0), spans))
            }
            select.reset()
            for (first, spans) in plain {
                update.bind(1, first)
                unsafe update.bind(2, inPlace: spans.raw)
                try update.run()
            }
            try database.execute("ALTER TABLE span_blocks DROP COLUMN size; ALTER TABLE span_blocks DROP COLUMN checksum; PRAGMA user_version = 1")
        }
        try fixture.start()
        try await fixture.write(Hop(trace: .test(1), span: 101))
        let after = try spans(of: .test(1), fixture)
        #expect(after.count == 35)
        #expect(after.fields.starts(with: before.fields))
        let reader = try fixture.store.makeReader()
        var batch = ExportBatch()
        #expect(try reader.unexported(after: 0, limit: 512, maxBytes: 4 << 20, into: &batch))
        #expect(batch.count == 101)
    }

    private func spans(of trace: TraceID, _ fixture: StoreFixture) throws -> RunSpans {
        let reader = try fixture.store.makeReader()
        let run = try #require(try reader.run(trace.description))
        return try reader.spans(of: run)
    }
}

@Suite struct `The write-ahead log` {
    @Test func `starts over while spans keep coming`() async throws {
        let fixture = StoreFixture()
        try fixture.start()
        for batch in 0..<30 {
            try await fixture.write((0..<10).map { Hop(trace: .test(batch), span: UInt64(batch * 10 + $0 + 1), content: .noise(100_000, seed: UInt64(batch * 10 + $0))) })
        }
        // 30 MB of text came, and three quarters of that are left.
        let logged = Seen<Int>()
        try await fixture.onThread { writer throws(StoreError) in logged.add(writer.database.loggedBytes) }
        #expect(logged.all.first ?? 0 > 0)
        #expect(logged.all.first ?? .max < StoreWriter.logLimit + (4 << 20))
        let file = try FileManager.default.attributesOfItem(atPath: fixture.path + "-wal")[.size] as? Int ?? .max
        #expect(file < StoreWriter.logLimit + (4 << 20))
    }
}
