public import Policy

extension Form where Value == NameFilter {
    /// `allow` and `deny`, lists of globs.
    /// - Parameter things: what has the names: `tools`.
    static func names(of things: String) -> Form {
        .section(
            "a mapping with allow and deny",
            [
                Field("allow", \.allow, .globs, example: "[get_*]", "Names of \(things) that may be used: * stands for any characters, ? for one. Default: all."),
                Field("deny", \.deny, .globs, example: "[delete_*]", "Names of those that may not, whatever allow says."),
            ], defaults: NameFilter(),
            check: { _, node, place, reading in
                // It reads as if nothing were allowed, and everything would be.
                guard let allow = node["allow"] else { return }
                if case .sequence(let globs) = allow.value.content, !globs.isEmpty { return }
                if case .scalar = allow.value.content, !allow.value.isNull { return }
                reading.mistake(allow.mark, place.key("allow"), "an empty list", "list what may be used, or leave the key out to allow everything")
            })
    }
}

extension Form where Value == [Glob] {
    static var globs: Form { .list(Form<Glob>.glob, "a list of names such as get_*") }
}

extension Form where Value == Glob {
    static var glob: Form {
        .scalar(
            "a pattern of names", expected: "a name, with * for any characters and ? for one; at most \(Glob.placesAtMost) bytes, without [ ] { } and \\",
            parse: { (text) throws(Wrong) in
                guard let glob = Glob(text) else { throw Wrong() }
                return glob
            }, write: { .text($0.text) })
    }
}
