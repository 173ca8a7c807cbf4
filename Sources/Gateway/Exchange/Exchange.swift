import EventLoop
import Content
import HTTP
import JSONRPC
import LLM
import MCP
import Synchronization
import Tracing

/// One request, its answer and its span, while they last. Lent to each step of `Worker.serve`, with a verb for each thing that
/// happens; what a verb learns becomes part of the span at once. Reused by the loop for exchange after exchange, so that a request
/// costs no allocation in steady state.
final class Exchange {
    let request = MessageHead()
    let answer = MessageHead()
    /// Heads being written.
    let output = OutputBuffer()
    /// The request's body where it is read whole; afterwards what is left of an answer when something is hidden from it.
    let body = OutputBuffer()
    let call = LLMCall()
    /// The answer's body is read on its way.
    private(set) var isObserved = false
    private var isInflating = false
    /// Content is recorded.
    private var recordsContent = false
    private var callEnded = false
    /// The caller was sent the end of the stream, or the error that is one; what is missing is at most the end of its framing.
    private var callerHasAll = false
    /// Monotonic nanoseconds by which all must be over; `.max` for never.
    private(set) var totalDeadline = UInt64.max
    /// Bytes of bodies passed on since others had a turn.
    var moved = 0
    var span = SpanDraft(capacity: 1024)
    var traceState = TraceState()
    var baggage = Baggage()
    var inflater = Inflater(limits: .init(bytes: 64 << 20))

    /// What goes upstream and what the caller is told: our span in its trace.
    private(set) var context = TraceContext(traceID: .init(high: 0, low: 0), spanID: .init(0), flags: []) {
        didSet { contextText = context.traceparent }
    }
    /// The same as a `traceparent`: what goes upstream, and what `traceresponse` says.
    private(set) var contextText = [55 of UInt8](repeating: 0x30)
    private(set) var api: API?
    /// The MCP message that the request is; `message` of another exchange is to be used again.
    private(set) var message: MCPCall?
    private(set) var isMessage = false
    private var messageRequest = Result<MCPRequest?, JSONRPCError>.success(nil)
    /// What changes in it.
    private(set) var messageEdit: MessageEdit?
    /// When the request had its answer although its stream goes on; monotonic nanoseconds, 0 not yet.
    private var messageAnsweredAt: UInt64 = 0
    private var sessionIsDescribed = false
    /// The answer is a stream that a client of an MCP server listens on: it may be silent for long.
    private(set) var isListening = false
    /// The run's name where the caller gave one.
    private(set) var runName: [UInt8] = []
    /// The trace of the named run's place, from `open` to `leaveRun`.
    private var enteredTrace: TraceID?
    private(set) var answerStarted = false
    private(set) var failure: GatewayError?
    /// Monotonic nanoseconds.
    private(set) var openedAt: UInt64 = 0
    /// Monotonic nanoseconds; 0 until it is over.
    /// The same; 0 until it is over.
    private var endedAt: UInt64 = 0
    /// Monotonic nanoseconds; 0 until the request has gone out.
    private(set) var sentAt: UInt64 = 0
    /// What had been decoded when this turn of the loop began.
    private var decodedBefore = 0
    /// Where a URL's query is written without its values.
    let redacted = OutputBuffer(capacity: 64)
    /// The span has its `url.full`.
    var urlIsDescribed = false
    private var isPlaced = false
    private var bodyStreamed = false
    /// Something of an answer has come: whoever sent it has the request.
    private(set) var answerHasBegun = false

    /// Forgets the last exchange, and gives back what that one needed more memory for than most do. The request's head is read afterwards.
    func reset() {
        span.reset()
        call.reset()
        body.rest()
        output.rest()
        redacted.rest()
        request.rest()
        answer.rest()
        traceState.reset()
        baggage.reset()
        if !runName.isEmpty { runName.removeAll(keepingCapacity: true) }
        enteredTrace = nil
        api = nil
        if isMessage {
            message?.reset()
            isMessage = false
            messageEdit = nil
            messageRequest = .success(nil)
            messageAnsweredAt = 0
        }
        isPlaced = false
        sessionIsDescribed = false
        isListening = false
        answerStarted = false
        failure = nil
        sentAt = 0
        endedAt = 0
        isObserved = false
        isInflating = false
        callEnded = false
        callerHasAll = false
        urlIsDescribed = false
        bodyStreamed = false
        moved = 0
        answerHasBegun = false
        totalDeadline = .max
    }

    // MARK: verbs

    /// The hop's span opens. The request's head has been read and its target is known.
    func open(_ upstream: Upstream, by worker: Worker) {
        openedAt = worker.clock.monotonic
        recordsContent = worker.settings.content.mode != .none
        span.record.startTime = worker.clock.wall
        if upstream.timeouts.total != .max { totalDeadline = worker.loop.now + upstream.timeouts.total }
    }

    /// In which trace and run the hop is, from what its head says; where a message has brought a context of its own, that counts
    /// (MCP: `params._meta` wins). The first call counts.
    func place(_ upstream: Upstream, caller: RawSpan, by worker: Worker, brought: TraceContext? = nil) {
        guard !isPlaced else { return }
        isPlaced = true
        if let brought {
            // A context in the message brings its own baggage, or none.
            if baggage.isEmpty { readBaggage() }
            placeInRun(brought, named: readRunName(upstream.runHeaders, worker.counters), scope: caller, by: worker)
        } else {
            let inHead = readContext()
            readBaggage()
            placeInRun(inHead, named: readRunName(upstream.runHeaders, worker.counters), scope: caller, by: worker)
        }
        describeRequest(upstream)
        if upstream.kind == .mcpServer {
            isListening = request.method == .get
            describeSession(request)
        }
    }

    /// The caller's trace context: nil unless there is exactly one valid `traceparent` (W3C Trace Context §3.2).
    private func readContext() -> TraceContext? {
        let request = request
        guard let index = request.index(of: .traceparent), request.index(of: .traceparent, from: index + 1) == nil,
            let context = TraceContext(traceparent: request.value(index))
        else { return nil }
        var next = request.index(of: .tracestate)
        while let index = next {
            traceState.append(request.value(index))
            next = request.index(of: .tracestate, from: index + 1)
        }
        return context
    }

    private func readBaggage() {
        let request = request
        var next = request.index(of: .baggage)
        while let index = next {
            baggage.append(request.value(index))
            next = request.index(of: .baggage, from: index + 1)
        }
    }

    /// The name the caller gave its run, of 1 to 128 visible ASCII characters; anything else is no name, and counted.
    private func readRunName(_ runHeaders: [ConfiguredField], _ counters: GatewayCounters) -> Bool {
        let request = request
        for place in 0..<runHeaders.count {
            if let index = runHeaders[place].index(in: request), takeRunName(request.value(index), counters) { return true }
        }
        guard !baggage.isEmpty else { return false }
        return baggage.withValue(of: "run.id") { takeRunName($0, counters) } ?? false
    }

    private func takeRunName(_ name: RawSpan, _ counters: GatewayCounters) -> Bool {
        guard (1...128).contains(name.byteCount) else {
            counters.runNamesOfWrongLength.add(1, ordering: .relaxed)
            return false
        }
        for offset in 0..<name.byteCount where name[byte: offset] <= 0x20 || name[byte: offset] >= 0x7F {
            counters.runNamesOfWrongCharacters.add(1, ordering: .relaxed)
            return false
        }
        for offset in 0..<name.byteCount { runName.append(name[byte: offset]) }
        return true
    }

    /// Where the hop belongs. Evidence from content takes its place between "named" and "new" once runs are linked without headers.
    private func placeInRun(_ brought: TraceContext?, named: Bool, scope: RawSpan, by worker: Worker) {
        let sampler = worker.settings.sampler
        let runs = worker.runs
        let spanID = worker.ids.spanID()
        span.record.spanID = spanID
        let name = runName
        let run = named ? RunKey(scope: scope, name: unsafe name.span.bytes, salt: worker.settings.runKeySalt) : nil
        if let brought {
            context = TraceContext(traceID: brought.traceID, spanID: spanID, flags: sampler.flags(brought.traceID, brought: brought.flags))
            span.record.parent = brought.spanID.value
            span.record.parentIsRemote = true
            span.record.linkedBy = LinkedBy.traceparent.rawValue
            if let run {
                let flags = context.flags
                enteredTrace = runs.enter(run) { .init(trace: brought.traceID, parent: brought.spanID, rootIsOurs: false, flags: flags) }.trace
            }
        } else if let run {
            let place = runs.enter(run) {
                let start = TraceContext.start(with: &worker.ids)
                return .init(trace: start.traceID, parent: start.spanID, rootIsOurs: true, flags: sampler.flags(start.traceID, brought: nil))
            }
            enteredTrace = place.trace
            context = TraceContext(traceID: place.trace, spanID: spanID, flags: place.flags)
            span.record.parent = place.parent.value
            span.record.parentIsRemote = !place.rootIsOurs
            if place.rootIsOurs { span.record.runRoot = place.parent.value }
            span.record.linkedBy = LinkedBy.header.rawValue
        } else {
            let start = TraceContext.start(with: &worker.ids)
            context = TraceContext(traceID: start.traceID, spanID: spanID, flags: sampler.flags(start.traceID, brought: nil))
            span.record.parent = start.spanID.value
            span.record.runRoot = start.spanID.value
            span.record.linkedBy = LinkedBy.new.rawValue
        }
        span.record.traceID = context.traceID
        span.record.flags = context.flags.rawValue
        span.record.run = run ?? RunKey(context.traceID)
        if named {
            span.record.runIsNamed = true
            unsafe span.set(.runID, name.span.bytes)
        }
        if brought != nil, !traceState.isEmpty {
            let state = traceState
            span.setTraceState(state.text)
        }
    }

    private func describeRequest(_ upstream: Upstream) {
        let request = request
        span.record.kind = SpanKind.client.rawValue
        if request.method == .post {
            let facts = upstream.postFacts
            span.append(facts.bytes)
        } else {
            if upstream.kind == .provider { span.set(.providerName, upstream.providerName) }
            span.set(.httpRequestMethod, request.method.name)
            if request.method == .other { span.set(.httpRequestMethodOriginal, request.methodBytes) }
            span.set(.serverAddress, upstream.host)
            span.set(.serverPort, upstream.port)
        }
        if let index = request.index(of: .hopspanAgent), request.value(index).byteCount > 0, request.value(index).byteCount <= 256 {
            span.set(.agentName, request.value(index))
        } else if !baggage.isEmpty {
            _ = baggage.withValue(of: "gen_ai.agent.name") { if $0.byteCount > 0 && $0.byteCount <= 256 { span.set(.agentName, $0) } }
        }
        let sessionHeaders = upstream.sessionHeaders
        for place in 0..<sessionHeaders.count {
            if let index = sessionHeaders[place].index(in: request), request.value(index).byteCount > 0, request.value(index).byteCount <= 256 {
                span.set(.conversationID, request.value(index))
                span.set(.sessionID, request.value(index))
                break
            }
        }
    }

    /// The request is one that is understood; its body has been read whole.
    func understand(_ api: API, _ upstream: Upstream, content: ContentRecording) {
        let request = request
        let body = body
        self.api = api
        call.content = content
        span.record.hopKind = HopKind.llm.rawValue
        call.readRequest(body.bytes, api: api, path: request.path, injectUsage: upstream.asksForStreamUsage)
    }

    /// The request's last byte has gone out.
    func sent(_ clock: Clock) {
        sentAt = clock.monotonic
    }

    /// The upstream's answer has begun.
    func answered(_ upstream: Upstream) {
        if upstream.kind == .mcpServer { describeSession(answer) }
        guard isUnderstood else { return }
        let answer = answer
        var encoding = ContentEncoding.identity
        var isEventStream = false
        for index in 0..<answer.fieldCount {
            switch answer.field(index).name {
            case .contentEncoding: encoding.add(answer.value(index))
            case .contentType: isEventStream = answer.value(index).starts(ignoringCase: "text/event-stream")
            default: break
            }
        }
        switch encoding {
        case .identity: isObserved = true
        case .coded(let coding):
            isObserved = true
            isInflating = true
            inflater.reset(coding)
            decodedBefore = 0
        case .unreadable: codingIsUnreadable()
        }
        if isMessage { return answerToMessageBegins(isEventStream: isEventStream) }
        call.beginResponse(status: answer.status, isEventStream: isEventStream, sentAt: sentAt, usage: upstream.usageShape)
        if call.readsFields {
            for index in 0..<answer.fieldCount { call.readField(answer.name(index), answer.value(index)) }
        }
    }

    /// The answer's head is on its way to the caller: from here on an error can only cut it.
    func answerHasStarted() {
        answerStarted = true
        span.set(.httpResponseStatusCode, answer.status)
    }

    /// The answer is ours, for want of one from the upstream.
    func refused(_ status: Int) { span.set(.httpResponseStatusCode, status) }

    /// Pieces must go through `filter` instead of being passed on as they are.
    var hides: Bool { isObserved && !isInflating && !isMessage && call.holdsBack }

    /// A piece of the answer's body, before it is passed on.
    func observe(_ piece: RawSpan, _ clock: Clock) {
        guard isObserved else { return }
        let now = !isMessage && call.wantsTime ? clock.monotonic : 0
        defer { if isMessage { noteMessageAnswered(clock) } }
        guard isInflating else { return read(piece, now) }
        do {
            var at = 0
            while at < piece.byteCount {
                let end = min(at + Self.codedSlice, piece.byteCount)
                try inflater.push(piece.extracting(at..<end)) { read($0, now) }
                at = end
                guard inflater.decodedBytes - decodedBefore <= 2 * Self.decodedInTurn else { return stopObserving() }
            }
        } catch { stopObserving() }
    }

    private func read(_ decoded: RawSpan, _ now: UInt64) {
        if isMessage { message?.observe(decoded) } else { call.observe(decoded, now: now) { _ in } }
    }

    /// So much of a coded piece is decoded before it is looked at how much came of it: at most a thousand times as much.
    private static let codedSlice = 1 << 10
    /// Decoded and read in one turn of the loop, if it can end there; of twice as much in one turn the rest is not looked at.
    private static let decodedInTurn = 1 << 20

    /// So much has been passed on, or decoded, that others should have their turn.
    var hasHadItsTurn: Bool { moved >= EventLoop.bytesPerTurn || isInflating && inflater.decodedBytes - decodedBefore > Self.decodedInTurn }

    /// A turn of the loop begins.
    func turnBegins() { if isInflating { decodedBefore = inflater.decodedBytes } }

    private func stopObserving() {
        isObserved = false
        codingIsUnreadable()
    }

    private func codingIsUnreadable() { if isMessage { message?.codingIsUnreadable = true } else { call.codingIsUnreadable = true } }

    /// The same for a piece that may be the last.
    /// - Returns: whether `answerEnded` is to be called, because it would take long here.
    func observe(_ piece: RawSpan, isLast: Bool, _ clock: Clock) -> Bool {
        if isLast, isObserved, !isInflating, !isMessage, call.readWhole(piece) {
            callEnded = true
            return false
        }
        observe(piece, clock)
        guard isLast else { return false }
        if holdsMuch { return true }
        answerEnded(clock)
        return false
    }

    /// A piece of an answer from which something is hidden: what the caller shall get of it now is appended to `body`.
    func filter(_ piece: RawSpan, _ clock: Clock) {
        let body = body
        call.observe(piece, now: call.wantsTime ? clock.monotonic : 0) { body.append($0) }
    }

    /// The answer's body is here to its end: what was held back of it is appended to `body`.
    func answerEnded(_ clock: Clock) {
        guard isObserved, !callEnded else { return }
        callEnded = true
        if isMessage {
            message?.endResponse()
            return noteMessageAnswered(clock)
        }
        let body = body
        let hides = hides
        call.endResponse(isComplete: true, now: call.wantsTime ? clock.monotonic : 0) { if hides { body.append($0) } }
    }

    /// What was observed so far has gone out to the caller.
    func passedOn() { callerHasAll = isObserved && (isMessage ? messageAnsweredAt > 0 : call.streamHasSaidAll) }

    /// The exchange has failed; the first failure counts.
    func fail(_ error: GatewayError) { if failure == nil { failure = error } }

    /// The last byte has gone out, or the exchange broke.
    func isOver(_ clock: Clock) { if endedAt == 0 { endedAt = clock.monotonic } }

    /// What has been read of an answer that broke off is all there will be of it; content is ready for the span.
    func readRest() {
        if isObserved, !callEnded {
            callEnded = true
            if isMessage { message?.endResponse() } else { call.endResponse(isComplete: false, now: endedAt) { _ in } }
        }
        if recordsContent, !isMessage { call.renderContent() }
    }

    /// To `finish` would take long: `readRest` is to be called elsewhere before.
    var isLongToFinish: Bool { recordsContent && call.contentByteCount > Self.renderedAtOnce || holdsMuch }

    /// Bytes of content that are made attributes in a turn of the loop: under a millisecond's work where they are masked.
    private static let renderedAtOnce = 16 << 10

    /// So much of an answer has been collected that to read it would take long.
    var holdsMuch: Bool { isObserved && !callEnded && (isMessage ? message?.heldByteCount ?? 0 : call.heldByteCount) > Worker.readAtOnce }

    /// The span is complete.
    func finish(_ upstream: Upstream, _ clock: Clock, prices: PriceBook) {
        // The duration is monotonic, whatever the wall clock did meanwhile.
        isOver(clock)
        let now = endedAt
        // An MCP hop ends with its answer, however long the stream goes on.
        span.record.endTime = span.record.startTime + ((messageAnsweredAt > 0 ? messageAnsweredAt : now) - openedAt)
        if !urlIsDescribed { describeUnsentURL(upstream) }
        // Clients hang up at the stream's own end, without waiting for that of the body: nothing was lost.
        if failure == .callerGone, callerHasAll { failure = nil }
        if api != nil {
            if isInflating { inflater.release() }
            readRest()
            call.describe(into: &span)
            span.record.wasTurnedAway = sentAt == 0 || answerStarted && answer.status >= 400
            price(upstream, prices)
            if failure == nil, answer.status < 400, call.streamWasCut { failure = .upstreamCut }
        } else if upstream.kind == .mcpServer {
            finishMessage(upstream)
        } else {
            let name = upstream.name
            span.record.hopKind = HopKind.http.rawValue
            span.setName(request.method.name, name.bytes)
        }
        if let failure {
            span.record.isError = true
            span.set(.errorType, failure.errorType)
            span.setStatusMessage(failure.message(upstream.place))
        } else if answer.status >= 400, !span.record.isError {
            let answer = answer
            span.record.isError = true
            span.set(.errorType, answer.statusText)
        }
    }

    /// The span has been recorded: from now on the run may close.
    func leaveRun(_ runs: NamedRuns) {
        guard let trace = enteredTrace else { return }
        enteredTrace = nil
        runs.leave(span.record.run, trace: trace, at: endedAt)
    }

    /// The hop's cost, from what the answer said was used.
    private func price(_ upstream: Upstream, _ prices: PriceBook) {
        let seconds = Int64(span.record.startTime / 1_000_000_000)
        let isComplete = failure == nil && !call.streamWasCut && !call.hasErrorInside && !call.codingIsUnreadable && !call.responseIsUnreadable
        let provider = upstream.providerName
        let cost = call.cost(by: prices, provider: provider.bytes, at: seconds, isComplete: isComplete)
        span.record.cost = cost.usd
        span.record.costSource = cost.source.rawValue
        if let sheet = cost.sheet {
            let rates = sheet.text
            unsafe span.set(.costPrice, rates.span.bytes)
        }
    }

    // MARK: MCP

    /// The request is a message to an MCP server; its body has been read whole. Reads it: `takeMessage` says what came of it.
    func readMessage(content: ContentRecording) {
        let message = message ?? MCPCall()
        self.message = message
        isMessage = true
        message.content = content
        let body = body
        do { messageRequest = .success(try message.readRequest(body.bytes)) } catch { messageRequest = .failure(error) }
    }

    /// Places the hop by what the message brings.
    func takeMessage(_ upstream: Upstream, caller: RawSpan, by worker: Worker) throws(GatewayError) {
        let request: MCPRequest?
        do { request = try messageRequest.get() } catch { throw .badMessage(error) }
        let body = body
        place(upstream, caller: caller, by: worker, brought: request.flatMap { readContext(of: $0, in: body.bytes) })
    }

    /// Makes the context that is to travel in the message.
    func editMessage() {
        guard case .success(let request?) = messageRequest else { return }
        let (parent, state, baggage, body) = (contextText, traceState, baggage, body)
        messageEdit = unsafe request.writing(traceparent: parent.span.bytes, tracestate: state.text, baggage: baggage.text, in: body.bytes)
    }

    /// The trace context a message brings: nil unless it is valid. Its state and baggage then count, and not those of the head.
    private func readContext(of request: MCPRequest, in bytes: RawSpan) -> TraceContext? {
        var context: TraceContext?
        MCPRequest.withText(request.traceparent, in: bytes) { context = TraceContext(traceparent: $0) }
        guard context != nil else { return nil }
        MCPRequest.withText(request.tracestate, in: bytes) { traceState.append($0) }
        MCPRequest.withText(request.baggage, in: bytes) { baggage.append($0) }
        return context
    }

    private func answerToMessageBegins(isEventStream: Bool) { message?.beginResponse(isEventStream: isEventStream) }

    private func noteMessageAnswered(_ clock: Clock) {
        if messageAnsweredAt == 0, message?.isAnswered == true { messageAnsweredAt = clock.monotonic }
    }

    private func finishMessage(_ upstream: Upstream) {
        span.record.hopKind = HopKind.tool.rawValue
        span.set(.networkTransport, "tcp")
        span.set(.networkProtocolName, "http")
        guard isMessage, let message, message.kind != nil else {
            // The stream a client listens on, the end of its session, or no message at all.
            let name = upstream.name
            return span.setName(request.method.name, name.bytes)
        }
        if isObserved, !callEnded { message.endResponse() }
        message.describe(into: &span)
        if let price = upstream.pricePerCall, message.method == .toolsCall, message.isAnswered {
            span.record.cost = price
            span.record.costSource = CostSource.configured.rawValue
        }
        if failure == nil, answer.status == 200, message.expectsAnswer, !message.isAnswered { failure = .unanswered }
    }

    /// The session a message belongs to, or that its answer opens.
    private func describeSession(_ head: MessageHead) {
        guard !sessionIsDescribed, let index = Self.sessionField.index(in: head), 1...256 ~= head.value(index).byteCount else { return }
        sessionIsDescribed = true
        span.set(.mcpSessionID, head.value(index))
    }

    /// `Mcp-Session-Id` (MCP 2025-03-26 to 2025-11-25, Streamable HTTP).
    private static let sessionField = ConfiguredField("mcp-session-id")

    // MARK: what the steps ask

    /// Nothing of an answer has come, and nothing of the request's body has been lost by sending it.
    var canBeSentAgain: Bool { !answerHasBegun && (isUnderstood || !bodyStreamed) }

    /// The request is one that is understood: its body is read whole, and its answer observed.
    var isUnderstood: Bool { api != nil || isMessage }

    /// An answer has begun, be it an interim one.
    func answerBegins() { answerHasBegun = true }

    /// The request's body has begun to go out and is not kept.
    func bodyHasStreamed() { bodyStreamed = true }

    /// The upstream is asked for an uncoded answer, because something is to be hidden from it.
    var asksIdentity: Bool { call.usageInjection != nil }

    /// A trace of its own for an answer that belongs to no hop.
    func takeContextForAnswer(_ ids: inout IDGenerator) {
        context = TraceContext.start(with: &ids)
    }
}
