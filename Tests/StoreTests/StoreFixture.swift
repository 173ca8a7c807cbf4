import Foundation
import Runs
import Synchronization
import Tracing

@testable import Store

/// A store in a folder of its own that goes with it, at a time that the test sets.
final class StoreFixture: Sendable {
    let folder: URL
    let path: String
    /// Unix nanoseconds, and monotonic ones.
    private let time = TestTime()
    var now: UInt64 {
        get { time.wall.load(ordering: .relaxed) }
        set { time.wall.store(newValue, ordering: .relaxed) }
    }
    private let open = Synchronization.Mutex<(store: Store, queue: SpanQueue)?>(nil)
    let closedRuns = Seen<RunKey>()

    init(inMemory: Bool = false) {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("hopspan-store-\(UUID().uuidString)")
        try! FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        path = inMemory ? ":memory:" : folder.appendingPathComponent("hopspan.db").path
    }

    deinit {
        open.withLock { $0?.store.close() }
        try? FileManager.default.removeItem(at: folder)
    }

    /// Longer than a busy machine takes for a test: besides what a test lets pass, the real time does.
    static let runIdle: Duration = .seconds(1_800)

    var options: Store.Options {
        var options = Store.Options(path: path)
        options.gather = .milliseconds(1)
        options.runIdle = Self.runIdle
        return options
    }

    /// Opens the store and starts its thread.
    @discardableResult
    func start(_ options: Store.Options? = nil, queueLimit: Int = 32 << 20) throws -> Store {
        let store = try Store(options ?? self.options, clock: time.clock, onRunClosed: { [closedRuns] key in closedRuns.add(key) })
        let queue = store.makeQueue(limit: queueLimit)
        store.start()
        open.withLock { $0 = (store, queue) }
        return store
    }

    /// Lets time pass, for the calendar and for the runs.
    func advance(seconds: UInt64) {
        time.wall.add(seconds * 1_000_000_000, ordering: .relaxed)
        time.passed.add(seconds * 1_000_000_000, ordering: .relaxed)
    }

    var store: Store { open.withLock { $0!.store } }
    var queue: SpanQueue { open.withLock { $0!.queue } }

    func record(_ hops: [Hop]) {
        var draft = SpanDraft()
        for hop in hops {
            hop.draw(into: &draft, at: now)
            queue.record(draft)
        }
    }

    /// Records and waits until it is written.
    func write(_ hops: [Hop]) async throws {
        record(hops)
        try await flush()
    }

    func write(_ hop: Hop) async throws { try await write([hop]) }

    func flush() async throws { try await result { store.flush(completion: $0) } }

    func stop() {
        open.withLock { open in
            open?.store.close()
            open = nil
        }
    }

    func result<Value: Sendable>(_ body: (@escaping @Sendable (Result<Value, StoreError>) -> Void) -> Void) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            body { continuation.resume(with: $0.mapError { $0 as any Error }) }
        }
    }

    /// Does something with the writing connection, on the store's thread.
    func onThread(_ body: @escaping @Sendable (StoreWriter) throws(StoreError) -> Void) async throws {
        try await result { store.withWriter(body, completion: $0) }
    }

    /// The files as a killed process would leave them: what has been handed to the kernel, and no more.
    func copyAsKilled() throws -> StoreFixture {
        let copy = StoreFixture()
        for suffix in ["", "-wal"] where FileManager.default.fileExists(atPath: path + suffix) {
            try FileManager.default.copyItem(atPath: path + suffix, toPath: copy.path + suffix)
        }
        copy.now = now
        return copy
    }
}

/// The calendar stands still until a test moves it; monotonic time runs, because the thread sleeps by it, and jumps with `passed`.
final class TestTime: Sendable {
    let wall = Atomic<UInt64>(1_800_000_000_000_000_000)
    let passed = Atomic<UInt64>(0)

    var clock: StoreClock {
        StoreClock(
            wall: { self.wall.load(ordering: .relaxed) },
            monotonic: { StoreClock.system.monotonic() + self.passed.load(ordering: .relaxed) })
    }
}

/// What a callback has been called with.
final class Seen<Element: Sendable>: Sendable {
    private let elements = Synchronization.Mutex<[Element]>([])
    func add(_ element: Element) { elements.withLock { $0.append(element) } }
    var all: [Element] { elements.withLock { $0 } }
}

/// A hop as a test describes it: the fields that matter to the test, the rest as of a good model call.
struct Hop: Sendable {
    var kind = HopKind.llm
    var trace = TraceID(high: 1, low: 1)
    var span: UInt64 = 1
    var parent: UInt64 = 0
    /// Nil: the run is its trace.
    var runName: String?
    /// Sets names apart, as workspaces do.
    var scope: UInt64 = 0
    var root: UInt64 = 0
    /// Nanoseconds after the fixture's now.
    var start: Int64 = 0
    var milliseconds: Int64 = 1
    var tokens: (input: Int64, output: Int64)? = (10, 5)
    var cost: String? = "0.001"
    var isError = false
    var linkedBy = LinkedBy.traceparent
    var operation = "chat"
    var agent: String?
    var model: String? = "gpt-4o"
    var responseModel: String?
    var provider = "openai"
    var tool: String?
    var asksFor: [String] = []
    var workspace: String?
    var isSampled = true
    var content = ""

    var key: RunKey {
        guard let runName else { return RunKey(trace) }
        return RunKey(high: scope, low: runName.utf8.reduce(7) { $0 &* 31 &+ UInt64($1) })
    }

    func draw(into draft: inout SpanDraft, at now: UInt64) {
        draft.reset()
        draft.record.traceID = trace
        draft.record.span = span
        draft.record.parent = parent
        draft.record.run = key
        draft.record.runRoot = root
        draft.record.startTime = UInt64(Int64(now) + start)
        draft.record.endTime = draft.record.startTime + UInt64(milliseconds * 1_000_000)
        draft.record.hopKind = kind.rawValue
        draft.record.linkedBy = linkedBy.rawValue
        draft.record.isError = isError
        draft.record.runIsNamed = runName != nil
        draft.record.flags = isSampled ? TraceFlags.sampled.rawValue : 0
        if let tokens { (draft.record.tokens.input, draft.record.tokens.output) = tokens }
        if let cost, let usd = USD(cost) {
            draft.record.cost = usd
            draft.record.costSource = CostSource.catalogue.rawValue
        }
        draft.setName("\(operation) \(model ?? tool ?? provider)")
        draft.set(.operationName, operation)
        if let runName { draft.set(.runID, runName) }
        if let agent { draft.set(.agentName, agent) }
        if let model { draft.set(.requestModel, model) }
        if let responseModel { draft.set(.responseModel, responseModel) }
        draft.set(.providerName, provider)
        if let tool { draft.set(.toolName, tool) }
        if let workspace { draft.set(.workspace, workspace) }
        if !content.isEmpty { draft.set(.inputMessages, content) }
        if !asksFor.isEmpty {
            draft.beginList(.toolCallNames)
            for name in asksFor { draft.appendElement(name) }
            draft.endList()
        }
    }
}

extension TraceID {
    /// The ids of tests: spread, so that nothing is sorted by accident.
    static func test(_ number: Int) -> TraceID {
        TraceID(high: UInt64(number) &* 0x9E37_79B9_7F4A_7C15, low: UInt64(number) &+ 1)
    }
}

extension String {
    /// Text that does not get smaller, or not much: base-64 digits without a pattern.
    static func noise(_ count: Int, seed: UInt64 = 0) -> String {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var state = UInt64(count) &+ seed &* 0x9E37_79B9_7F4A_7C15
        let text = (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return digits[Int(state >> 58)]
        }
        return String(decoding: text, as: UTF8.self)
    }
}
