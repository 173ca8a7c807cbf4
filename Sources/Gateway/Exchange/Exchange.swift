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
    var context = TraceContext(traceID: .init(high: 0, low: 0), spanID: .init(0), flags: []) {
        didSet { contextText = context.traceparent }
    }
    /// The same as a `traceparent`: what goes upstream, and what `traceresponse` says.
    private(set) var contextText = [55 of UInt8](repeating: 0x30)
    private(set) var api: API?
    /// The message to an MCP server or an agent that the request is.
    var message: ServerMessage?
    /// One that is used again.
    var spareMessage: ServerMessage?
    /// It is a hop to an MCP server or an agent: what follows, down to `isCollected`, no other hop has.
    private(set) var isOfMessages = false
    var sessionIsDescribed = false
    /// The caller of an MCP server; nil until it matters.
    var caller: Caller?
    /// The request's field with the session, where it is this caller's.
    var sessionField: Int?
    /// Lines that the answer's head gets besides its own.
    var addedLines: OutputBuffer?
    /// The request is for what a server says of its protection (`Exchange+Authorization`).
    var asksMetadata = false
    /// And the server is asked for that where it stands for all of it.
    private(set) var asksAtRoot = false
    /// What changes the answer on its way; nil where it passes as it comes.
    var editor: AnswerEditor?
    /// What is to come is an agent's card.
    var card: CardAnswer?
    /// The answer is a stream whose events go through the editor.
    var editsEvents = false
    /// The answer's body has been taken whole and edited: it stands in `body`.
    var isCollected = false
    /// The run's name where the caller gave one.
    var runName: [UInt8] = []
    /// The trace of the named run's place, from `open` to `leaveRun`.
    var enteredTrace: TraceID?
    /// Nothing of HTTP is between the upstream and us that the span could tell of.
    private var isPiped = false
    private(set) var answerStarted = false
    private(set) var failure: GatewayError?
    /// Monotonic nanoseconds.
    private(set) var openedAt: UInt64 = 0
    /// The same; 0 until it is over.
    private(set) var endedAt: UInt64 = 0
    /// Monotonic nanoseconds; 0 until the request has gone out.
    private(set) var sentAt: UInt64 = 0
    /// What had been decoded when this turn of the loop began.
    private var decodedBefore = 0
    /// Where a URL's query is written without its values; made when one has a query.
    var redacted: OutputBuffer?
    /// The span has its `url.full`.
    var urlIsDescribed = false
    var isPlaced = false
    private var bodyStreamed = false
    /// Something of an answer has come: whoever sent it has the request.
    private(set) var answerHasBegun = false

    /// Forgets the last exchange, and gives back what that one needed more memory for than most do. The request's head is read afterwards.
    func reset() {
        span.reset()
        call.reset()
        body.rest()
        output.rest()
        redacted?.rest()
        request.rest()
        answer.rest()
        traceState.reset()
        baggage.reset()
        if !runName.isEmpty { runName.removeAll(keepingCapacity: true) }
        enteredTrace = nil
        api = nil
        if let message {
            message.reset()
            spareMessage = message
            self.message = nil
        }
        isPlaced = false
        if isOfMessages || asksMetadata { resetMessages() }
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

    /// Forgets what only hops to MCP servers and agents have.
    @inline(never)
    private func resetMessages() {
        isOfMessages = false
        sessionIsDescribed = false
        caller = nil
        sessionField = nil
        addedLines?.rest()
        asksMetadata = false
        asksAtRoot = false
        editor = nil
        card = nil
        editsEvents = false
        isCollected = false
    }

    // MARK: verbs

    /// The hop's span opens. The request's head has been read and its target is known.
    func open(_ upstream: Upstream, by worker: Worker) {
        openedAt = worker.clock.monotonic
        isOfMessages = upstream.kind != .provider
        isPiped = upstream.isProcess
        recordsContent = worker.settings.content.mode != .none
        span.record.startTime = worker.clock.wall
        if upstream.timeouts.total != .max { totalDeadline = worker.loop.now + upstream.timeouts.total }
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
        guard isUnderstood || editor != nil else { return }
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
        if isOfMessages, editor != nil {
            editedAnswerBegins(isEventStream: isEventStream, isCoded: encoding != .identity)
            cardBegins()
            guard isUnderstood else { return }
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
        if let message { return message.call.beginResponse(status: answer.status, isEventStream: isEventStream) }
        call.beginResponse(status: answer.status, isEventStream: isEventStream, sentAt: sentAt, usage: upstream.usageShape)
        if call.readsFields {
            for index in 0..<answer.fieldCount { call.readField(answer.name(index), answer.value(index)) }
        }
    }

    /// The answer that has come is not the one: the request is sent again.
    func passOverAnswer() {
        if isInflating { inflater.release() }
        isObserved = false
        isInflating = false
        answerHasBegun = false
        addedLines?.removeAll()
    }

    /// The answer's head is on its way to the caller: from here on an error can only cut it.
    func answerHasStarted() {
        answerStarted = true
        if !isPiped { span.set(.httpResponseStatusCode, card?.isNotModified == true ? 304 : answer.status) }
    }

    /// The answer is ours, for want of one from the upstream.
    func refused(_ status: Int) { if !isPiped { span.set(.httpResponseStatusCode, status) } }

    /// Pieces must go through `filter` instead of being passed on as they are.
    var hides: Bool { editsEvents || isObserved && !isInflating && message == nil && call.holdsBack }

    /// A piece of the answer's body, before it is passed on.
    func observe(_ piece: RawSpan, _ clock: Clock) {
        guard isObserved else { return }
        let now = message == nil && call.wantsTime ? clock.monotonic : 0
        defer { message?.noteAnswer(clock) }
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
        if let message { message.call.observe(decoded) } else { call.observe(decoded, now: now) { _ in } }
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

    private func codingIsUnreadable() { if let message { message.call.codingIsUnreadable = true } else { call.codingIsUnreadable = true } }

    /// The same for a piece that may be the last.
    /// - Returns: whether `answerEnded` is to be called, because it would take long here.
    func observe(_ piece: RawSpan, isLast: Bool, _ clock: Clock) -> Bool {
        if isLast, isObserved, !isInflating, message == nil, call.readWhole(piece) {
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
        if editsEvents { return editEvents(piece, clock) }
        let body = body
        call.observe(piece, now: call.wantsTime ? clock.monotonic : 0) { body.append($0) }
    }

    /// The answer's body is here to its end: what was held back of it is appended to `body`.
    func answerEnded(_ clock: Clock) {
        if editsEvents { lastEventEnds() }
        guard isObserved, !callEnded else { return }
        callEnded = true
        if let message {
            message.call.endResponse()
            return message.noteAnswer(clock)
        }
        let body = body
        let hides = hides
        call.endResponse(isComplete: true, now: call.wantsTime ? clock.monotonic : 0) { if hides { body.append($0) } }
    }

    /// What was observed so far has gone out to the caller.
    func passedOn() { callerHasAll = isObserved && (message.map { $0.hasSaidAll } ?? call.streamHasSaidAll) }

    /// The exchange has failed; the first failure counts.
    func fail(_ error: GatewayError) { if failure == nil { failure = error } }

    /// The last byte has gone out, or the exchange broke.
    func isOver(_ clock: Clock) { if endedAt == 0 { endedAt = clock.monotonic } }

    /// What has been read of an answer that broke off is all there will be of it; content is ready for the span.
    func readRest() {
        if isObserved, !callEnded {
            callEnded = true
            if let message { message.call.endResponse() } else { call.endResponse(isComplete: false, now: endedAt) { _ in } }
        }
        if recordsContent, message == nil { call.renderContent() }
    }

    /// To `finish` would take long: `readRest` is to be called elsewhere before.
    var isLongToFinish: Bool { recordsContent && call.contentByteCount > Self.renderedAtOnce || holdsMuch }

    /// Bytes of content that are made attributes in a turn of the loop: under a millisecond's work where they are masked.
    private static let renderedAtOnce = 16 << 10

    /// So much of an answer has been collected that to read it would take long.
    var holdsMuch: Bool { isObserved && !callEnded && (message?.call.heldByteCount ?? call.heldByteCount) > Worker.readAtOnce }

    /// The span is complete.
    func finish(_ upstream: Upstream, _ clock: Clock, prices: PriceBook) {
        // The duration is monotonic, whatever the wall clock did meanwhile.
        isOver(clock)
        // A message's hop ends with its answer, however long the stream goes on.
        let end = message.map { $0.answeredAt > 0 ? $0.answeredAt : endedAt } ?? endedAt
        span.record.endTime = span.record.startTime + (end - openedAt)
        if !urlIsDescribed { describeUnsentURL(upstream) }
        // Clients hang up at the stream's own end, without waiting for that of the body: nothing was lost. Nor is it by whatever happens
        // once a message has been answered.
        if callerHasAll, failure == .callerGone || message != nil { failure = nil }
        // Who listens has no other way to stop.
        if failure == .callerGone || failure == .shutdown, answerStarted, isListening(upstream) { failure = nil }
        if isInflating { inflater.release() }
        if isUnderstood { readRest() }
        if api != nil {
            call.describe(into: &span)
            span.record.wasTurnedAway = sentAt == 0 || answerStarted && answer.status >= 400
            price(upstream, prices)
            if failure == nil, answer.status < 400, call.streamWasCut { failure = .upstreamCut }
        } else if upstream.kind != .provider {
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
        } else if answer.status >= 400, !span.record.isError, !isDeclined(upstream) {
            let answer = answer
            span.record.isError = true
            span.set(.errorType, answer.statusText)
        }
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

    // MARK: what the steps ask

    /// Nothing of an answer has come, and nothing of the request's body has been lost by sending it.
    var canBeSentAgain: Bool { !answerHasBegun && (isUnderstood || !bodyStreamed) && message?.call.mayBeRepeated ?? true }

    /// The request is one that is understood: its body is read whole, and its answer observed.
    var isUnderstood: Bool { api != nil || message != nil }

    /// An answer has begun, be it an interim one.
    func answerBegins() { answerHasBegun = true }

    /// What was asked for is not there: the next request is for another place, and the answer to come the one that counts.
    func asksElsewhere() {
        asksAtRoot = true
        urlIsDescribed = false
        passOverAnswer()
    }

    /// The request's body has begun to go out and is not kept.
    func bodyHasStreamed() { bodyStreamed = true }

    /// The upstream is asked for an uncoded answer, because something is to be hidden from it, or changed in it.
    var asksIdentity: Bool { call.usageInjection != nil || editor != nil }
}
