import Deflate
import Foundation
import HTTP
import Testing

/// Files under Fixtures/ContentCoding, made by CPython's zlib and gzip modules from `stream.txt`.
enum CodedFixture {
    static func read(_ name: String) throws -> [UInt8] {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return Array(try Data(contentsOf: folder.appending(path: "Fixtures/ContentCoding/\(name)")))
    }
}

/// Pushes `pieces` and finishes; what came out, or the error.
func inflate(_ pieces: [[UInt8]], _ coding: ContentCoding, _ limits: Inflater.Limits = .init()) -> Result<[UInt8], ContentCodingError> {
    var inflater = Inflater(limits: limits)
    return inflate(pieces, coding, with: &inflater)
}

func inflate(_ pieces: [[UInt8]], _ coding: ContentCoding, with inflater: inout Inflater) -> Result<[UInt8], ContentCodingError> {
    inflater.reset(coding)
    var body: [UInt8] = []
    do throws(ContentCodingError) {
        for piece in pieces {
            try inflater.push(unsafe piece.span.bytes) { bytes in
                unsafe bytes.withUnsafeBytes { unsafe body.append(contentsOf: $0) }
            }
        }
        try inflater.finish()
    } catch {
        return .failure(error)
    }
    #expect(inflater.decodedBytes == body.count)
    return .success(body)
}

func cut(_ bytes: [UInt8], at positions: Int...) -> [[UInt8]] {
    var pieces: [[UInt8]] = []
    var start = 0
    for position in positions + [bytes.count] {
        pieces.append(Array(bytes[start..<position]))
        start = position
    }
    return pieces
}

@Suite struct `A coded body` {
    static let files: [(String, ContentCoding)] = [
        ("stream.gz", .gzip), ("stream-members.gz", .gzip), ("stream.zlib", .deflate), ("stream.deflate", .deflate),
    ]

    @Test(arguments: files) func `decodes in one piece`(file: String, coding: ContentCoding) throws {
        let body = try CodedFixture.read("stream.txt")
        #expect(inflate([try CodedFixture.read(file)], coding) == .success(body))
    }

    @Test(arguments: files) func `decodes byte by byte`(file: String, coding: ContentCoding) throws {
        let body = try CodedFixture.read("stream.txt")
        #expect(inflate(try CodedFixture.read(file).map { [$0] }, coding) == .success(body))
    }

    @Test(arguments: files) func `decodes cut at any byte`(file: String, coding: ContentCoding) throws {
        let bytes = try CodedFixture.read(file)
        let body = try CodedFixture.read("stream.txt")
        var inflater = Inflater()
        for position in 0...bytes.count {
            let result = inflate(cut(bytes, at: position), coding, with: &inflater)
            #expect(result == .success(body), "cut at \(position)")
        }
    }

    @Test(arguments: files) func `is truncated wherever it ends too early`(file: String, coding: ContentCoding) throws {
        let bytes = try CodedFixture.read(file)
        // Where a gzip member ends, a gzip body may.
        let ends = file == "stream-members.gz" ? memberEnds(of: bytes) : []
        #expect(ends.count == (file == "stream-members.gz" ? 3 : 0))
        var inflater = Inflater()
        for count in 1..<bytes.count where !ends.contains(count) {
            let result = inflate([Array(bytes[..<count])], coding, with: &inflater)
            #expect(result == .failure(.truncated), "\(count) of \(bytes.count) bytes")
        }
    }

    /// Where each member but the last ends: where the head that `gzip` wrote here begins again.
    private func memberEnds(of bytes: [UInt8]) -> [Int] {
        (1..<bytes.count - 9).filter { Array(bytes[$0..<$0 + 10]) == [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 2, 255] }
    }

    @Test(arguments: [ContentCoding.gzip, .deflate]) func `may be empty`(coding: ContentCoding) {
        #expect(inflate([], coding) == .success([]))
        #expect(inflate([[], []], coding) == .success([]))
    }

    @Test(arguments: [
        (ContentCoding.gzip, [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 2, 255, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        (.deflate, [0x78, 0x9C, 3, 0, 0, 0, 0, 1]),
        (.deflate, [3, 0]),
    ] as [(ContentCoding, [UInt8])])
    func `may hold nothing`(coding: ContentCoding, bytes: [UInt8]) {
        #expect(inflate([bytes], coding) == .success([]))
        #expect(inflate(bytes.map { [$0] }, coding) == .success([]))
    }

    @Test func `may be padded with zeros and with nothing else`() throws {
        let bytes = try CodedFixture.read("stream.gz")
        let body = try CodedFixture.read("stream.txt")
        #expect(inflate([bytes + [0, 0, 0], [0]], .gzip) == .success(body))
        #expect(inflate([bytes, Array("garbage".utf8)], .gzip) == .failure(.malformed))
        #expect(inflate([try CodedFixture.read("stream.zlib"), [1]], .deflate) == .failure(.malformed))
    }

    @Test func `is malformed when a byte is wrong`() throws {
        for (file, coding) in Self.files where coding == .gzip || file == "stream.zlib" {
            var bytes = try CodedFixture.read(file)
            bytes[bytes.count - (coding == .gzip ? 6 : 2)] ^= 1  // in the check sum
            #expect(inflate([bytes], coding) == .failure(.malformed), "\(file)")
        }
        #expect(inflate([Array("{\"plain\": true}".utf8)], .gzip) == .failure(.malformed))
        #expect(inflate([Array("{\"plain\": true}".utf8)], .deflate) == .failure(.malformed))
    }

    @Test func `stays failed until the next body`() throws {
        var inflater = Inflater()
        inflater.reset(.gzip)
        #expect(throws: ContentCodingError.malformed) { try inflater.push([1, 2, 3].span.bytesOfUInt8) { _ in } }
        #expect(throws: ContentCodingError.malformed) { try inflater.push([0x1F].span.bytesOfUInt8) { _ in } }
        #expect(throws: ContentCodingError.malformed) { try inflater.finish() }
        let body = try CodedFixture.read("stream.txt")
        #expect(inflate([try CodedFixture.read("stream.zlib")], .deflate, with: &inflater) == .success(body))
    }

    @Test func `can follow another in the same inflater, released or not`() throws {
        var inflater = Inflater()
        let body = try CodedFixture.read("stream.txt")
        for (file, coding) in Self.files + Self.files.reversed() {
            #expect(inflate([try CodedFixture.read(file)], coding, with: &inflater) == .success(body), "\(file)")
        }
        inflater.release()
        #expect(inflate([try CodedFixture.read("stream.gz")], .gzip, with: &inflater) == .success(body))
    }

    @Test func `lets each event out with the piece that completes it`() throws {
        let bytes = try CodedFixture.read("flushed.gz")
        let events = try #require(String(bytes: try CodedFixture.read("stream.txt"), encoding: .utf8)).components(separatedBy: "\n\n")
        var inflater = Inflater()
        inflater.reset(.gzip)
        var body: [UInt8] = []
        var complete = 0
        for byte in bytes {
            try inflater.push([byte].span.bytesOfUInt8) { bytes in unsafe bytes.withUnsafeBytes { unsafe body.append(contentsOf: $0) } }
            // A sync flush ends with the empty stored block 00 00 FF FF: nothing may be missing then.
            let pushed = inflater.codedBytes
            if pushed >= 4, Array(bytes[pushed - 4..<pushed]) == [0, 0, 0xFF, 0xFF] {
                complete += 1
                #expect(String(decoding: body, as: UTF8.self) == events.prefix(complete).map { $0 + "\n\n" }.joined())
            }
        }
        try inflater.finish()
        #expect(complete == 20)
    }
}

@Suite struct `A decompression bomb` {
    /// `megabytes` of zeros, about a thousandth of that coded.
    static func coded(megabytes: Int) -> [UInt8] {
        var deflater = Deflater()
        let zeros = [UInt8](repeating: 0, count: megabytes << 20)
        deflater.compress(unsafe zeros.span.bytes)
        return deflater.withOutput { bytes in unsafe bytes.withUnsafeBytes { unsafe Array($0) } }
    }

    @Test func `is stopped by its ratio before it has grown much`() throws {
        let bomb = Self.coded(megabytes: 8)
        var emitted = 0
        var inflater = Inflater()
        inflater.reset(.gzip)
        #expect(throws: ContentCodingError.tooLarge) { try inflater.push(unsafe bomb.span.bytes) { emitted += $0.byteCount } }
        #expect(emitted <= 2 << 20)
        #expect(throws: ContentCodingError.tooLarge) { try inflater.push(unsafe bomb.span.bytes) { _ in Issue.record("emitted after the failure") } }
    }

    @Test func `is stopped by its size`() throws {
        let body = try CodedFixture.read("stream.txt")
        let bytes = try CodedFixture.read("stream.gz")
        #expect(inflate([bytes], .gzip, .init(bytes: body.count - 1)) == .failure(.tooLarge))
        #expect(inflate([bytes], .gzip, .init(bytes: body.count)) == .success(body))
    }

    @Test func `is not suspected while it is small`() throws {
        let zeros = Self.coded(megabytes: 1)
        #expect(try inflate([zeros], .gzip).get().count == 1 << 20)
    }
}

extension Span<UInt8> {
    /// Sound: a byte has no padding.
    var bytesOfUInt8: RawSpan {
        @_lifetime(copy self) get { unsafe bytes }
    }
}
