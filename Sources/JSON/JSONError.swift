/// Why a text is no JSON (RFC 8259). The reader's `offset` says where; the bytes themselves are never part of it.
public enum JSONError: UInt8, Error, Sendable, Equatable {
    /// The text ends inside a value.
    case endOfInput
    /// A byte that cannot stand here: a wrong separator, literal or bracket.
    case unexpectedByte
    /// A raw byte below 0x20 inside a string (§7).
    case controlCharacter
    /// A backslash that begins none of the escapes of §7.
    case badEscape
    /// A number that does not follow the grammar of §6: `01`, `1.`, `.5`, `+1`, `1e`.
    case badNumber
    /// More than `JSONReader.maximumDepth` arrays and objects inside each other (§9 allows a limit).
    case tooDeep
    /// Something other than white space after the value.
    case trailingBytes
}

/// What a value is, told by its first byte.
public enum JSONKind: UInt8, Sendable {
    case object, array, string, number, bool, null
}
