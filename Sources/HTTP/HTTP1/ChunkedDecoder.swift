/// Undoes the chunked transfer coding (RFC 9112 §7.1) in place, strictly.
///
/// A plain state machine: bytes in, the same buffer's bytes out with the framing taken away, so that what one read brought leaves in
/// one write. Trailer fields (RFC 9112 §7.1.2) are checked as strictly as a head's, and kept for who asked for them.
public struct ChunkedDecoder: Sendable {
    public enum Failure: UInt8, Error, Sendable {
        case malformedSize, sizeTooLarge, malformedExtension, missingLineEnd, malformedTrailer, trailersTooLarge
    }

    private enum State: UInt8 { case size, extensions, sizeFeed, data, dataReturn, dataFeed, trailerStart, trailerName, trailerValue, trailerFeed, lastFeed, done }
    private var state = State.size
    private var remaining: UInt64 = 0
    private var digits = 0
    /// Bytes of extensions seen: bounded, because nobody reads them.
    private var overhead = 0
    private static let overheadAtMost = 16 << 10
    private var trailerBytes = 0
    private var trailerCount = 0
    /// Lines of trailer fields as they came; nil: they are dropped.
    public private(set) var trailers: [UInt8]?

    public init() {}

    public var isDone: Bool { state == .done }

    /// The next byte begins a chunk's size.
    var isBetweenChunks: Bool { state == .size && digits == 0 }

    /// From here on trailer fields are kept.
    public mutating func keepTrailers() { trailers = [] }

    /// The trailer fields' lines, each with its CRLF; empty without. They are kept no longer.
    mutating func takeTrailers() -> [UInt8] {
        defer { trailers = nil }
        return trailers ?? []
    }

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
                trailerCount += 1
                guard trailerCount <= MessageHead.fieldsAtMost else { throw .trailersTooLarge }
                try take(byte)
                state = .trailerName
            }
        case .trailerName:
            if byte == UInt8(ascii: ":") { state = .trailerValue } else {
                guard Characters.isToken(byte) else { throw .malformedTrailer }
            }
            try take(byte)
        case .trailerValue:
            if byte == 0x0D { state = .trailerFeed } else {
                guard Characters.isValue(byte) else { throw .malformedTrailer }
            }
            try take(byte)
        case .trailerFeed:
            guard byte == 0x0A else { throw .missingLineEnd }
            try take(byte)
            state = .trailerStart
        case .lastFeed:
            guard byte == 0x0A else { throw .missingLineEnd }
            state = .done
        case .data, .done: break
        }
    }

    /// A byte of a trailer field's line.
    private mutating func take(_ byte: UInt8) throws(Failure) {
        trailerBytes += 1
        guard trailerBytes <= HeadParser.bytesAtMost else { throw .trailersTooLarge }
        trailers?.append(byte)
    }

    private mutating func count(_ failure: Failure) throws(Failure) {
        overhead += 1
        guard overhead <= Self.overheadAtMost else { throw failure }
    }
}
