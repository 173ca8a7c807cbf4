/// One thing that is wrong with the configuration, in words for the operator.
///
/// A warning has the same shape and does not stop the start. No value that may be a secret is ever part of one.
public struct Mistake: Sendable, Hashable, CustomStringConvertible {
    /// Where in the file; nil for a mistake in the environment.
    public let position: Position?
    /// The key's path, `providers.openai.timeout.connect`, or the variable's name; empty for the file as a whole.
    public let key: String
    public let problem: String
    /// What would have been right, or what to do; begins in lower case, has no full stop.
    public let expected: String?

    public struct Position: Sendable, Hashable {
        public let file: String
        /// Both from 1; columns count characters.
        public let line, column: Int
    }

    /// `file:line:column: path.to.key: what is wrong; what was expected`.
    public var description: String {
        let place = position.map { "\($0.file):\($0.line):\($0.column)" } ?? "environment"
        return place + ": " + (key.isEmpty ? "" : key + ": ") + problem + (expected.map { "; " + $0 } ?? "")
    }
}

/// Why a configuration was refused: every mistake at once, by position in the file, then those of the environment.
public struct Mistakes: Error, Sendable, CustomStringConvertible {
    public let mistakes: [Mistake]
    public let warnings: [Mistake]

    /// One line each.
    public var description: String { mistakes.map(\.description).joined(separator: "\n") }
}
