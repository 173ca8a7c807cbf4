import Foundation
import Testing

/// What keeps the house as its plan says: read from the sources, so that it fails when they stray.
@Suite struct `The sources` {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    struct Source {
        let path: String
        let room: String
        let text: String
    }

    static let sources: [Source] = files(in: "Sources").filter { $0.hasSuffix(".swift") }.map { path in
        Source(path: path, room: path.split(separator: "/").dropFirst().first.map(String.init) ?? "", text: read(path))
    }

    static func read(_ path: String) -> String { (try? String(contentsOf: root.appending(path: path), encoding: .utf8)) ?? "" }

    static func files(in folder: String) -> [String] {
        let base = root.appending(path: folder)
        guard let walk = FileManager.default.enumerator(atPath: base.path) else { return [] }
        return walk.compactMap { $0 as? String }.map { folder + "/" + $0 }.sorted()
    }

    static func imports(_ text: String) -> [String] {
        text.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard let place = words.firstIndex(of: "import"), place < 3, !line.hasPrefix(" "), !line.hasPrefix("/") else { return nil }
            return words.dropFirst(place + 1).first.map { String($0.split(separator: ".")[0]) }
        }
    }

    /// Rooms and what each may import, as Package.swift says.
    static let arrows: [String: Set<String>] = {
        var arrows: [String: Set<String>] = [:]
        let manifest = read("Package.swift")
        for line in manifest.split(separator: "\n") where line.trimmingCharacters(in: .whitespaces).hasPrefix("room(") {
            let names = line.split(separator: "\"").enumerated().filter { $0.offset % 2 == 1 }.map { String($0.element) }
            arrows[names[0]] = Set(names.dropFirst())
        }
        return arrows
    }()

    /// Of the toolchain, and so everybody's.
    static let everybodys: Set<String> = ["Glibc", "Synchronization", "_Builtin_intrinsics"]

    @Test func `import only the rooms below them`() {
        #expect(Self.arrows.count >= 15, "Package.swift could not be read")
        for source in Self.sources where Self.arrows[source.room] != nil {
            let stray = Self.imports(source.text).filter { !Self.everybodys.contains($0) && !Self.arrows[source.room]!.contains($0) }
            #expect(stray.isEmpty, "\(source.path) imports \(stray.joined(separator: ", ")), which Package.swift does not give to \(source.room)")
        }
    }

    @Test func `have arrows that point down`() {
        // A room comes after all rooms it may import.
        let manifest = Self.read("Package.swift")
        let order = manifest.split(separator: "\n").filter { $0.contains(" room(\"") }.compactMap { $0.split(separator: "\"").dropFirst().first.map(String.init) }
        for (place, room) in order.enumerated() {
            for below in Self.arrows[room, default: []] where Self.arrows[below] != nil {
                #expect(order.firstIndex(of: below)! < place, "\(room) imports \(below), which stands above it")
            }
        }
    }

    @Test func `link no Foundation`() {
        for source in Self.sources {
            let banned = Self.imports(source.text).filter { $0.hasPrefix("Foundation") || $0 == "Dispatch" }
            #expect(banned.isEmpty, "\(source.path) imports \(banned.joined(separator: ", ")): 57 MB of ICU, and too slow for the loops")
        }
    }

    @Test func `open each C library in one room`() {
        var opened: [String: Set<String>] = [:]
        for source in Self.sources {
            for library in Self.imports(source.text) where library.hasPrefix("C") && library.dropFirst().first?.isUppercase == true {
                // `Configuration` and `Commands` are no C libraries.
                if Self.arrows[library] == nil { opened[library, default: []].insert(source.room) }
            }
        }
        #expect(opened.count >= 7)
        for (library, rooms) in opened { #expect(rooms.count == 1, "\(library) is opened by \(rooms.sorted().joined(separator: " and "))") }
    }

    /// The files that handle raw pointers. A new one is a decision: `RECORD=1` writes the list anew, and the diff is the review.
    @Test func `handle pointers only inside the fence`() throws {
        let list = Self.sources.filter { $0.text.range(of: "Unsafe(Mutable|Raw|Buffer|Pointer)", options: .regularExpression) != nil }.map(\.path)
        let file = Self.root.appending(path: "Tests/TidyTests/Fixtures/fence.txt")
        if ProcessInfo.processInfo.environment["RECORD"] != nil {
            try (list.joined(separator: "\n") + "\n").write(to: file, atomically: true, encoding: .utf8)
        }
        let fence = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map(String.init)
        #expect(list == fence)
    }

    /// Attribute names are in one list, and what is emitted is in it: a name that is spelled out anywhere else is not.
    @Test func `spell attributes only in the list of what is emitted`() {
        let lists = ["Sources/Tracing/Attribute.swift", "Sources/Tracing/Metric.swift", "Sources/Tracing/TelemetryPage.swift"]
        // The key of a baggage member that callers send is no attribute of ours.
        let others = [#"withValue(of: "gen_ai.agent.name")"#]
        for source in Self.sources where !lists.contains(source.path) && source.room != "Demo" {
            for line in source.text.split(separator: "\n") where !others.contains(where: { line.contains($0) }) {
                let spelled = line.range(of: #""(gen_ai|hopspan|llm\.cost|openai\.(api|request|response)|http\.(request|response))\.[a-z_.]+""#, options: .regularExpression)
                let isFileName = line.contains("hopspan.yaml") || line.contains("hopspan.db")
                let isComment = line.trimmingCharacters(in: .whitespaces).hasPrefix("//")
                #expect(spelled == nil || isFileName || isComment, "\(source.path): \(line.trimmingCharacters(in: .whitespaces))")
            }
        }
    }

    /// Each attribute is set where something is known of it; what only later hops will have is said to be so (`isForLater`), and left out of
    /// what is documented as emitted.
    @Test func `set every attribute that is documented`() {
        let attributes = Self.read("Sources/Tracing/Attribute.swift").components(separatedBy: "/// The name on the wire")[0].split(separator: "\n")
            .map { $0.trimmingCharacters(in: .whitespaces) }.filter { $0.hasPrefix("case ") }
            .flatMap { $0.dropFirst(5).split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) } }
        #expect(attributes.count > 60, "the list could not be read")
        let later = Self.read("Sources/Tracing/Attribute+Documentation.swift").components(separatedBy: "var isForLater")[1].components(separatedBy: "default")[0]
        for attribute in attributes {
            let isSet = Self.sources.filter {
                // The runs' ledger copies what hops say to the run's root.
                $0.room != "Tracing" && $0.path != "Sources/Runs/Ledger/RunRoot.swift"
                    && $0.text.range(of: "(set|beginList|append)\\(+(Attribute)?\\.\(attribute)\\b", options: .regularExpression) != nil
            }
            let ofRoots = Self.read("Sources/Runs/Ledger/RunRoot.swift").contains("set(.\(attribute), totals.") || attribute == "runCostUSD"
            let isForLater = later.range(of: "\\.\(attribute)\\b", options: .regularExpression) != nil
            #expect(!(isSet.isEmpty && !ofRoots) != isForLater, "\(attribute): set in \(isSet.map(\.path)), \(isForLater ? "" : "not ")marked for later")
        }
    }

    /// The names of spans in `otel/telemetry.md`, and those of the exchanges that the gateway's tests tell.
    @Test func `name spans as documented`() throws {
        let rows = Self.read("otel/telemetry.md").components(separatedBy: "## Attributes")[0].split(separator: "\n").filter { $0.hasPrefix("| `") && $0.contains("| CLIENT |") }
        let names = rows.flatMap { row in row.split(separator: "|")[0].split(separator: ",").map { $0.trimmingCharacters(in: CharacterSet(charactersIn: " `")) } }
        #expect(names.count >= 8, "the table could not be read")
        let forms = ["{METHOD}": "(GET|HEAD|POST|PUT|DELETE|PATCH|OPTIONS|TRACE|_OTHER)", "{method}": "[a-z]+(/[a-z_/]+)?", "{operation}": "([A-Z][a-z]+)+", " {model}": "( \\S+)?"]
        var unseen = Set(names)
        for file in Self.files(in: "Tests/GatewayTests/Fixtures") where file.hasSuffix(".exchange") {
            let spans = Self.read(file).components(separatedBy: "\n----- spans\n").last!.split(separator: "\n").filter { !$0.hasPrefix(" ") }
            for span in spans {
                let name = span.components(separatedBy: " ERROR")[0].replacing(/\ ok$/, with: "")
                let fitting = names.filter { row in
                    var pattern = row
                    for (placeholder, form) in forms { pattern = pattern.replacingOccurrences(of: placeholder, with: form) }
                    pattern = pattern.replacingOccurrences(of: "\\{[a-z]+\\}", with: "[^ /]+", options: .regularExpression)
                    return name.range(of: "^\(pattern)$", options: .regularExpression) != nil
                }
                #expect(!fitting.isEmpty, "\(file): no row of otel/telemetry.md has \(name)")
                unseen.subtract(fitting)
            }
        }
        #expect(unseen.isSubset(of: ["prompts/get {prompt}"]), "no exchange shows \(unseen)")
    }

    @Test func `leave nothing for later unsaid`() {
        for source in Self.sources {
            for mark in ["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK", "SCAF" + "FOLD"] { #expect(!source.text.contains(mark), "\(source.path) has a \(mark)") }
        }
        #expect(!Self.read("Package.swift").contains("SCAF" + "FOLD"))
    }

    @Test func `stand in rooms called by what they are`() {
        let folders = Set(Self.sources.map { $0.path.split(separator: "/").dropLast() }.flatMap { $0 }.map { $0.lowercased() })
        for name in ["utils", "utilities", "helpers", "common", "misc"] { #expect(!folders.contains(name)) }
    }

    @Test func `name no path of one machine`() {
        for path in Self.files(in: "Sources") + Self.files(in: "Tests") + Self.files(in: "otel") where ["swift", "md", "sh", "py", "yaml", "h", "c"].contains(where: { path.hasSuffix("." + $0) }) {
            let found = Self.read(path).range(of: "(^|[^A-Za-z0-9_.])/(wo" + "rk|ro" + "ot|ho" + "me)/[A-Za-z.]", options: .regularExpression)
            #expect(found == nil, "\(path)")
        }
    }
}
