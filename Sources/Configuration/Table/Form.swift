/// How values of one type are written in the file: their parser, their printer and their documentation in one value.
///
/// The table of keys is made of these, so what `hopspan help configuration` says, what `otel/hopspan.yaml` shows and what
/// is read cannot drift apart.
struct Form<Value: Equatable & Sendable>: Sendable {
    /// The end of "expected …": `a size such as 32MiB`.
    let expected: String
    let layout: Layout
    /// Nil when the node holds no such value; the mistake has then been noted.
    let read: @Sendable (Node, Place, Reading) -> Value?
    /// For the configuration in force, and for the defaults in the documentation.
    let write: @Sendable (Value) -> Written
    /// The keys whose values differ.
    let changes: @Sendable (_ old: Value, _ new: Value, Place) -> [Configuration.Change]
    /// Puts back into a new value what a running gateway cannot take up of it.
    let keep: @Sendable (_ old: Value, _ new: inout Value) -> Void

    init(
        _ expected: String, layout: Layout = .value, read: @escaping @Sendable (Node, Place, Reading) -> Value?,
        write: @escaping @Sendable (Value) -> Written,
        changes: (@Sendable (Value, Value, Place) -> [Configuration.Change])? = nil,
        keep: @escaping @Sendable (Value, inout Value) -> Void = { _, _ in }
    ) {
        self.expected = expected
        self.layout = layout
        self.read = read
        self.write = write
        self.keep = keep
        self.changes = changes ?? { $0 == $1 ? [] : [Configuration.Change(key: $2.text, needsRestart: false)] }
    }

    /// A value that is one scalar, from its text.
    ///
    /// - Parameter noun: `a size`: the end of "… is not …".
    static func scalar(
        _ noun: String, expected: String, parse: @escaping @Sendable (String) throws(Wrong) -> Value,
        write: @escaping @Sendable (Value) -> Written
    ) -> Form {
        Form(
            expected,
            read: { node, place, reading in
                guard let text = reading.scalar(node, place, "expected " + expected) else { return nil }
                do throws(Wrong) {
                    return try parse(text)
                } catch {
                    reading.mistake(
                        node.mark, place, error.problem ?? "\(quoted(text)) is not \(noun)", error.expected ?? "expected " + expected)
                    return nil
                }
            }, write: write)
    }

    /// The same, for a key that has no default and need not be there.
    var optional: Form<Value?> {
        Form<Value?>(
            expected, layout: layout, read: { node, place, reading in read(node, place, reading) },
            write: { value in value.map(write) ?? .null },
            changes: { old, new, place in
                if let old, let new { return changes(old, new, place) }
                return old == new ? [] : [Configuration.Change(key: place.text, needsRestart: false)]
            })
    }

    /// The same, or the word `none`.
    var orNone: Form<Value?> {
        Form<Value?>(
            expected + ", or none",
            read: { node, place, reading in
                if case .scalar("none", plain: _) = node.content { return .some(nil) }
                return read(node, place, reading)
            }, write: { value in value.map(write) ?? .text("none") })
    }
}

/// Why a text is no value of a form; nil where the form's own words will do.
struct Wrong: Error {
    /// What is wrong. Written only where it says more than "… is not a …", or where the text must not be shown.
    var problem: String?
    var expected: String?
}

/// What stands under a key.
indirect enum Layout: Sendable {
    case value
    case section([KeyDescription])
    /// Names of the operator's choosing (`like` one), each over the same.
    case names(like: String, Layout)
    /// One, or a list.
    case list(Layout)
}

/// A value as the file, or JSON, would write it.
enum Written: Sendable, Equatable {
    case null
    case bool(Bool)
    case number(Int)
    case text(String)
    case list([Written])
    case map([Entry])

    struct Entry: Sendable, Equatable {
        let key: String
        let value: Written

        init(_ key: String, _ value: Written) {
            self.key = key
            self.value = value
        }
    }
}
