/// A field that the configuration names, ready to be looked for in every head.
public struct ConfiguredField: Sendable {
    /// In lower case.
    private let name: [UInt8]
    @usableFromInline let known: FieldName

    public init(_ name: String) {
        let name = Array(name.lowercased().utf8)
        self.name = name
        // Sound: bytes have no padding.
        known = name.allSatisfy(Characters.isToken) ? FieldName(unsafe name.span.bytes) : .other
    }

    /// Whether a head's field is it.
    public func isField(_ index: Int, of head: MessageHead) -> Bool {
        let field = head.field(index)
        guard field.name == known else { return false }
        if known != .other, known != .hopspanOther { return true }
        return head.name(index).equalsIgnoringCase(unsafe name.span.bytes)
    }

    /// The position of the first such field; nil without.
    @inlinable @inline(__always) public func index(in head: MessageHead) -> Int? { head.has(known) ? search(in: head) : nil }

    @usableFromInline func search(in head: MessageHead) -> Int? {
        // Of the names that stand for themselves alone.
        if known != .other, known != .hopspanOther { return head.index(of: known) }
        for index in 0..<head.fieldCount where head.field(index).name == known && Int(head.field(index).nameLength) == name.count {
            if head.name(index).equalsIgnoringCase(unsafe name.span.bytes) { return index }
        }
        return nil
    }
}
