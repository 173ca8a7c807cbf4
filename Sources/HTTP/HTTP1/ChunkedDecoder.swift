/// Undoes the chunked transfer coding (RFC 9112 §7.1) in place, strictly.
///
/// A plain state machine: bytes in, the same buffer's bytes out with the framing taken away, so that what one read brought leaves in
/// one write. Trailer fields are checked for form and dropped (RFC 9110 §6.5.1 allows it; none is known that our protocols need).
public struct ChunkedDecoder: Sendable {
    public enum Failure: UInt8, Error, Sendable {
        case malformedSize, sizeTooLarge, malformedExtension, missingLineEnd, malformedTrailer
    }

    private enum State: UInt8 { case size, extensions, sizeFeed, data, dataReturn, dataFeed, trailerStart, trailer, trailerFeed, lastFeed, done }
    private var state = State.size
    private var remaining: UInt64 = 0
    private var digits = 0
    /// Bytes of extensions and trailers seen: bounded, because nobody reads them.
    private var overhead = 0
    private static let overheadAtMost = 16 << 10

    public init() {}

    public var isDone: Bool { state == .done }

    /// The next byte begins a chunk's size.
    var isBetweenChunks: Bool { state == .size && digits == 0 }

    /// Decodes `buffer` in place.
    /// - Returns: `decoded` bytes of body now stand at the buffer's front; `consumed` bytes of it have been dealt with. Fewer
    ///   than all only when the body has ended: the rest belongs to the next message.
    @unsafe public mutating func decode(_ buffer: UnsafeMutableRawBufferPointer) throws(Failure) -> (decoded: Int, consumed: Int) {
        var read = 0
        var write = 0
        let count = buffer.count
        while read < count {
            if state == .data {
                let piece = Int(min(remaining, UInt64(count - read)))
                if write != read {
                    // Sound: both ranges lie inside the buffer; copyMemory allows overlap.
                    unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[write...]).copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[read..<read + piece]))
                }
                write += piece
                read += piece
                remaining -= UInt64(piece)
                if remaining == 0 { state = .dataReturn }
                continue
            }
            let byte = unsafe buffer[read]
            read += 1
            try step(byte)
            if state == .done { break }
        }
        return (write, read)
    }

    private mutating func step(_ byte: UInt8) throws(Failure) {
        switch state {
        case .size:
            let value: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): value = byte - UInt8(ascii: "A") + 10
            case 0x0D where digits > 0:
                state = .sizeFeed
                return
            case UInt8(ascii: ";") where digits > 0:
                state = .extensions
                return
            default: throw .malformedSize
            }
            digits += 1
            guard digits <= 15 else { throw .sizeTooLarge }
            remaining = remaining << 4 | UInt64(value)
        case .extensions:
            if byte == 0x0D { state = .sizeFeed } else {
                guard Characters.isValue(byte) else { throw .malformedExtension }
                try count(.malformedExtension)
            }
        case .sizeFeed:
            guard byte == 0x0A else { throw .missingLineEnd }
            digits = 0
            state = remaining == 0 ? .trailerStart : .data
        case .dataReturn:
            guard byte == 0x0D else { throw .missingLineEnd }
            state = .dataFeed
        case .dataFeed:
            guard byte == 0x0A else { throw .missingLineEnd }
            state = .size
        case .trailerStart:
            if byte == 0x0D { state = .lastFeed } else {
                guard Characters.isToken(byte) else { throw .malformedTrailer }
                state = .trailer
            }
        case .trailer:
            if byte == 0x0D { state = .trailerFeed } else {
                guard Characters.isValue(byte) else { throw .malformedTrailer }
                try count(.malformedTrailer)
            }
        case .trailerFeed:
            guard byte == 0x0A else { throw .missingLineEnd }
            state = .trailerStart
        case .lastFeed:
            guard byte == 0x0A else { throw .missingLineEnd }
            state = .done
        case .data, .done: break
        }
    }

    private mutating func count(_ failure: Failure) throws(Failure) {
        overhead += 1
        guard overhead <= Self.overheadAtMost else { throw failure }
    }
}
