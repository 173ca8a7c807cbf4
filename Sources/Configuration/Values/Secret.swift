/// A secret and where it came from. Whatever prints it, prints the reference: descriptions, dumps, answers, logs.
public struct Secret: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// `env:NAME` or `file:path`, as written.
    public let reference: String
    /// The secret itself. Never empty, one line, no control characters: safe as a field value (RFC 9110 §5.5).
    public let revealed: String

    public init(reference: String, revealed: String) {
        self.reference = reference
        self.revealed = revealed
    }

    /// A value that stands in the file itself, where that is allowed.
    init(literal text: String) {
        self.init(reference: "(set in the file)", revealed: text)
    }

    /// It has no reference that tells it from others.
    var isLiteral: Bool { !reference.contains(":") }

    public var description: String { reference }
    public var debugDescription: String { reference }
    public var customMirror: Mirror { Mirror(self, children: ["reference": reference]) }
}

extension Reading {
    /// Resolves a reference; nil after noting why it cannot be. What is not a reference is never shown: it may be the secret.
    func secret(_ text: String, _ mark: Mark, _ place: Place) -> Secret? {
        let expected = "expected a reference such as env:OPENAI_API_KEY or file:/run/secrets/key"
        guard let colon = text.firstIndex(of: ":") else {
            mistake(mark, place, "a secret must not stand in the file", expected)
            return nil
        }
        let source = String(text[text.index(after: colon)...])
        let raw: String
        switch text[..<colon] {
        case "env":
            guard Self.isVariableName(source) else {
                mistake(mark, place, "env: wants the name of an environment variable", expected)
                return nil
            }
            guard let value = variable(source) else {
                mistake(mark, place, "the environment variable \(source) is not set", "set it, or remove the key")
                return nil
            }
            raw = value
        case "file":
            guard !source.isEmpty, !source.utf8.contains(0), let bytes = contents(of: resolved(source)),
                let value = String(validating: bytes, as: UTF8.self)
            else {
                mistake(mark, place, "the file \(quoted(resolved(source))) cannot be read", "a file that holds the secret and nothing else")
                return nil
            }
            raw = value
        case let scheme where NotInThisBuild.secretSchemes.contains(String(scheme)):
            mistake(mark, place, "\(scheme): is \(NotInThisBuild.phrase)", expected)
            return nil
        default:
            mistake(mark, place, "a secret must not stand in the file", expected)
            return nil
        }
        // A file's last line break, and what a shell's quoting lets slip.
        let value = raw.trimmingWhitespace()
        guard !value.isEmpty, !value.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) else {
            mistake(mark, place, "\(text) holds \(value.isEmpty ? "nothing" : "more than one line")", "a file or variable with the secret and nothing else")
            return nil
        }
        return Secret(reference: text, revealed: value)
    }

    static func isVariableName(_ text: String) -> Bool {
        guard let first = text.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else { return false }
        return text.utf8.count <= 128 && text.utf8.allSatisfy { $0 == UInt8(ascii: "_") || HTTPURL.isAlphanumeric($0) }
    }
}

extension Form where Value == Secret {
    static var secret: Form {
        Form(
            "a reference such as env:OPENAI_API_KEY or file:/run/secrets/key",
            read: { node, place, reading in
                guard let text = reading.scalar(node, place, "expected a reference such as env:OPENAI_API_KEY") else { return nil }
                return reading.secret(text, node.mark, place)
            }, write: { .text($0.reference) })
    }
}
