private import CZlib

/// A gzip body (RFC 1952) made of what is deflated already, so that it is not deflated again.
///
///     body.reset()
///     body.append(head); body.append(deflated: piece, size: 65_000, checksum: crc); …
///     body.finish()
///     send(body.bytes)
///
/// The head names no file and no time. Owned by one thread at a time; its storage is used again.
public struct GzipBody: Sendable {
    public private(set) var bytes: [UInt8] = []
    private var checksum: UInt = 0
    private var size: UInt32 = 0

    // ID1, ID2, CM = deflate, no flags, no time, XFL, OS = unknown (RFC 1952 §2.3.1).
    private static let head: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255]

    public init() {}

    /// Begins another body.
    public mutating func reset() {
        bytes.removeAll(keepingCapacity: true)
        bytes += Self.head
        checksum = 0
        size = 0
    }

    /// Bytes as they are: stored blocks (RFC 1951 §3.2.4).
    public mutating func append(_ plain: RawSpan) {
        var start = 0
        while start < plain.byteCount {
            let piece = plain.extracting(start..<min(plain.byteCount, start + 0xFFFF))
            appendStoredHead(piece.byteCount, isFinal: false)
            // Sound here and below: the bytes are read inside the closure only.
            unsafe piece.withUnsafeBytes { piece in
                unsafe bytes.append(contentsOf: piece)
                unsafe checksum = crc32(checksum, piece.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt32(piece.count))
            }
            size &+= UInt32(piece.byteCount)
            start += piece.byteCount
        }
    }

    /// A piece of DEFLATE: it begins and ends on a byte, refers to nothing before it, and none of its blocks is the final one.
    /// - Parameters:
    ///   - size: bytes it becomes when it is inflated.
    ///   - checksum: the CRC-32 of those (RFC 1952 §8).
    public mutating func append(deflated piece: RawSpan, size: Int, checksum: UInt32) {
        unsafe piece.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
        self.checksum = crc32_combine(self.checksum, UInt(checksum), size)
        self.size &+= UInt32(truncatingIfNeeded: size)
    }

    /// Ends the body: an empty final block, the checksum and the size.
    public mutating func finish() {
        appendStoredHead(0, isFinal: true)
        for shift in [0, 8, 16, 24] { bytes.append(UInt8(truncatingIfNeeded: checksum >> UInt(shift))) }
        for shift in [0, 8, 16, 24] { bytes.append(UInt8(truncatingIfNeeded: size >> UInt32(shift))) }
    }

    private mutating func appendStoredHead(_ length: Int, isFinal: Bool) {
        let length = UInt16(length)
        bytes.append(isFinal ? 1 : 0)
        for word in [length, ~length] {
            bytes.append(UInt8(truncatingIfNeeded: word))
            bytes.append(UInt8(truncatingIfNeeded: word >> 8))
        }
    }
}
