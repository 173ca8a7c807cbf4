import Tracing

/// What the program is asked to do: the command line, read.
public enum Invocation: Sendable, Hashable {
    case serve(ServeSettings)
    case demo(DemoSettings)
    case check(CheckSettings)
    case runs(RunsSettings)
    case run(RunSettings)
    case cost(CostSettings)
    case prices(PricesSettings)
    /// A part that the demo plays in a process of its own: an MCP server on standard input and output.
    case runbooks
    /// A text for standard output: help, or the version.
    case show(String)

    /// For the demo alone; help says nothing of it.
    public static let runbooksWord = "demo-runbooks"

    /// - Parameter words: what stands behind the program's name.
    public static func read(_ words: [String]) throws(Complaint) -> Invocation {
        guard let first = words.first else { throw .wrong("a command is needed", usage: overview) }
        let rest = words.dropFirst()
        switch first {
        case "--help", "-h": return .show(overview)
        case "--version": return .show("\(ProgramVersion.name) \(ProgramVersion.version)\n")
        case "help": return try help(rest)
        case runbooksWord where rest.isEmpty: return .runbooks
        case _ where CommandList.notYet.contains { $0.name == first }: throw .notInThisBuild("\(first) is not in this build yet")
        default: break
        }
        guard let entry = CommandList.all.first(where: { $0.name == first }) else {
            let isOption = first.hasPrefix("-")
            let known = isOption ? ["--help", "--version"] : CommandList.names + ["help"]
            let what = isOption ? "no option \(quoted(first)) stands before the command" : "no command \(quoted(first))"
            throw .wrong(what + didYouMean(first, among: known), usage: "usage: hopspan COMMAND …; hopspan help lists the commands")
        }
        return try entry.read(Array(rest))
    }

    private static func help(_ words: some Collection<String>) throws(Complaint) -> Invocation {
        let usage = "usage: hopspan help [TOPIC]"
        guard let word = words.first, word != "--help", word != "-h" else { return .show(overview) }
        guard words.count == 1 else { throw .wrong("help takes one TOPIC", usage: usage) }
        // What is both, prices, is shown as both.
        let pages = [CommandList.all.first { $0.name == word }?.page, Topic.all.first { $0.name == word }?.text()].compactMap { $0 }
        if !pages.isEmpty { return .show(pages.joined(separator: "\n")) }
        if let later = CommandList.notYet.first(where: { $0.name == word }) { return .show("hopspan \(later.name): \(later.summary). Not in this build yet.\n") }
        let known = CommandList.names + Topic.all.map(\.name).filter { !CommandList.names.contains($0) }
        throw .wrong("no help on \(quoted(word))" + didYouMean(word, among: known), usage: usage + "; topics are " + known.joined(separator: ", "))
    }
}

/// The commands, in the order of the overview.
enum CommandList {
    struct Entry: Sendable {
        let name: String
        let summary: String
        /// The words behind the name, in the overview.
        let synopsis: String
        let page: String
        let optionNames: [String]
        let read: @Sendable ([String]) throws(Complaint) -> Invocation

        init<Settings>(_ command: Command<Settings>, _ invocation: @escaping @Sendable (Settings) -> Invocation) {
            name = command.name
            summary = command.summary
            synopsis = command.synopsis
            let page = command.page
            self.page = page
            optionNames = command.options.map(\.name)
            read = { (words) throws(Complaint) in
                switch try command.parse(words) {
                case .help: .show(page)
                case .settings(let settings): invocation(settings)
                }
            }
        }
    }

    static let all: [Entry] = [
        Entry(.serve) { .serve($0) }, Entry(.demo) { .demo($0) }, Entry(.check) { .check($0) }, Entry(.runs) { .runs($0) },
        Entry(.run) { .run($0) }, Entry(.cost) { .cost($0) }, Entry(.prices) { .prices($0) },
    ]

    /// In the contract, and of a later build.
    static let notYet = [
        (name: "diff", synopsis: "A B", summary: "two runs, and the first hop where they part"),
        (name: "keys", synopsis: "create|list|revoke", summary: "virtual keys"),
    ]

    static let names: [String] = all.map(\.name)
}
