extension Configuration {
    /// `otel/hopspan.yaml`: every key, what it means, and its default or an example, commented out. `# ` and a word begin
    /// prose; a line without that space is YAML once its `#` is gone.
    public static var reference: String {
        var page = Page()
        page.prose(
            """
            Every key of Hopspan's configuration. All are optional. Commented out stand the defaults, and examples where there is no default. \
            Printed from the table in Sources/Configuration, which reads the keys as well; a test keeps the two in step.
            """)
        page.prose("")
        page.prose("hopspan serve --config hopspan.yaml · hopspan check hopspan.yaml · hopspan help configuration")
        page.prose("")
        page.prose(
            """
            The file is read again on SIGHUP and when it changes; a bad one leaves the old configuration in force. Keys marked (restart) wait for \
            the next start. Sizes: 64KiB, 32MiB, 20GiB. Durations: 200ms, 30s, 10m, 1h, 30d. Secrets are references, env:NAME or file:path, never \
            values. A relative path starts from the folder of this file.
            """)
        for section in sections {
            page.blank()
            page.key(section, place: .root.key(section.name), indent: 0, hash: nil)
        }
        page.blank()
        page.prose("Not in this build yet, and refused: " + NotInThisBuild.keys.joined(separator: ", ") + ".")
        return page.text
    }

    /// `hopspan help configuration`: each key with its default, its meaning below.
    public static var help: String {
        var entries: [String] = []
        func describe(_ key: KeyDescription, _ path: String, _ place: Place) {
            let meaning = wrapped(key.meaning + key.remarks(at: place), width: 96).map { "    " + $0 }.joined(separator: "\n")
            entries.append(path + (key.defaultText.map { ": " + $0 } ?? "") + "\n" + meaning)
            describe(key.layout, path, place)
        }
        func describe(_ layout: Layout, _ path: String, _ place: Place) {
            switch layout {
            case .value: break
            case .section(let keys): for key in keys { describe(key, path + "." + key.name, place.key(key.name)) }
            case .names(let like, let below): describe(below, path + "." + like, place.name(like))
            case .list(let below): describe(below, path + "[]", place)
            }
        }
        for section in sections { describe(section, section.name, .root.key(section.name)) }
        entries.append("Not in this build yet: " + NotInThisBuild.keys.joined(separator: ", ") + ".")
        return entries.joined(separator: "\n") + "\n"
    }

    private static var sections: [KeyDescription] {
        guard case .section(let sections) = form.layout else { return [] }
        return sections
    }
}

extension KeyDescription {
    /// The default as YAML; nil when there is none.
    fileprivate var defaultText: String? {
        switch defaultValue {
        case _ where isRequired: nil
        case .null, .list([]), .map: nil
        default: defaultValue.yaml
        }
    }

    /// What the meaning does not say by itself.
    fileprivate func remarks(at place: Place) -> String {
        var remarks: [String] = []
        if isRequired { remarks.append("Required.") }
        if !isRequired, defaultText == nil, !meaning.has("Default:") {
            switch layout {
            case .value: remarks.append("Default: none.")
            case .section where defaultValue == .null: remarks.append("Default: none.")
            case .section, .names, .list: break
            }
        }
        if needsRestart { remarks.append("(restart)") }
        if NotInThisBuild.keys.contains(place.pattern) { remarks.append("Not in this build yet.") }
        let values = NotInThisBuild.values[place.pattern, default: []]
        if !values.isEmpty { remarks.append("Not in this build yet: \(values.joined(separator: ", ")).") }
        return remarks.map { " " + $0 }.joined()
    }
}

/// The reference, as it grows.
private struct Page {
    private(set) var text = ""
    /// What the next line of YAML begins with instead of two spaces: the dash of a list's item.
    private var dash = false

    mutating func blank() { text += "\n" }

    mutating func prose(_ words: String, indent: Int = 0, hash: Int? = nil) {
        for line in wrapped(words, width: 120 - indent) { text += start(indent, hash: hash) + (line.isEmpty ? "#" : "# " + line) + "\n" }
    }

    /// - Parameters:
    ///   - indent: the key's column in the YAML.
    ///   - hash: the column of the `#` that comments out what stands above; nil when nothing above is commented out.
    mutating func key(_ key: KeyDescription, place: Place, indent: Int, hash: Int?) {
        prose(key.meaning + key.remarks(at: place), indent: indent, hash: hash)
        if NotInThisBuild.keys.contains(place.pattern) {
            prose(key.name + ": " + (key.defaultText ?? "…"), indent: indent, hash: hash)
            return
        }
        if key.isAlternative {
            prose(key.name + ": " + (key.example ?? "…"), indent: indent, hash: hash)
            return
        }
        switch key.layout {
        case .value: yaml("\(key.name): \(key.defaultText ?? key.example ?? "…")", indent, hash: hash ?? indent)
        case .section(let keys):
            // A section that is always there stands open, so that uncommenting one key in it is enough.
            let below = hash ?? (key.defaultValue == .null ? indent : nil)
            yaml(key.name + ":", indent, hash: below)
            section(keys, place, indent + 2, hash: below)
        case .names(let like, let layout):
            yaml(key.name + ":", indent, hash: hash)
            yaml(like + ":", indent + 2, hash: hash ?? indent + 2)
            if case .section(let keys) = layout { section(keys, place.name(like), indent + 4, hash: hash ?? indent + 2) }
        case .list(let layout):
            yaml(key.name + ":", indent, hash: hash ?? indent)
            dash = true
            if case .section(let keys) = layout { section(keys, place, indent + 4, hash: hash ?? indent) }
        }
    }

    private mutating func section(_ keys: [KeyDescription], _ place: Place, _ indent: Int, hash: Int?) {
        for key in keys { self.key(key, place: place.key(key.name), indent: indent, hash: hash) }
    }

    private mutating func yaml(_ words: String, _ indent: Int, hash: Int?) {
        let column = dash ? indent - 2 : indent
        let line = (dash ? "- " : "") + words
        if let hash {
            text += spaces(hash) + "#" + spaces(column - hash) + line + "\n"
        } else {
            text += spaces(column) + line + "\n"
        }
        dash = false
    }

    private func start(_ indent: Int, hash: Int?) -> String {
        guard let hash, hash < indent else { return spaces(indent) }
        return spaces(hash) + "#" + spaces(indent - hash)
    }

    private func spaces(_ count: Int) -> String { String(repeating: " ", count: count) }
}

extension Written {
    /// In flow style, on one line.
    var yaml: String {
        switch self {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .number(let value): String(value)
        case .text(let text):
            text.utf8.first.map(HTTPURL.isAlphanumeric) == true && text.utf8.last.map(HTTPURL.isAlphanumeric) == true
                && text.utf8.allSatisfy { HTTPURL.isAlphanumeric($0) || "._/:-".utf8.contains($0) } ? text : Self.quote(text)
        case .list(let items): "[" + items.map(\.yaml).joined(separator: ", ") + "]"
        case .map(let entries): "{ " + entries.map { $0.key + ": " + $0.value.yaml }.joined(separator: ", ") + " }"
        }
    }
}

/// Words in lines of at most `width` characters; at least one line.
private func wrapped(_ words: String, width: Int) -> [String] {
    var lines = [""]
    for word in words.split(separator: " ") {
        let line = lines[lines.count - 1]
        if line.isEmpty {
            lines[lines.count - 1] = String(word)
        } else if line.count + 1 + word.count <= width {
            lines[lines.count - 1] = line + " " + word
        } else {
            lines.append(String(word))
        }
    }
    return lines
}
