/// A change to a message that passes otherwise byte for byte: `bytes` take the place of `range`.
public struct MessageEdit: Sendable, Hashable {
    public let range: Range<Int>
    public let bytes: [UInt8]

    public init(range: Range<Int>, bytes: [UInt8]) {
        self.range = range
        self.bytes = bytes
    }

    /// How many bytes the edited message has more than the original.
    public var growth: Int { bytes.count - range.count }
}

extension [MessageEdit] {
    /// How many bytes the edited message has more than the original.
    public var growth: Int { reduce(0) { $0 + $1.growth } }

    /// Gives the edited text, piece by piece. The edits stand in order, none within another.
    public func apply(to text: RawSpan, _ emit: (RawSpan) -> Void) {
        var at = 0
        for edit in self {
            emit(text.extracting(at..<edit.range.lowerBound))
            // Sound: bytes have no padding.
            unsafe emit(edit.bytes.span.bytes)
            at = edit.range.upperBound
        }
        emit(text.extracting(at..<text.byteCount))
    }
}
