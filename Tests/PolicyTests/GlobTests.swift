import Policy
import Testing

private func matches(_ pattern: String, _ name: String) throws -> Bool {
    let glob = try #require(Glob(pattern))
    let bytes = Array(name.utf8)
    return glob.matches(unsafe bytes.span.bytes)
}

@Suite struct `A glob` {
    @Test(arguments: [
        ("get_weather", "get_weather", true), ("get_weather", "get_weathe", false), ("get_weather", "get_weather2", false), ("get_weather", "Get_weather", false),
        ("get_*", "get_weather", true), ("get_*", "get_", true), ("get_*", "get", false), ("get_*", "forget_it", false),
        ("*_all", "delete_all", true), ("*_all", "delete_all_", false), ("*all*", "allow", true), ("*all*", "al", false),
        ("*", "", true), ("*", "anything at all", true), ("**", "x", true),
        ("a*b*c", "abc", true), ("a*b*c", "aXbXbXc", true), ("a*b*c", "acb", false), ("*aab", "aaaab", true), ("*aab", "aaaba", false),
        ("?", "", false), ("?", "x", true), ("?", "xy", false), ("a?c", "abc", true), ("a?c", "ac", false), ("?*", "", false), ("*?", "x", true),
        ("?", "é", true), ("?", "日", true), ("?", "👍", true), ("??", "é", false), ("caf?", "café", true), ("caf?s", "cafés", true), ("*é", "caféé", true), ("é*", "è", false),
        ("a.c", "abc", false), ("$x^+(y)|z", "$x^+(y)|z", true),
    ]) func `matches a whole name`(pattern: String, name: String, isMatch: Bool) throws {
        #expect(try matches(pattern, name) == isMatch)
    }

    @Test(arguments: ["", "get_[ab]", "{a,b}", "a\\*", "a\nb", "a\u{0}", String(repeating: "x", count: 128), String(repeating: "é", count: 64)])
    func `is none where it would not mean what it was written for`(pattern: String) {
        #expect(Glob(pattern) == nil)
    }

    @Test func `may be as long as a tool's name`() throws {
        let name = String(repeating: "n", count: 127)
        #expect(try matches(name, name))
        #expect(try matches("*" + name + "*", "x" + name + "y"))
        #expect(try !matches(name, name + "n"))
    }

    @Test func `takes no more steps than the name has bytes, however many ways there are to match it`() throws {
        // Whoever tries them one after the other is not done in a lifetime.
        let pattern = String(repeating: "*a", count: 60) + "b"
        #expect(try !matches(pattern, String(repeating: "a", count: 1_000_000)))
    }
}

@Suite struct `A filter of names` {
    private func allows(_ name: String, allow: [String] = [], deny: [String] = []) -> Bool {
        let filter = NameFilter(allow: allow.compactMap { Glob($0) }, deny: deny.compactMap { Glob($0) })
        let bytes = Array(name.utf8)
        return filter.allows(unsafe bytes.span.bytes)
    }

    @Test func `lets everything pass where nothing is said`() {
        #expect(allows("anything"))
        #expect(NameFilter().allowsEverything)
    }

    @Test func `lets pass what is allowed and not denied`() {
        #expect(allows("get_weather", allow: ["get_*"]))
        #expect(!allows("set_weather", allow: ["get_*"]))
        #expect(allows("set_weather", allow: ["get_*", "set_weather"]))
        #expect(!allows("get_secret", allow: ["get_*"], deny: ["*secret*"]))
        #expect(!allows("get_weather", allow: ["*"], deny: ["get_weather"]))
        #expect(allows("set_weather", deny: ["get_*"]))
    }

    @Test func `takes no name with control characters`() {
        #expect(!allows("delete_all\u{0}", deny: ["delete_all"]))
        #expect(!allows("get_\n", allow: ["get_*"]))
    }
}
