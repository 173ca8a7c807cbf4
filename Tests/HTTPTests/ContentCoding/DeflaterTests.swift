import Deflate
import Foundation
import HTTP
import Testing

@Suite struct `A gzip body` {
    private func output(of deflater: borrowing Deflater) -> [UInt8] {
        deflater.withOutput { bytes in unsafe bytes.withUnsafeBytes { unsafe Array($0) } }
    }

    /// Bytes that do not compress.
    private static func noise(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
        var state = seed
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 56)
        }
    }

    @Test func `comes back as it was`() throws {
        let body = try CodedFixture.read("stream.txt")
        var deflater = Deflater()
        deflater.compress(unsafe body.span.bytes)
        let coded = output(of: deflater)
        #expect(coded.count < body.count / 3)
        #expect(inflate([coded], .gzip) == .success(body))
    }

    @Test func `is as small whatever its memory held before`() throws {
        let body = try CodedFixture.read("stream.txt")
        var sizes: Set<Int> = []
        for filling in 0..<8 as Range<UInt16> {
            // What is allocated next is likely to be what is freed here.
            for size in stride(from: 60_000, through: 260_000, by: 1_000) {
                let memory = unsafe UnsafeMutablePointer<UInt16>.allocate(capacity: size / 2)
                unsafe memory.initialize(repeating: filling, count: size / 2)
                unsafe memory.deallocate()
            }
            var deflater = Deflater()
            deflater.compress(unsafe body.span.bytes)
            sizes.insert(output(of: deflater).count)
        }
        #expect(sizes.count == 1)
    }

    @Test func `is what gzip(1) reads`() throws {
        let body = try CodedFixture.read("stream.txt")
        var deflater = Deflater()
        deflater.compress(unsafe body.span.bytes)
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

    @Test func `is the same when it is made again`() throws {
        let body = try CodedFixture.read("stream.txt")
        var deflater = Deflater()
        deflater.compress(unsafe body.span.bytes)
        let first = output(of: deflater)
        // Another between the two, which leaves its own in all the library remembers.
        let other = Self.noise(70_000)
        deflater.compress(unsafe other.span.bytes)
        #expect(inflate([output(of: deflater)], .gzip) == .success(other))
        deflater.compress(unsafe body.span.bytes)
        #expect(output(of: deflater) == first)
    }

    @Test func `may be empty`() throws {
        var deflater = Deflater()
        #expect(output(of: deflater).isEmpty)
        deflater.compress(RawSpan())
        #expect(output(of: deflater).count >= 18)
        #expect(inflate([output(of: deflater)], .gzip) == .success([]))
    }

    /// Around the edges of a stored block, of the window, and of what the first output buffer holds.
    @Test(arguments: [1, 2, 100, 8_191, 32_768, 65_534, 65_535, 65_536, 131_070, 131_071]) func `may be larger than what it was made of`(size: Int) throws {
        let noise = Self.noise(size)
        var deflater = Deflater()
        deflater.compress(unsafe noise.span.bytes)
        #expect(output(of: deflater).count > noise.count)
        #expect(inflate([output(of: deflater)], .gzip) == .success(noise))
    }

    /// What repeats, at distances near and far, between bytes that do not.
    @Test(arguments: 0..<12) func `comes back whatever it was made of`(round: Int) throws {
        let noise = Self.noise(4_000, seed: UInt64(round))
        var body: [UInt8] = []
        for (index, byte) in noise.enumerated() {
            switch byte % 4 {
            case 0: body += noise[..<(index % 300)]
            case 1: body += body.suffix(Int(byte) * round + 3)
            case 2: body += [UInt8](repeating: byte, count: Int(byte))
            default: body.append(byte)
            }
            if body.count > 100_000 { break }
        }
        var deflater = Deflater()
        deflater.compress(unsafe body.span.bytes)
        #expect(output(of: deflater).count < body.count)
        #expect(inflate([output(of: deflater)], .gzip) == .success(body))
    }
}
