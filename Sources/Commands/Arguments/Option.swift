/// One option of a command: how it is written, what it means, and where its value goes.
struct Option<Settings>: Sendable {
    enum Form: Sendable {
        /// `--json`
        case flag(set: @Sendable (inout Settings) -> Void)
        /// `--since TIME`, `--since=TIME`; false where the word is none.
        case value(placeholder: String, expected: String, isPlain: Bool, set: @Sendable (inout Settings, String) -> Bool)
        /// In the contract and not built yet: refused, never ignored.
        case notYet(placeholder: String?)
    }

    /// With its dashes: `--since`.
    let name: String
    let form: Form
    /// A sentence.
    let meaning: String
    /// May be given more than once.
    var isRepeatable = false

    var usage: String {
        switch form {
        case .flag, .notYet(nil): name
        case .value(let placeholder, _, _, _), .notYet(let placeholder?): name + " " + placeholder
        }
    }
}

extension Option {
    static func flag(_ name: String, _ property: any WritableKeyPath<Settings, Bool> & Sendable, _ meaning: String) -> Option {
        Option(name: name, form: .flag { $0[keyPath: property] = true }, meaning: meaning)
    }

    static func value<Parsed>(
        _ name: String, _ value: Value<Parsed>, _ property: any WritableKeyPath<Settings, Parsed?> & Sendable, _ meaning: String
    ) -> Option {
        Option(name: name, form: taking(value) { $0[keyPath: property] = $1 }, meaning: meaning)
    }

    static func repeatable<Parsed>(
        _ name: String, _ value: Value<Parsed>, _ property: any WritableKeyPath<Settings, [Parsed]> & Sendable, _ meaning: String
    ) -> Option {
        Option(name: name, form: taking(value) { $0[keyPath: property].append($1) }, meaning: meaning, isRepeatable: true)
    }

    private static func taking<Parsed>(_ value: Value<Parsed>, _ take: @escaping @Sendable (inout Settings, Parsed) -> Void) -> Form {
        let parse = value.parse
        return .value(placeholder: value.placeholder, expected: value.expected, isPlain: value.isPlain) { settings, word in
            guard let parsed = parse(word) else { return false }
            take(&settings, parsed)
            return true
        }
    }

    static func notYet(_ name: String, placeholder: String? = nil, _ meaning: String) -> Option {
        Option(name: name, form: .notYet(placeholder: placeholder), meaning: meaning)
    }
}

/// A word of a command that is no option: `ID` of `hopspan run ID`.
struct Operand<Settings>: Sendable {
    let placeholder: String
    let isRequired: Bool
    let meaning: String
    let set: @Sendable (inout Settings, String) -> Void
}
