/// One key of a section: its name, the property it fills, its form, and what it means.
struct Field<Section: Sendable>: Sendable {
    let name: String
    let isRequired: Bool
    let read: @Sendable (Node, Place, Reading, inout Section) -> Void
    let write: @Sendable (Section) -> Written
    let changes: @Sendable (_ old: Section, _ new: Section, Place) -> [Configuration.Change]
    let keep: @Sendable (_ old: Section, _ new: inout Section) -> Void
    let describe: @Sendable (_ defaults: Section) -> KeyDescription

    /// - Parameters:
    ///   - required: the section is worth nothing without it.
    ///   - restart: a running gateway cannot take up a new value.
    ///   - example: what the documentation shows where there is no default, as YAML.
    ///   - alternative: it does not go together with the keys before it.
    ///   - meaning: sentences, for the documentation.
    init<Value>(
        _ name: String, _ property: any WritableKeyPath<Section, Value> & Sendable, _ form: Form<Value>, required: Bool = false,
        restart: Bool = false, example: String? = nil, alternative: Bool = false, _ meaning: String
    ) {
        self.name = name
        isRequired = required
        read = { node, place, reading, section in
            if let value = form.read(node, place, reading) { section[keyPath: property] = value }
        }
        write = { form.write($0[keyPath: property]) }
        changes = { old, new, place in
            form.changes(old[keyPath: property], new[keyPath: property], place).map { change in
                Configuration.Change(key: change.key, needsRestart: change.needsRestart || restart)
            }
        }
        keep = { old, new in
            if restart { new[keyPath: property] = old[keyPath: property] } else { form.keep(old[keyPath: property], &new[keyPath: property]) }
        }
        describe = { defaults in
            KeyDescription(
                name: name, meaning: meaning, expected: form.expected, layout: form.layout, isRequired: required,
                defaultValue: form.write(defaults[keyPath: property]), example: example, isAlternative: alternative, needsRestart: restart)
        }
    }
}

/// A key as the documentation has it.
struct KeyDescription: Sendable {
    let name: String
    let meaning: String
    let expected: String
    let layout: Layout
    let isRequired: Bool
    /// `.null`, an empty list or an empty map: there is no default.
    let defaultValue: Written
    let example: String?
    let isAlternative: Bool
    let needsRestart: Bool
}

extension Form {
    /// A mapping of known keys.
    ///
    /// - Parameters:
    ///   - defaults: what the section holds before anything is read.
    ///   - check: what no single key can see, once all are read.
    static func section(
        _ expected: String, _ fields: [Field<Value>], defaults: Value,
        check: @escaping @Sendable (inout Value, Node, Place, Reading) -> Void = { _, _, _, _ in }
    ) -> Form {
        Form(
            expected, layout: .section(fields.map { $0.describe(defaults) }),
            read: { node, place, reading in
                guard let entries = reading.entries(node, place, "expected " + expected) else { return nil }
                var section = defaults
                for entry in entries {
                    let at = place.key(entry.key)
                    if let refusal = NotInThisBuild.refusal(of: entry, at: at) {
                        reading.mistake(refusal.mark, at, refusal.problem, refusal.advice)
                    } else if let field = fields.first(where: { $0.name == entry.key }) {
                        field.read(entry.value, at, reading, &section)
                    } else {
                        // One that this build refuses may have been meant, and is nothing to expect.
                        let refused = NotInThisBuild.names(in: place)
                        let known = fields.map(\.name).filter { !refused.contains($0) }
                        reading.mistake(entry.mark, at, "unknown key", Spelling.advice(for: entry.key, among: known, refused: refused))
                    }
                }
                for field in fields where field.isRequired && node[field.name] == nil {
                    reading.mistake(node.mark, place.key(field.name), "missing", "expected " + field.describe(defaults).expected)
                }
                check(&section, node, place, reading)
                return section
            },
            write: { section in .map(fields.map { Written.Entry($0.name, $0.write(section)) }) },
            changes: { old, new, place in fields.flatMap { $0.changes(old, new, place.key($0.name)) } },
            keep: { old, new in for field in fields { field.keep(old, &new) } })
    }

    /// A mapping from names of the operator's choosing, in the order of the file.
    ///
    /// - Parameters:
    ///   - name: where an item keeps its name.
    ///   - like: a name, for the documentation.
    ///   - check: what is wrong with a name; nil when it will do.
    static func named<Item>(
        _ item: Form<Item>, _ name: any WritableKeyPath<Item, String> & Sendable, like: String, _ expected: String,
        check: @escaping @Sendable (String) -> Wrong?
    ) -> Form where Value == [Item] {
        Form(
            expected, layout: .names(like: like, item.layout),
            read: { node, place, reading in
                reading.entries(node, place, "expected " + expected)?.compactMap { entry in
                    let at = place.name(entry.key)
                    if let wrong = check(entry.key) {
                        reading.mistake(entry.mark, at, wrong.problem ?? "not a name", wrong.expected)
                    }
                    // An empty place has its mark after the key; its name says more.
                    let value = entry.value.isNull ? Node(mark: entry.mark, content: entry.value.content) : entry.value
                    guard var read = item.read(value, at, reading) else { return nil }
                    read[keyPath: name] = entry.key
                    return read
                }
            },
            write: { items in .map(items.map { Written.Entry($0[keyPath: name], item.write($0)) }) },
            changes: { old, new, place in
                let names = old.map { $0[keyPath: name] } + new.map { $0[keyPath: name] }.filter { key in !old.contains { $0[keyPath: name] == key } }
                return names.flatMap { key in
                    let pair = (old.first { $0[keyPath: name] == key }, new.first { $0[keyPath: name] == key })
                    guard case (let before?, let after?) = pair else { return [Configuration.Change(key: place.name(key).text, needsRestart: false)] }
                    return item.changes(before, after, place.name(key))
                }
            })
    }

    /// A list, or one item that stands for a list of one.
    static func oneOrMore<Item>(_ item: Form<Item>, _ expected: String) -> Form where Value == [Item] {
        Form(
            expected, layout: .list(item.layout),
            read: { node, place, reading in
                if case .mapping = node.content { return item.read(node, place, reading).map { [$0] } }
                return reading.items(node, place, "expected " + expected)?.enumerated().compactMap { index, node in
                    item.read(node, place.item(index), reading)
                }
            }, write: { .list($0.map(item.write)) })
    }

    /// A list of scalars.
    static func list<Item>(_ item: Form<Item>, _ expected: String) -> Form where Value == [Item] {
        Form(
            expected,
            read: { node, place, reading in
                reading.items(node, place, "expected " + expected)?.enumerated().compactMap { index, node in
                    item.read(node, place.item(index), reading)
                }
            }, write: { .list($0.map(item.write)) })
    }
}
