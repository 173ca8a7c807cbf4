import Foundation

/// A file that tells one exchange: what the client sends, what the upstream must receive and what it sends, what the client must
/// receive, and the spans that come out. Sections are separated by lines of dashes with their name.
///
/// In what is sent, line ends are CRLF up to and including the empty line after a head, and LF in bodies; a line that starts with
/// `@` is a command: `@crlf` CRLF from here on, `@bytewise` one byte a write from here on, `@base64 …` bytes, `@close`, `@reset`,
/// `@silence` (say nothing more and keep the connection), `@until …` (go on when this has been received; the client's), `@next` (what follows is for the next connection or request).
struct ExchangeFile {
    enum Step: Equatable {
        case send([UInt8])
        case bytewise
        case close
        case reset
        case silence
        case until([UInt8])
        case next
    }

    let path: String
    var settings: [String: String] = [:]
    var client: [Step] = []
    var upstream: [Step] = []
    private var sections: [(title: String, body: String)] = []

    static let titles = ["settings", "client sends", "upstream receives", "upstream sends", "client receives", "spans"]

    init(path: String) throws {
        self.path = path
        var text = try String(contentsOfFile: path, encoding: .utf8)
        if text.hasSuffix("\n") { text.removeLast() }
        var title = ""
        var body: [Substring] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("-----"), let name = Self.titles.first(where: { line.hasSuffix(" " + $0) }) {
                sections.append((title, body.joined(separator: "\n")))
                title = name
                body = []
            } else {
                body.append(line)
            }
        }
        sections.append((title, body.joined(separator: "\n")))
        client = Self.steps(section("client sends"))
        upstream = Self.steps(section("upstream sends"))
        for line in section("settings").split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
            if parts.count == 2 { settings[parts[0]] = parts[1] }
        }
    }

    func section(_ title: String) -> String {
        sections.first { $0.title == title }?.body ?? ""
    }

    /// Writes the file anew with these results.
    mutating func record(_ results: [String: String]) throws {
        var text = sections[0].body.trimmingCharacters(in: .newlines) + "\n"
        for title in Self.titles {
            let body = results[title] ?? section(title)
            if body.isEmpty, results[title] == nil { continue }
            text += "----- \(title)\n" + body + "\n"
        }
        try text.write(toFile: path, atomically: true, encoding: .utf8)
    }

    private static func steps(_ text: String) -> [Step] {
        guard !text.isEmpty else { return [] }
        var steps: [Step] = []
        var bytes: [UInt8] = []
        var inHead = true
        var crlf = false
        func flush() {
            if !bytes.isEmpty { steps.append(.send(bytes)) }
            bytes = []
        }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            if line.hasPrefix("@") {
                if line == "@crlf" {
                    crlf = true
                    continue
                }
                flush()
                switch line {
                case "@bytewise": steps.append(.bytewise)
                case "@close": steps.append(.close)
                case "@reset": steps.append(.reset)
                case "@silence": steps.append(.silence)
                case "@next":
                    steps.append(.next)
                    inHead = true
                case _ where line.hasPrefix("@until "): steps.append(.until(Array(line.dropFirst(7).utf8)))
                case _ where line.hasPrefix("@base64 "): steps.append(.send(Array(Data(base64Encoded: String(line.dropFirst(8)))!)))
                default: fatalError("\(line) is no command")
                }
                continue
            }
            bytes += Array(line.utf8)
            // The last line of a section has no line end of its own.
            let isLast = index == lines.count - 1 || lines[index + 1].hasPrefix("@")
            if inHead {
                bytes += [13, 10]
                if line.isEmpty { inHead = false }
            } else if !isLast {
                bytes += crlf ? [13, 10] : [10]
            }
        }
        flush()
        return steps
    }
}
