import EventLoop
import Store
import Synchronization

/// The threads `query`, where the store is read: a question waits in a short queue, and its task is resumed with the answer. There are
/// two, so that one question over the whole store does not hold up all others.
///
/// A thread's reader is opened with its first question, and again after it could not be.
final class ReaderThreads: Sendable {
    private typealias Job = @Sendable (Place) -> Void

    /// What a thread has to itself.
    private final class Place {
        private let store: Store
        private var opened: StoreReader?

        init(_ store: Store) { self.store = store }

        func reader() throws(StoreError) -> StoreReader {
            if let opened { return opened }
            let reader = try store.makeReader()
            opened = reader
            return reader
        }
    }

    private struct State {
        var jobs: [Job] = []
        var isClosed = false
    }

    private let state = Mutex(State())
    private let signal = WorkSignal()
    private let threads = Mutex<[Thread.Handle]>([])

    /// Questions that may wait; more are refused.
    static let waitingAtMost = 64

    init(_ store: Store, threads count: Int = 2, named name: String = "query") {
        for _ in 0..<count {
            let handle = Thread.start(named: name) { [self] in run(Place(store)) }
            threads.withLock { $0.append(handle) }
        }
    }

    private func run(_ place: Place) {
        while true {
            signal.wait()
            let next = state.withLock { state -> (job: Job?, isClosed: Bool) in
                (state.jobs.isEmpty ? nil : state.jobs.removeFirst(), state.isClosed)
            }
            if let job = next.job { job(place) } else if next.isClosed { return }
        }
    }

    /// Answers what waits, then ends the threads. What is asked afterwards is refused.
    func close() {
        state.withLock { $0.isClosed = true }
        let all = threads.withLock { threads in
            defer { threads = [] }
            return threads
        }
        // One more signal a thread than there are questions: it finds none and ends.
        for _ in all { signal.signal() }
        for thread in all { thread.join() }
    }

    /// What `body` reads, on one of the threads.
    func read<Value: Sendable>(_ body: @escaping @Sendable (StoreReader) throws(StoreError) -> Value) async throws(Problem) -> Value {
        let result: Result<Value, StoreError> = try await perform { place in
            do throws(StoreError) {
                return .success(try body(try place.reader()))
            } catch { return .failure(error) }
        }
        switch result {
        case .success(let value): return value
        case .failure(let error): throw Problem(error)
        }
    }

    /// What `body` finds out, on one of the threads: for calls into the system that no loop makes.
    func run<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async throws(Problem) -> Value {
        try await perform { _ in body() }
    }

    private func perform<Value: Sendable>(_ body: @escaping @Sendable (Place) -> Value) async throws(Problem) -> Value {
        let value: Value? = await suspend { resumption in
            let isTaken = state.withLock { state in
                guard !state.isClosed, state.jobs.count < Self.waitingAtMost else { return false }
                state.jobs.append { place in resumption.resume(returning: body(place)) }
                return true
            }
            if isTaken { signal.signal() } else { resumption.resume(returning: nil) }
        }
        guard let value else { throw .busy }
        return value
    }
}
