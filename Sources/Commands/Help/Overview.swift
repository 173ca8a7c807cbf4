/// `hopspan help`.
let overview: String = {
    func line(_ name: String, _ synopsis: String) -> String { ("hopspan " + name + " " + synopsis).trimmedAtEnd }
    var text = "hopspan: a tracing gateway between agents and the models they call\n\nusage: hopspan COMMAND …\n\n"
    text += Page.list(CommandList.all.map { (line($0.name, $0.synopsis), $0.summary) } + [
        (line("help", "[TOPIC]"), "this page; a command's page (also hopspan COMMAND --help), or a topic's"),
        ("hopspan --version", "the program's version"),
    ])
    text += "\ntopics:\n" + Page.list(Topic.all.map { ("hopspan help " + $0.name, $0.summary) })
    text += "\nnot in this build yet:\n" + Page.list(CommandList.notYet.map { (line($0.name, $0.synopsis), $0.summary) })
    text += "\nstart here:\n"
    text += "  hopspan demo                                            see what a run looks like\n"
    text += "  hopspan serve                                           the gateway, on its defaults\n"
    text += "  OPENAI_BASE_URL=http://127.0.0.1:8700/openai/v1         in the agent's environment, nothing else\n"
    return text
}()

extension String {
    fileprivate var trimmedAtEnd: String { hasSuffix(" ") ? String(dropLast()) : self }
}
