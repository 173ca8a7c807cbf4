import Commands
import JSON
import Terminal

/// Commands that ask a running gateway's api: `hopspan runs`, `run` and `cost`.
enum Asking {
    static func runs(_ settings: RunsSettings, _ console: Console) throws(Failure) {
        let answer = try ask(settings.target, APIClient(settings.api, console))
        if settings.json { return try console.write(answer.line) }
        try console.print(expected { () throws(UnexpectedAnswer) in try RunsTable.lines(answer.json(), on: console.output.screen) })
    }

    static func cost(_ settings: CostSettings, _ console: Console) throws(Failure) {
        let answer = try ask(settings.target, APIClient(settings.api, console))
        if settings.json { return try console.write(answer.line) }
        try console.print(expected { () throws(UnexpectedAnswer) in try CostTable.lines(answer.json(), by: settings.keys, on: console.output.screen) })
    }

    static func run(_ settings: RunSettings, _ console: Console) throws(Failure) {
        let api = try APIClient(settings.api, console)
        let answer = if let id = settings.id { try find(id, settings, api) } else { try latest(settings, api) }
        if settings.json || settings.otlp { return try console.write(answer.line) }
        try console.print(expected { () throws(UnexpectedAnswer) in try RunTree.lines(answer.bytes, on: console.output.screen) })
    }

    private static func latest(_ settings: RunSettings, _ api: APIClient) throws(Failure) -> Answer {
        var query = RunsSettings()
        query.limit = 1
        let list = try ask(query.target, api)
        let id = try expected { () throws(UnexpectedAnswer) in try RunSearch.latest(in: list.json()) }
        guard let id else { throw Failure("there is no run yet: send a request through the gateway, hopspan help traces says how") }
        guard let bytes = try api.get(settings.target(of: id)) else { throw Failure("the run \(id) is gone") }
        return Answer(bytes: bytes)
    }

    /// The run of that id, alias or trace id, else the one run that has an id which begins so.
    private static func find(_ id: String, _ settings: RunSettings, _ api: APIClient) throws(Failure) -> Answer {
        if let bytes = try api.get(settings.target(of: id)) { return Answer(bytes: bytes) }
        let unknown = Failure("no run \"\(id.printable)\": hopspan runs lists them")
        guard var search = RunSearch(id) else {
            throw Failure("no run \"\(id.printable)\", and the beginning of an id has at least \(RunSearch.shortest) characters: hopspan runs lists them")
        }
        for _ in 0..<RunSearch.pages {
            let page = try ask(RunsSettings.page(after: search.next), api)
            try expected { () throws(UnexpectedAnswer) in try search.look(through: page.json()) }
            if search.next == nil || search.found.count > 1 { break }
        }
        guard let found = search.found.first else { throw unknown }
        guard search.found.count == 1 else {
            throw Failure(lines: ["hopspan: more than one run begins with \"\(id.printable)\":"] + search.found.prefix(10).map { "  " + $0.printable })
        }
        guard let bytes = try api.get(settings.target(of: found)) else { throw unknown }
        return Answer(bytes: bytes)
    }

    /// An answer that must be there.
    private static func ask(_ target: String, _ api: APIClient) throws(Failure) -> Answer {
        guard let bytes = try api.get(target) else { throw Failure("\(UnexpectedAnswer())") }
        return Answer(bytes: bytes)
    }

    private static func expected<Value>(_ read: () throws(UnexpectedAnswer) -> Value) throws(Failure) -> Value {
        do { return try read() } catch { throw Failure("\(error)") }
    }
}

/// What the api answered, unread.
private struct Answer {
    let bytes: [UInt8]

    func json() throws(UnexpectedAnswer) -> JSONValue {
        // Sound: the array outlives the call.
        do { return try JSONValue(unsafe bytes.span.bytes) } catch { throw UnexpectedAnswer(error) }
    }

    /// As it came, with a line break behind it.
    var line: [UInt8] { bytes.last == UInt8(ascii: "\n") ? bytes : bytes + [UInt8(ascii: "\n")] }
}
