/// One reading of file and environment: what it may look at, and the mistakes it has found so far.
///
/// Lives for one call of `Configuration.load`, on the caller's thread.
final class Reading {
    let file: String
    let environment: [String: String]
    let providers: KnownProviders?
    private let readFile: (String) -> [UInt8]?
    private(set) var mistakes: [Mistake] = []
    private(set) var warnings: [Mistake] = []
    /// `OTEL_BSP_SCHEDULE_DELAY`, for destinations that name no delay of their own.
    var batchDelay = OpenTelemetry().batch.delay
    /// `OTEL_BSP_EXPORT_TIMEOUT`, for destinations that name no time-out of their own.
    var exportTimeout = OpenTelemetry().batch.exportTimeout

    init(file: String, environment: [String: String], providers: KnownProviders?, readFile: @escaping (String) -> [UInt8]?) {
        self.file = file
        self.environment = environment
        self.providers = providers
        self.readFile = readFile
    }

    func mistake(_ mark: Mark, _ place: Place, _ problem: String, _ expected: String? = nil) {
        mistakes.append(Mistake(position: position(mark), key: place.text, problem: problem, expected: expected))
    }

    func warn(_ mark: Mark, _ place: Place, _ problem: String, _ expected: String? = nil) {
        warnings.append(Mistake(position: position(mark), key: place.text, problem: problem, expected: expected))
    }

    /// A mistake in the environment. The variable's value is not part of the message unless the caller puts it there.
    func mistake(variable: String, _ problem: String, _ expected: String? = nil) {
        mistakes.append(Mistake(position: nil, key: variable, problem: problem, expected: expected))
    }

    func warn(variable: String, _ problem: String, _ expected: String? = nil) {
        warnings.append(Mistake(position: nil, key: variable, problem: problem, expected: expected))
    }

    /// In the order of the file; those of the environment last.
    func sorted(_ found: [Mistake]) -> [Mistake] {
        let inFile = found.filter { $0.position != nil }.enumerated().sorted {
            let (left, right) = ($0.element.position!, $1.element.position!)
            return (left.line, left.column, $0.offset) < (right.line, right.column, $1.offset)
        }
        return inFile.map(\.element) + found.filter { $0.position == nil }
    }

    private func position(_ mark: Mark) -> Mistake.Position {
        Mistake.Position(file: file, line: mark.line, column: mark.column)
    }

    /// An environment variable; empty counts as not set (OpenTelemetry, Environment Variable Specification, Parsing empty value).
    func variable(_ name: String) -> String? {
        guard let value = environment[name], !value.isEmpty else { return nil }
        return value
    }

    /// A path written in the file means the file's own folder, not the working directory.
    func resolved(_ path: String) -> String {
        guard !path.hasPrefix("/"), let slash = file.lastIndex(of: "/") else { return path }
        return file[...slash] + path
    }

    /// The contents of a file; nil when it cannot be read.
    func contents(of path: String) -> [UInt8]? { readFile(path) }

    // MARK: what kind of node

    /// The text of a scalar; nil after noting what was found instead.
    func scalar(_ node: Node, _ place: Place, _ expected: String) -> String? {
        switch node.content {
        case .refused: return nil
        case .scalar(let text, _) where !node.isNull: return text
        case .scalar: mistake(node.mark, place, "no value", expected)
        case .sequence: mistake(node.mark, place, "a list", expected)
        case .mapping: mistake(node.mark, place, "a mapping", expected)
        }
        return nil
    }

    /// The items of a list; an empty place is an empty list.
    func items(_ node: Node, _ place: Place, _ expected: String) -> [Node]? {
        switch node.content {
        case .refused: return nil
        case .sequence(let items): return items
        case .scalar where node.isNull: return []
        case .scalar: mistake(node.mark, place, "a single value", expected)
        case .mapping: mistake(node.mark, place, "a mapping", expected)
        }
        return nil
    }

    /// The entries of a mapping; an empty place is an empty mapping.
    func entries(_ node: Node, _ place: Place, _ expected: String) -> [Node.Entry]? {
        switch node.content {
        case .refused: return nil
        case .mapping(let entries): return entries
        case .scalar where node.isNull: return []
        case .scalar: mistake(node.mark, place, "a single value", expected)
        case .sequence: mistake(node.mark, place, "a list", expected)
        }
        return nil
    }
}

/// A key's path, for messages and for the table of what this build does not act on.
struct Place: Sendable, Hashable {
    /// `providers.openai.base_url`, `telemetry.otlp[1].endpoint`.
    let text: String
    /// The same for every name and index: `providers.*.base_url`, `telemetry.otlp.endpoint`.
    let pattern: String

    static let root = Place(text: "", pattern: "")

    func key(_ name: String) -> Place { Place(text: join(text, shown(name)), pattern: join(pattern, name)) }
    func name(_ name: String) -> Place { Place(text: join(text, shown(name)), pattern: join(pattern, "*")) }
    func item(_ index: Int) -> Place { Place(text: "\(text)[\(index)]", pattern: pattern) }

    private func join(_ path: String, _ name: String) -> String { path.isEmpty ? name : path + "." + name }

    /// A name that would blur the path, or the message, goes in quotes.
    private func shown(_ name: String) -> String {
        let plain = name.unicodeScalars.count <= 60 && !name.isEmpty && name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
            default: "_-/:@".utf8.contains(byte)
            }
        }
        return plain ? name : quoted(name)
    }
}
