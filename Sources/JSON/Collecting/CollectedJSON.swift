/// An answer's JSON as it is collected until it can be read: small ones byte for byte, of large ones an outline.
///
/// What the span needs stands at both ends of an answer, and in between may be megabytes of text, vectors or pictures; they are
/// left out as they come, so that the memory of an exchange stays small however large its answer is.
public struct CollectedJSON {
    /// Up to this size everything is kept.
    public static let plainLimit = 64 << 10
    /// More than an outline's budget and this is not collected; the answer is then unreadable. None comes near it but one that
    /// is made to: thousands of members in one object, or a number of a million digits.
    private static let excess = 512 << 10
    /// What is left of it then: its beginning, which may name the model.
    private static let remainder = 4 << 10

    private var bytes = ByteStore()
    private var outline: JSONOutline?
    /// Of an event that came in pieces: its data has begun.
    private var foundData = false
    /// It was more than is collected: only the beginning is left.
    public private(set) var isTooLarge = false
    /// The longest string kept whole in an outline, in bytes.
    public var stringLimit = Self.usualStringLimit
    public static let usualStringLimit = JSONOutline.stringLimit

    public init() {}

    public mutating func reset() {
        bytes.removeAll()
        outline = nil
        foundData = false
        isTooLarge = false
    }

    public var isEmpty: Bool { bytes.isEmpty && !isTooLarge }

    /// How many bytes are kept.
    public var count: Int { bytes.count }

    /// What was collected; the beginning where it was too much.
    public func withBytes<Result, Failure: Error>(_ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result { try body(bytes.span) }

    public mutating func append(_ chunk: RawSpan) {
        guard !isTooLarge else { return }
        if outline == nil {
            guard bytes.count + chunk.byteCount > Self.plainLimit else { return bytes.append(chunk) }
            let collected = bytes
            bytes = ByteStore()
            outline = JSONOutline(stringLimit: stringLimit)
            outline!.append(collected.span, to: &bytes)
        }
        outline!.append(chunk, to: &bytes)
        if bytes.count > outline!.budget + Self.excess {
            bytes.truncate(to: Self.remainder)
            isTooLarge = true
        }
    }

    /// A piece of an event that is too large to be read whole: its lines up to the value of its `data`, which is one line of JSON,
    /// are passed over.
    public mutating func append(piece: RawSpan) {
        guard !foundData else { return append(piece) }
        var start = bytes
        bytes = ByteStore()
        start.append(piece)
        let marker: StaticString = "data:"
        let span = start.span
        for at in 0..<span.byteCount where at == 0 || span.byte(at - 1) == 0x0A || span.byte(at - 1) == 0x0D {
            guard span.begins(with: marker, at: at) else { continue }
            foundData = true
            return append(span.extracting(at + marker.utf8CodeUnitCount..<span.byteCount))
        }
        if start.count <= Self.plainLimit { bytes = start } else { isTooLarge = true }
    }
}
