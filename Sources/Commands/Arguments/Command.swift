/// One command: what it is called, what may stand behind it, and what its page of help says.
struct Command<Settings>: Sendable {
    struct Example: Sendable {
        /// The line to type.
        let line: String
        /// What it does.
        let meaning: String
    }

    let name: String
    /// A line in the list of commands; no full stop.
    let summary: String
    /// Paragraphs of its page.
    let explanation: [String]
    var operand: Operand<Settings>?
    var options: [Option<Settings>] = []
    let examples: [Example]
    /// What is wrong with options that are right one by one: a sentence.
    var contradiction: @Sendable (Settings) -> String? = { _ in nil }
    /// The settings with nothing behind the command's name.
    let defaults: @Sendable () -> Settings

    /// `usage: hopspan run [ID] [--json] …`
    var usage: String {
        var parts = ["usage: hopspan", name]
        if let operand { parts.append(operand.isRequired ? operand.placeholder : "[\(operand.placeholder)]") }
        // More than would be read are on the page.
        let shown = options.filter { if case .notYet = $0.form { false } else { true } }
        parts += shown.prefix(4).map { "[\($0.usage)]" } + (shown.count > 4 ? ["…"] : [])
        return parts.joined(separator: " ")
    }
}

/// Why the words on the command line cannot be followed.
public enum Complaint: Error, Hashable, Sendable {
    /// Wrong arguments: a sentence, and the line that says how it is done.
    case wrong(String, usage: String)
    /// Right, but of a later build.
    case notInThisBuild(String)

    /// Exit status (design, "Command line").
    public var status: Int32 {
        switch self {
        case .wrong: 2
        case .notInThisBuild: 1
        }
    }

    /// For standard error.
    public var lines: [String] {
        switch self {
        case .wrong(let sentence, let usage): ["hopspan: " + sentence, usage]
        case .notInThisBuild(let sentence): ["hopspan: " + sentence]
        }
    }
}

/// What a command's words come to.
enum Parsed<Settings> {
    case settings(Settings)
    case help
}

extension Command {
    /// Reads what stands behind the command's name.
    func parse(_ words: some Sequence<String>) throws(Complaint) -> Parsed<Settings> {
        var settings = defaults()
        var operands: [String] = []
        var given: Set<String> = []
        var rest = Array(words)[...]
        while let word = rest.popFirst() {
            if word == "--" {
                operands += rest
                break
            }
            guard word.hasPrefix("-"), word != "-" else {
                operands.append(word)
                continue
            }
            if word == "--help" || word == "-h" { return .help }
            let (name, attached) = Self.split(word)
            guard let option = options.first(where: { $0.name == name }) else { throw unknown(name) }
            if !option.isRepeatable, !given.insert(name).inserted { throw wrong("\(name) is given twice") }
            switch option.form {
            case .notYet: throw .notInThisBuild("\(name) is not in this build yet")
            case .flag(let set):
                guard attached == nil else { throw wrong("\(name) takes no value") }
                set(&settings)
            case .value(let placeholder, let expected, _, let set):
                // A value that looks like an option was meant as one; `--name=--value` says otherwise.
                guard let value = attached ?? (rest.first?.hasPrefix("--") == true ? nil : rest.popFirst()) else {
                    throw wrong("\(name) needs a value: \(placeholder) is \(expected)")
                }
                guard set(&settings, value) else { throw wrong("\(name) \(quoted(value)): expected \(expected)") }
            }
        }
        try take(operands, into: &settings)
        if let contradiction = contradiction(settings) { throw wrong(contradiction) }
        return .settings(settings)
    }

    private func take(_ words: [String], into settings: inout Settings) throws(Complaint) {
        guard let operand else {
            if let word = words.first { throw wrong("\(name) takes no \(quoted(word))") }
            return
        }
        if words.count > 1 { throw wrong("\(name) takes one \(operand.placeholder), and \(quoted(words[1])) is a second") }
        if let word = words.first {
            guard !word.isEmpty else { throw wrong("\(operand.placeholder) is empty") }
            operand.set(&settings, word)
        } else if operand.isRequired {
            throw wrong("\(name) needs \(operand.placeholder): \(operand.meaning)")
        }
    }

    private func unknown(_ name: String) -> Complaint {
        let known = options.map(\.name) + ["--help"]
        return wrong("\(self.name) has no option \(quoted(name))" + didYouMean(name, among: known))
    }

    private func wrong(_ sentence: String) -> Complaint { .wrong(sentence, usage: usage) }

    private static func split(_ word: String) -> (name: String, value: String?) {
        guard word.hasPrefix("--"), let equals = word.firstIndex(of: "=") else { return (word, nil) }
        return (String(word[..<equals]), String(word[word.index(after: equals)...]))
    }
}
