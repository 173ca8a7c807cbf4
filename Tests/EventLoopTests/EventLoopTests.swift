import EventLoop
import Testing

@Suite struct `An event loop` {
    @Test func `resumes a suspended task in one job on its own thread`() throws {
        let result = try EventLoop.selfTest(suspensions: 1_000)
        #expect(result.foreignJobs <= 1)
        #expect(result.jobs >= 1_000)
        #expect(result.jobs <= 1_008)
    }
}
