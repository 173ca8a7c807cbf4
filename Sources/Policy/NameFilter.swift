/// Which names may be used: those of `allow`, without those of `deny`.
public struct NameFilter: Sendable, Hashable {
    /// Empty: every name.
    public var allow: [Glob]
    public var deny: [Glob]

    public init(allow: [Glob] = [], deny: [Glob] = []) {
        self.allow = allow
        self.deny = deny
    }

    /// There is nothing that it keeps out.
    public var allowsEverything: Bool { allow.isEmpty && deny.isEmpty }

    /// Whether a name may be used. One with control characters may not: some readers end a text at them.
    public func allows(_ name: RawSpan) -> Bool {
        if allowsEverything { return true }
        for offset in name.byteOffsets {
            // Sound: the offset is one of the span's.
            let byte = unsafe name.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
            if byte < 0x20 || byte == 0x7F { return false }
        }
        if deny.contains(where: { $0.matches(name) }) { return false }
        return allow.isEmpty || allow.contains { $0.matches(name) }
    }
}
