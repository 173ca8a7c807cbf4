/// A position in the YAML text; both from 1, columns count characters.
struct Mark: Sendable, Hashable, Comparable {
    var line, column: Int

    static let start = Mark(line: 1, column: 1)

    static func < (left: Mark, right: Mark) -> Bool { (left.line, left.column) < (right.line, right.column) }
}

/// A part of the file as it was written: text, not yet values.
struct Node: Sendable {
    let mark: Mark
    let content: Content

    enum Content: Sendable {
        /// - Parameter plain: written without quotes, so that `none`, `true` and `~` can mean what they say.
        case scalar(String, plain: Bool)
        case sequence([Node])
        /// In the order of the file; no key twice.
        case mapping([Entry])
        /// Something that is refused wherever it stands (an alias); the mistake has been noted.
        case refused
    }

    struct Entry: Sendable {
        let key: String
        let mark: Mark
        let value: Node
    }

    /// Nothing was written after the key, or `~`, or `null` (YAML 1.2 §10.3.2).
    var isNull: Bool {
        guard case .scalar(let text, plain: true) = content else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(text)
    }

    /// The entry of a mapping; nil when it is not there, or this is no mapping.
    subscript(key: String) -> Entry? {
        guard case .mapping(let entries) = content else { return nil }
        return entries.first { $0.key == key }
    }
}
