import Foundation
import HTTP
import Testing

@Suite struct `A gzip body` {
    private func output(of deflater: borrowing Deflater) -> [UInt8] {
        deflater.withOutput { bytes in unsafe bytes.withUnsafeBytes { unsafe Array($0) } }
    }

    @Test(arguments: [1, 6, 9]) func `comes back as it was`(level: Int) throws {
        let body = try CodedFixture.read("stream.txt")
        var deflater = Deflater(level: level)
        try deflater.compress(unsafe body.span.bytes)
        let coded = output(of: deflater)
        #expect(coded.count == deflater.outputCount)
        #expect(coded.count < body.count / 3)
        #expect(inflate([coded], .gzip) == .success(body))
    }

    @Test func `is what gzip(1) reads`() throws {
        let body = try CodedFixture.read("stream.txt")
        var deflater = Deflater()
        try deflater.compress(unsafe body.span.bytes)
        let file = FileManager.default.temporaryDirectory.appending(path: "hopspan-\(UUID().uuidString).gz")
        try Data(output(of: deflater)).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        // Sound: the stream is open until `pclose`, and the buffer is as long as it says.
        guard let gzip = unsafe popen("gzip -dc '\(file.path)'", "r") else {
            Issue.record("gzip(1) cannot be started")
            return
        }
        var read = [UInt8](repeating: 0, count: body.count + 1)
        read.removeLast(unsafe read.count - fread(&read, 1, read.count, gzip))
        #expect(unsafe pclose(gzip) == 0)
        #expect(read == body)
    }

    @Test func `is the same in pieces, and the next one too`() throws {
        let body = try CodedFixture.read("stream.txt")
        var deflater = Deflater()
        try deflater.compress(unsafe body.span.bytes)
        let whole = output(of: deflater)
        try deflater.begin()
        #expect(deflater.outputCount == 0)
        for piece in cut(body, at: 0, 1, 1, 1000, 40_000) { deflater.append(unsafe piece.span.bytes) }
        deflater.finish()
        #expect(inflate([output(of: deflater)], .gzip) == .success(body))
        try deflater.compress(unsafe body.span.bytes)
        #expect(output(of: deflater) == whole)
    }

    @Test func `may be empty`() throws {
        var deflater = Deflater()
        try deflater.compress(RawSpan())
        #expect(deflater.outputCount == 20)
        #expect(inflate([output(of: deflater)], .gzip) == .success([]))
    }

    @Test func `may be larger than what it was made of`() throws {
        // Bytes that do not compress, and more than the first output buffer holds.
        var state: UInt64 = 1
        let noise = (0..<100_000).map { _ -> UInt8 in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 56)
        }
        var deflater = Deflater()
        try deflater.compress(unsafe noise.span.bytes)
        #expect(deflater.outputCount > noise.count)
        #expect(inflate([output(of: deflater)], .gzip) == .success(noise))
    }
}
