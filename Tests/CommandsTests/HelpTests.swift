import Terminal
import Testing

@testable import Commands

@Suite struct `Help` {
    static func page(_ words: String...) throws -> String {
        guard case .show(let text) = try Invocation.read(words) else { throw Complaint.wrong("no page", usage: "") }
        return text
    }

    @Test(arguments: CommandList.names) func `teaches every command, by either way to it`(name: String) throws {
        let page = try Self.page(name, "--help")
        #expect(try Self.page(name, "-h") == page)
        #expect(try Self.page("help", name).hasPrefix(page))
        #expect(page.contains("usage: hopspan \(name)"))
        #expect(page.contains("\nexamples:\n  "))
        #expect(page.split(separator: "\n").count > 8)
    }

    @Test(arguments: CommandList.all.indices) func `documents every option`(index: Int) {
        let entry = CommandList.all[index]
        for option in entry.optionNames + ["--help"] {
            #expect(entry.page.contains("\n  \(option) "), "\(entry.name) \(option)")
        }
    }

    @Test(arguments: CommandList.all.indices) func `says sentences`(index: Int) {
        let options = CommandList.all[index].page.split(separator: "\noptions:\n")[1].split(separator: "\n\n")[0]
        #expect(options.last == ".")
    }

    @Test(arguments: Topic.all.indices) func `has a page on every topic`(index: Int) throws {
        let topic = Topic.all[index]
        #expect(try Self.page("help", topic.name).count > 300)
        #expect(overview.contains("hopspan help \(topic.name)"))
    }

    @Test func `on prices has the command and the topic`() throws {
        let page = try Self.page("help", "prices")
        #expect(page.contains("--import FILE"))
        #expect(page.contains("fallback"))
    }

    @Test func `lists every command, and what is not built yet`() throws {
        for name in CommandList.names + ["diff", "keys", "help", "--version"] { #expect(overview.contains("hopspan \(name)")) }
        #expect(try Self.page("help", "diff").contains("Not in this build yet"))
        #expect(try Self.page("help") == overview)
        #expect(try Self.page("--help") == overview)
    }

    @Test func `fits a terminal`() throws {
        var pages = [overview]
        for entry in CommandList.all { pages.append(entry.page) }
        for topic in Topic.all where topic.name != "configuration" { pages.append(topic.text()) }
        for page in pages {
            #expect(page.hasSuffix("\n"))
            for line in page.split(separator: "\n") { #expect(TextWidth.columns(String(line)) <= 100, "\(line)") }
        }
    }

    @Test(arguments: CommandList.all.indices) func `shows examples that can be typed`(index: Int) throws {
        let examples = CommandList.all[index].page.split(separator: "\nexamples:\n")[1].split(separator: "\n").filter { $0.hasPrefix("  hopspan ") }
        #expect(!examples.isEmpty)
        for example in examples {
            let line = example.prefix { $0 != "|" && $0 != ">" }
            _ = try Invocation.read(line.split(separator: " ").dropFirst().map(String.init))
        }
    }
}
