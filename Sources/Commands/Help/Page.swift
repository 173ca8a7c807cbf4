import Terminal

/// Text for people, set at most this many columns wide.
enum Page {
    static let width = 96

    /// Words in lines; each line behind `indent`, the first behind `first` if that is given.
    static func paragraph(_ words: String, indent: Int = 0, first: String? = nil) -> String {
        let margin = String(repeating: " ", count: indent)
        var lines: [String] = []
        var line = first ?? margin
        var isEmpty = true
        for word in words.split(separator: " ") {
            if !isEmpty, TextWidth.columns(line) + 1 + TextWidth.columns(String(word)) > width {
                lines.append(line)
                (line, isEmpty) = (margin, true)
            }
            line += (isEmpty ? "" : " ") + word
            isEmpty = false
        }
        return (lines + [line]).map { $0 + "\n" }.joined()
    }

    /// Terms with their meanings beside them; a term that is too long stands above its meaning.
    static func list(_ entries: [(term: String, meaning: String)], indent: Int = 2) -> String {
        let longest = entries.map { TextWidth.columns($0.term) }.max() ?? 0
        let column = indent + min(longest, 26) + 2
        return entries.map { entry in
            let term = String(repeating: " ", count: indent) + entry.term
            let free = column - TextWidth.columns(term)
            if free >= 2 { return paragraph(entry.meaning, indent: column, first: term + String(repeating: " ", count: free)) }
            return term + "\n" + paragraph(entry.meaning, indent: column)
        }.joined()
    }
}

extension Command {
    /// The words behind the command's name, in short.
    var synopsis: String { operand.map { $0.isRequired ? $0.placeholder : "[\($0.placeholder)]" } ?? "" }

    /// `hopspan COMMAND --help`.
    var page: String {
        var text = "hopspan \(name): \(summary)\n\n\(usage)\n\n"
        text += explanation.map { Page.paragraph($0) }.joined(separator: "\n")
        if let operand { text += "\n" + Page.list([(operand.placeholder, operand.meaning)]) }
        text += "\noptions:\n" + Page.list(optionEntries)
        text += "\nexamples:\n" + examples.map { "  " + $0.line + "\n" + Page.paragraph($0.meaning, indent: 6) }.joined()
        return text
    }
}

extension Command {
    /// Options as the page has them. What a placeholder stands for is said where it comes first.
    private var optionEntries: [(term: String, meaning: String)] {
        var said: Set<String> = []
        let entries = options.map { option in
            var meaning = option.meaning
            switch option.form {
            case .flag: break
            case .value(let placeholder, let expected, let isPlain, _):
                if !isPlain, said.insert(placeholder).inserted { meaning += " \(placeholder) is \(expected)." }
                if option.isRepeatable { meaning += " Repeatable." }
            case .notYet: meaning += " Not in this build yet."
            }
            return (term: option.usage, meaning: meaning)
        }
        return entries + [("--help", "This page.")]
    }
}
