import HTTP
import Testing

@Suite struct `A gzip body of pieces` {
    /// Raw DEFLATE of zlib at level 9, each ended by a full flush: bytes, what they become, the CRC-32 of that.
    private static let pieces: [(deflated: [UInt8], text: String, checksum: UInt32)] = [
        (
            [
                42, 46, 72, 204, 43, 214, 81, 40, 134, 80, 137, 121, 41, 10, 185, 249, 69, 169, 16, 190, 66, 126, 154, 66, 73, 6, 144, 147, 152, 155, 170, 80,
                84, 154, 103, 173, 0, 0, 0, 0, 255, 255,
            ], "spans, spans, and more spans of the same run; ", 0xD312_5122
        ),
        (
            [42, 46, 72, 204, 43, 214, 81, 40, 134, 80, 137, 121, 41, 10, 57, 169, 197, 197, 214, 48, 1, 162, 197, 1, 0, 0, 0, 255, 255],
            String(repeating: "spans, spans, and less; ", count: 3), 0x7D4D_8804
        ),
    ]

    @Test func `is one body, whatever stands between them as it is`() {
        var body = GzipBody()
        // Again and again: the storage is used for the next.
        for plain in [0, 1, 300, 65_535, 65_536, 200_000] {
            let (front, back) = ([UInt8](repeating: 7, count: plain), Array("the end".utf8))
            body.reset()
            unsafe body.append(front.span.bytes)
            for piece in Self.pieces { unsafe body.append(deflated: piece.deflated.span.bytes, size: piece.text.utf8.count, checksum: piece.checksum) }
            unsafe body.append(back.span.bytes)
            body.finish()
            // The inflater holds the checksum and the size against what it has read.
            #expect(inflate([body.bytes], .gzip) == .success(front + Self.pieces.flatMap { Array($0.text.utf8) } + back))
        }
    }

    @Test func `is refused where a checksum is wrong`() {
        var body = GzipBody()
        body.reset()
        let piece = Self.pieces[0]
        unsafe body.append(deflated: piece.deflated.span.bytes, size: piece.text.utf8.count, checksum: piece.checksum ^ 1)
        body.finish()
        guard case .failure = inflate([body.bytes], .gzip) else {
            Issue.record("a wrong checksum was not noticed")
            return
        }
    }

    @Test func `may be empty`() {
        var body = GzipBody()
        body.reset()
        body.finish()
        #expect(inflate([body.bytes], .gzip) == .success([]))
    }
}
