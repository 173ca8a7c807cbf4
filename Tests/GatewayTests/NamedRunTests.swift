import Testing
import Tracing

@testable import Gateway

@Suite struct `The trace of a named run` {
    private let runs = NamedRuns()
    private let trace = TraceID(high: 1, low: 2)

    /// A hop of the run, in a trace.
    private func enter(_ run: UInt64, _ name: String, in trace: TraceID) {
        let bytes = Array(name.utf8)
        _ = unsafe runs.enter(RunKey(high: 0, low: run), named: bytes.span.bytes) {
            .init(trace: trace, parent: SpanID(3), rootIsOurs: false, flags: [])
        }
    }

    private func name(of trace: TraceID) -> String? { runs.run(of: trace).map { String(decoding: $0.name, as: UTF8.self) } }

    @Test func `leads a hop without a name to its run, as long as that is open`() {
        #expect(name(of: trace) == nil)
        enter(7, "nightly", in: trace)
        enter(7, "nightly", in: trace)
        #expect(name(of: trace) == "nightly")
        #expect(runs.run(of: trace)?.run == RunKey(high: 0, low: 7))
        #expect(name(of: TraceID(high: 1, low: 10)) == nil, "another trace")
        runs.forget(RunKey(high: 0, low: 7))
        #expect(name(of: trace) == nil)
    }

    @Test func `leads nowhere where two runs are in it`() {
        enter(7, "first", in: trace)
        enter(15, "second", in: trace)
        #expect(name(of: trace) == nil)
    }
}
