import Testing
import Tracing

@Suite struct `An id generator` {
    @Test func `follows xoshiro256**`() {
        // The reference implementation's first outputs for the state (1, 2, 3, 4).
        var ids = IDGenerator(seed: (1, 2, 3, 4))
        #expect(ids.traceID() == TraceID(high: 11520, low: 0))
        #expect(ids.traceID() == TraceID(high: 1_509_978_240, low: 1_215_971_899_390_074_240))
    }

    @Test func `makes valid ids from any seed, and never one twice`() {
        for seed in [(0, 0, 0, 0), (1, 2, 3, 4), (.max, .max, .max, .max)] as [(UInt64, UInt64, UInt64, UInt64)] {
            var ids = IDGenerator(seed: seed)
            var traces: Set<TraceID> = []
            var spans: Set<SpanID> = []
            for _ in 0..<10_000 {
                let (trace, span) = (ids.traceID(), ids.spanID())
                #expect(trace.isValid && span.isValid)
                traces.insert(trace)
                spans.insert(span)
            }
            #expect(traces.count == 10_000 && spans.count == 10_000)
        }
    }

    @Test func `makes the same ids from the same seed`() {
        var one = IDGenerator(seed: (9, 8, 7, 6))
        var other = IDGenerator(seed: (9, 8, 7, 6))
        for _ in 0..<100 { #expect(one.traceID() == other.traceID()) }
    }
}
