import Testing
import EventLoop
import HTTP
import OTLP
import Synchronization
import Tracing

@testable import QueryAPI
@testable import Store

/// A store with known runs, at a time that stands still, and an api over it.
final class Seed: Sendable {
    /// 2027-01-15T08:00:00Z
    static let now: UInt64 = 1_800_000_000_000_000_000

    let store: Store
    let responder: Responder
    let readers: ReaderThreads
    private let health: ReaderThreads
    private let queue: SpanQueue

    init(_ settings: QueryAPISettings? = nil, _ change: (inout Surroundings) -> Void = { _ in }) throws {
        var options = Store.Options(path: ":memory:")
        options.gather = .milliseconds(1)
        store = try Store(options, clock: StoreClock(wall: { Self.now }, monotonic: { StoreClock.system.monotonic() }))
        queue = store.makeQueue()
        store.start()
        readers = ReaderThreads(store)
        health = ReaderThreads(store, threads: 1)
        var surroundings = Surroundings(version: "1.2.3", startedAt: Self.now - 90_061_000_000_000)
        surroundings.configuration = { #"{"gateway":{"listen":"127.0.0.1:8700"}}"# }
        change(&surroundings)
        responder = Responder(settings ?? Self.settings, surroundings, store, readers, health)
    }

    static var settings: QueryAPISettings {
        let resource = [KeyValue("service.name", .string("hopspan"))]
        var settings = QueryAPISettings(source: SpanSource(resource: resource, scopeName: "hopspan", scopeVersion: "1.2.3"))
        settings.clock = .manual(ManualTime(start: now, step: 0))
        return settings
    }

    deinit {
        readers.close()
        health.close()
        store.close()
    }

    func write(_ hops: [Hop]) async throws {
        var draft = SpanDraft()
        for hop in hops {
            hop.draw(into: &draft)
            let isTaken = queue.record(draft)
            #expect(isTaken)
        }
        let store = store
        let written: Result<Void, StoreError> = await withCheckedContinuation { done in store.flush { done.resume(returning: $0) } }
        try written.get()
    }

    // MARK: asking

    func get(_ target: String, _ fields: [HTTPField] = []) async -> HTTPResponse { await ask(.get, target, fields) }

    func ask(_ method: HTTP.Method, _ target: String, _ fields: [HTTPField] = []) async -> HTTPResponse {
        let parts = target.split(separator: "?", maxSplits: 1).map(String.init)
        let fields = fields.contains { $0.name == "host" } ? fields : [HTTPField("host", "127.0.0.1:8701")] + fields
        return await responder.answer(HTTPRequest(method, parts[0], query: parts.count > 1 ? parts[1] : nil, fields: fields))
    }
}

/// A hop as the gateway would have recorded it.
struct Hop: Sendable {
    var kind = HopKind.llm
    var trace = TraceID(high: 0xAAAA, low: 1)
    var span: UInt64 = 1
    var parent: UInt64 = 0
    /// Nil: the run is its trace.
    var runName: String?
    /// Whose name it is.
    var scope: UInt64 = 7
    /// The run's own root, where the gateway makes it.
    var root: UInt64 = 0
    /// Nanoseconds before `Seed.now`.
    var ago: UInt64 = 3_600_000_000_000
    var nanoseconds: UInt64 = 1_234_567_890
    var tokens: TokenCounts?
    var cost: String?
    var error: String?
    var linkedBy = LinkedBy.traceparent
    var provider = "openai"
    var model: String?
    var agent: String?
    var workspace: String?
    var asksFor: [String] = []
    var finish: String?
    var ttft: Int64 = -1

    /// A good model call.
    static func chat(_ model: String, provider: String = "openai", _ input: Int64, _ output: Int64, cost: String?) -> Hop {
        var hop = Hop()
        hop.model = model
        hop.provider = provider
        var tokens = TokenCounts()
        (tokens.input, tokens.output) = (input, output)
        hop.tokens = tokens
        hop.cost = cost
        hop.finish = "stop"
        hop.ttft = 320_500_000
        return hop
    }

    func with(_ change: (inout Hop) -> Void) -> Hop {
        var hop = self
        change(&hop)
        return hop
    }

    func draw(into draft: inout SpanDraft) {
        draft.reset()
        draft.record.traceID = trace
        draft.record.span = span
        draft.record.parent = parent
        draft.record.parentIsRemote = root == 0
        draft.record.run = runName.map { name in RunKey(high: scope, low: name.utf8.reduce(7) { $0 &* 31 &+ UInt64($1) }) } ?? RunKey(trace)
        draft.record.runIsNamed = runName != nil
        draft.record.runRoot = root
        draft.record.startTime = Seed.now - ago
        draft.record.endTime = Seed.now - ago + nanoseconds
        draft.record.hopKind = kind.rawValue
        draft.record.linkedBy = linkedBy.rawValue
        draft.record.flags = TraceFlags.sampled.rawValue
        draft.record.timeToFirstContent = ttft
        if let tokens { draft.record.tokens = tokens }
        if let cost {
            draft.record.cost = USD(cost)
            draft.record.costSource = CostSource.catalogue.rawValue
            draft.set(.costPrice, #"{"provider":"\#(provider)","model":"\#(model ?? "")","input":"2.5","output":"10"}"#)
        }
        draft.setName(kind == .llm ? "chat \(model ?? "")" : "POST \(provider)")
        if kind == .llm { draft.set(.operationName, "chat") }
        draft.set(.providerName, provider)
        if let model { draft.set(.requestModel, model) }
        if let model, error == nil { draft.set(.responseModel, model + "-2024-08-06") }
        if let agent { draft.set(.agentName, agent) }
        if let workspace { draft.set(.workspace, workspace) }
        if let runName { draft.set(.runID, runName) }
        draft.set(.httpResponseStatusCode, error == "429" ? 429 : 200)
        if let error {
            draft.record.isError = true
            draft.record.wasTurnedAway = Int(error) != nil
            draft.set(.errorType, error)
        }
        if let finish {
            draft.beginList(.responseFinishReasons)
            draft.appendElement(finish)
            draft.endList()
        }
        if !asksFor.isEmpty {
            draft.beginList(.toolCallNames)
            for name in asksFor { draft.appendElement(name) }
            draft.endList()
        }
    }
}

/// Runs of every kind, oldest first.
enum Scenario {
    static let callersTrace = TraceID(high: 0x4BF9_2F35_77B3_4DA6, low: 0xA3CE_929D_0E0E_4736)
    static let ownTrace = TraceID(high: 0x1111_1111_1111_1111, low: 0x2222_2222_2222_2222)
    static let openTrace = TraceID(high: 0x3333_3333_3333_3333, low: 0x4444_4444_4444_4444)
    static let minute: UInt64 = 60_000_000_000

    /// Two hops under one span of the caller's, with a cut stream and a provider path that is not understood.
    static let callers = [
        Hop.chat("gpt-4o", 1000, 200, cost: "0.0045").with { $0.asksFor = ["get_weather"]; $0.finish = "tool_calls"; $0.tokens?.cacheRead = 400 },
        Hop.chat("claude-sonnet-4-5", provider: "anthropic", 1500, 12, cost: nil).with {
            ($0.span, $0.ago, $0.error, $0.finish, $0.tokens) = (2, 119 * minute, "stream_cut", nil, nil)
        },
        Hop.chat("my-model", provider: "local", 50, 5, cost: nil).with { ($0.span, $0.ago, $0.ttft) = (3, 118 * minute, -1) },
        Hop().with { ($0.kind, $0.span, $0.ago, $0.nanoseconds) = (.http, 4, 117 * minute, 5_000_000) },
    ].map { hop in
        hop.with {
            $0.trace = callersTrace
            $0.parent = 0x00F0_67AA_0BA9_02B7
            if $0.span == 1 { $0.ago = 120 * minute }
            $0.agent = "planner"
        }
    }

    /// A run of the gateway's own making: its root is written when it is closed.
    static let own = [
        Hop.chat("gpt-4o", 8, 2, cost: "0.00004").with { ($0.span, $0.ago) = (0x11, 60 * minute) },
        Hop.chat("gpt-4o", 8, 2, cost: "0.00004").with { ($0.span, $0.ago, $0.error, $0.tokens, $0.cost, $0.finish) = (0x12, 59 * minute, "429", nil, nil, nil) },
    ].map { hop in hop.with { ($0.trace, $0.parent, $0.root, $0.linkedBy) = (ownTrace, 0x10, 0x10, .new) } }

    /// A run that its caller named, over two traces with different parents.
    static let named = [
        Hop.chat("gpt-4o-mini", 100, 50, cost: "0.000045").with { ($0.trace, $0.span, $0.parent, $0.ago) = (TraceID(high: 5, low: 5), 0x21, 0x99, 30 * minute) },
        Hop.chat("gpt-4o-mini", 100, 50, cost: "0.000045").with { ($0.trace, $0.span, $0.parent, $0.ago) = (TraceID(high: 6, low: 6), 0x22, 0x98, 29 * minute) },
    ].map { hop in hop.with { ($0.runName, $0.workspace, $0.agent) = ("nightly-42", "team-a", "writer") } }

    /// A run that has just begun: its root has still to be written.
    static let open = [
        Hop.chat("gpt-4o", 1, 1, cost: "0.0000125").with {
            ($0.trace, $0.span, $0.parent, $0.root, $0.ago, $0.linkedBy) = (openTrace, 0x31, 0x30, 0x30, 2_000_000_000, .new)
        }
    ]

    static func seeded() async throws -> Seed {
        let seed = try Seed()
        try await seed.write(callers + own + named)
        let answer = await seed.ask(.post, "/api/runs/\(ownTrace)/end")
        #expect(answer.status == 200)
        try await seed.write(open)
        return seed
    }
}
