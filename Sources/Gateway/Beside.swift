import EventLoop
import HTTP
import LLM

// Work that grows with a body's size and cannot be interrupted in the middle (a reader of JSON goes where the text leads) is done on a
// thread beside the loop, one a loop. The exchange it belongs to waits; all others go on. What is small is done on the loop, where it
// costs no hand-over.
extension Worker {
    /// Bytes of JSON that are read in a turn of the loop: half a millisecond's work where all is small numbers in small lists and
    /// content is recorded, a tenth of that as a rule.
    static let readAtOnce = 128 << 10

    /// Reads a request.
    @inline(never)
    func understandBeside(_ exchange: Exchange, _ api: API, _ upstream: Upstream) async {
        let content = settings.content
        await beside { exchange.understand(api, upstream, content: content) }
    }

    /// Reads a message.
    @inline(never)
    func readMessageBeside(_ exchange: Exchange, _ upstream: Upstream) async {
        let content = settings.content
        await beside { exchange.readMessage(upstream, content: content) }
    }

    /// Makes what changes in it.
    @inline(never)
    func editMessageBeside(_ exchange: Exchange) async { await beside { exchange.editMessage() } }

    /// Reads the answer that has been collected.
    @inline(never)
    func endAnswerBeside(_ exchange: Exchange) async {
        let clock = clock
        await beside { exchange.answerEnded(clock) }
    }

    /// Edits an answer that has been taken whole.
    @inline(never)
    func editBodyBeside(_ exchange: Exchange) async {
        let clock = clock
        await beside { exchange.editBody(clock) }
    }

    /// Edits what completes a large event.
    @inline(never)
    func filterBeside(_ exchange: Exchange, _ input: InputBuffer, _ count: Int) async {
        let clock = clock
        await beside { exchange.filter(input.bytes.extracting(first: count), clock) }
    }

    /// Does all that is long about an exchange's end: reads what there is of an answer, makes attributes of what was recorded.
    @inline(never)
    func endBeside(_ exchange: Exchange) async {
        exchange.isOver(clock)
        await beside { exchange.readRest() }
    }

    /// Does `work`, which touches nothing but one exchange and constants, on the other thread.
    private func beside(_ work: @escaping () -> Void) async {
        // Sound: nobody else touches what the closure touches until this returns, and each thread sees what the other has written, because
        // both tasks come through a loop's queue.
        nonisolated(unsafe) let work = work
        let reader = reader
        await suspend { (done: Resumption<Void>) in
            Task(executorPreference: reader) {
                unsafe work()
                done.resume()
            }
        }
    }

    /// Empties a buffer. To give the memory of a large body back takes the kernel milliseconds, too.
    @inline(__always)
    func clear(_ buffer: OutputBuffer) {
        if buffer.capacity <= Self.clearedAtOnce { buffer.removeAll() } else { clearBeside(buffer) }
    }

    static let clearedAtOnce = 1 << 20

    @inline(never)
    private func clearBeside(_ buffer: OutputBuffer) {
        // Sound: nobody else has it.
        nonisolated(unsafe) let memory = buffer.giveUp()
        Task(executorPreference: reader) { unsafe memory.removeAll() }
    }
}
