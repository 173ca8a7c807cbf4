public import JSON
import Tracing

/// An answer of the api that is not what it should be: another program, or another version.
public struct UnexpectedAnswer: Error, Sendable, CustomStringConvertible {
    public let description: String

    /// - Parameter error: why the answer could not be read, where that was it.
    public init(_ error: JSONError? = nil) {
        description =
            error == .tooDeep
            ? "the run is nested too deeply to be shown; --json prints it as it is"
            : "the api's answer is not what this version expects; is HOPSPAN_API, or --api, the api of a hopspan of the same version?"
    }
}

/// A run as the api has it (design, "RunSummary"), as far as it is shown.
struct Run {
    struct Tokens {
        var input, output: Int

        init?(_ json: JSONValue?) {
            guard let input = json?["input"]?.int, let output = json?["output"]?.int else { return nil }
            (self.input, self.output) = (input, output)
        }
    }

    var id, name, startedAt, state, status: String
    var agent: String?
    var aliases: [String]
    var milliseconds: Double?
    var hops, llmCalls, toolCalls, agentCalls, errors, findingCount, unpricedHops, unmeteredHops: Int
    var tokens: Tokens?
    var cost: USD?
    var models: [String]

    init(_ json: JSONValue) throws(UnexpectedAnswer) {
        guard let id = json["run_id"]?.string, let started = json["started_at"]?.string else { throw UnexpectedAnswer() }
        self.id = id
        startedAt = started
        name = json["name"]?.string ?? id
        state = json["state"]?.string ?? ""
        status = json["status"]?.string ?? ""
        agent = json["agent"]?.string
        aliases = json.strings("aliases")
        milliseconds = json["duration_ms"]?.double
        hops = json["hops"]?.int ?? 0
        llmCalls = json["llm_calls"]?.int ?? 0
        toolCalls = json["tool_calls"]?.int ?? 0
        agentCalls = json["agent_calls"]?.int ?? 0
        errors = json["errors"]?.int ?? 0
        findingCount = json["finding_count"]?.int ?? 0
        unpricedHops = json["unpriced_hops"]?.int ?? 0
        unmeteredHops = json["unmetered_hops"]?.int ?? 0
        tokens = Tokens(json["tokens"])
        cost = json.usd("cost_usd")
        models = json.strings("models")
    }
}

/// A node of a run's tree (design, "Node"), as far as it is shown.
struct Node {
    var spanID, kind, name, status: String
    var startedAt: Timestamp?
    var milliseconds, firstTokenMilliseconds: Double?
    var errorType, provider, model: String?
    var finishReasons: [String]
    var tokens: Run.Tokens?
    var cost: USD?
    var costIsEstimated, isInferred: Bool
    /// Nodes above it.
    var depth: Int
    /// Whether nothing is below it, and whether nothing beside it comes after it.
    var isLeaf = true
    var isLast = true

    init(_ json: JSONValue, depth: Int) throws(UnexpectedAnswer) {
        guard let kind = json["kind"]?.string, let name = json["name"]?.string else { throw UnexpectedAnswer() }
        self.kind = kind
        self.name = name
        spanID = json["span_id"]?.string ?? ""
        status = json["status"]?.string ?? ""
        startedAt = json["started_at"]?.string.flatMap { Timestamp($0) }
        milliseconds = json["duration_ms"]?.double
        firstTokenMilliseconds = json["ttft_ms"]?.double
        errorType = json["error_type"]?.string
        provider = json["provider"]?.string
        model = json["response_model"]?.string ?? json["request_model"]?.string
        finishReasons = json.strings("finish_reasons")
        tokens = Run.Tokens(json["tokens"])
        cost = json.usd("cost_usd")
        costIsEstimated = json["cost_source"]?.string == "estimated"
        isInferred = json["timing"]?.string == "inferred"
        self.depth = depth
    }

    /// Those of an answer, in its order.
    static func all(_ answer: RunAnswer) throws(UnexpectedAnswer) -> [Node] {
        var nodes: [Node] = []
        for (depth, json) in answer.nodes { nodes.append(try Node(json, depth: depth)) }
        // By depth, whether a later node stands beside those that come now.
        var isFollowed: [Bool] = []
        for place in nodes.indices.reversed() {
            let depth = nodes[place].depth
            nodes[place].isLeaf = isFollowed.count <= depth + 1
            while isFollowed.count <= depth { isFollowed.append(false) }
            isFollowed.removeLast(isFollowed.count - depth - 1)
            nodes[place].isLast = !isFollowed[depth]
            isFollowed[depth] = true
        }
        return nodes
    }
}

/// Something a run's analysis says (design, "Finding").
struct Finding {
    var type, severity, spanID, summary: String
    var readers: Int
    var costAfter: USD?

    init?(_ json: JSONValue?) {
        guard let json, let type = json["type"]?.string else { return nil }
        self.type = type
        severity = json["severity"]?.string ?? ""
        spanID = json["span_id"]?.string ?? ""
        summary = json["summary"]?.string ?? ""
        readers = json["consumed_by"]?.elements?.count ?? 0
        costAfter = json.usd("cost_after_usd")
    }
}

extension JSONValue {
    func strings(_ name: String) -> [String] { self[name]?.elements?.compactMap(\.string) ?? [] }

    /// A decimal string; nil where it is null, or none.
    func usd(_ name: String) -> USD? { self[name]?.string.flatMap { USD($0) } }
}
