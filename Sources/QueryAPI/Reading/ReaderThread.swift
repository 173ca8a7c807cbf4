import EventLoop
import Store
import Synchronization

/// The thread `query`, where the store is read: a question waits in a short queue, and its task is resumed with the answer.
///
/// The reader is opened with the first question, and again after it could not be.
final class ReaderThread: Sendable {
    private typealias Job = @Sendable (Place) -> Void

    /// What the thread has to itself.
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
    private let thread = Mutex<Thread.Handle?>(nil)

    /// Questions that may wait; more are refused.
    static let waitingAtMost = 64

    init(_ store: Store) {
        let handle = Thread.start(named: "query") { [self] in run(Place(store)) }
        thread.withLock { $0 = handle }
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

    /// Answers what waits, then ends the thread. What is asked afterwards is refused.
    func close() {
        state.withLock { $0.isClosed = true }
        signal.signal()
        thread.withLock { $0.take() }?.join()
    }

    /// What `body` reads, on the thread.
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

    /// What `body` finds out, on the thread: for calls into the system that no loop makes.
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
