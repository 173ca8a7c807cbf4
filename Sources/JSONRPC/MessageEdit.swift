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
