/// An answer's JSON as it is collected until it can be read: small ones byte for byte, of large ones an outline.
///
/// What the span needs stands at both ends of an answer, and in between may be megabytes of text, vectors or pictures; they are
/// left out as they come, so that the memory of an exchange stays small however large its answer is.
struct ResponseBody {
    /// Up to this size everything is kept.
    private static let plainLimit = 64 << 10
    /// More than this is not collected; the answer is then unreadable.
    private static let limit = 1 << 20

    private var bytes: [UInt8] = []
    private var outline: JSONOutline?
    /// Of an event that came in pieces: its data has begun.
    private var foundData = false
    private var isTooLarge = false
    /// The longest string kept whole in an outline.
    var stringLimit = JSONOutline.stringLimit

    mutating func reset() {
        if bytes.capacity > 16 << 10 { bytes = [] } else { bytes.removeAll(keepingCapacity: true) }
        outline = nil
        foundData = false
        isTooLarge = false
    }

    var isEmpty: Bool { bytes.isEmpty && !isTooLarge }

    /// How many bytes are kept.
    var count: Int { bytes.count }

    /// What was collected; nothing where it was too much.
    func withBytes<Result, Failure: Error>(_ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result {
        // Sound: bytes have no padding.
        try body(unsafe bytes.span.bytes)
    }

    mutating func append(_ chunk: RawSpan) {
        guard !isTooLarge else { return }
        if outline == nil, bytes.count + chunk.byteCount <= Self.plainLimit {
            unsafe chunk.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
            return
        }
        if outline == nil {
            let collected = bytes
            bytes = []
            outline = JSONOutline(stringLimit: stringLimit)
            outline!.append(unsafe collected.span.bytes, to: &bytes)
        }
        outline!.append(chunk, to: &bytes)
        if bytes.count > Self.limit {
            bytes = []
            isTooLarge = true
        }
    }

    /// A piece of an event that is too large to be read whole: its lines up to the value of its `data`, which is one line of JSON,
    /// are passed over.
    mutating func append(piece: RawSpan) {
        if foundData {
            append(piece)
            return
        }
        var start = bytes
        bytes = []
        unsafe piece.withUnsafeBytes { unsafe start.append(contentsOf: $0) }
        let marker: StaticString = "data:"
        let span = unsafe start.span.bytes
        for at in 0..<span.byteCount where at == 0 || span.byte(at - 1) == 0x0A || span.byte(at - 1) == 0x0D {
            guard span.extracting(from: at).begins(with: marker) else { continue }
            foundData = true
            append(span.extracting(from: at + marker.utf8CodeUnitCount))
            return
        }
        if start.count <= Self.plainLimit { bytes = start } else { isTooLarge = true }
    }
}
