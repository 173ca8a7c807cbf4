import EventLoop
import HTTP
import Synchronization
import Tracing

// Whose a hop is: in which trace and run, below which span.
extension Exchange {
    /// In which trace and run the hop is, from what its head says; where a message has brought a context, that counts (MCP:
    /// `params._meta` wins; A2A: the head does, so that a message brings one only where the head has none). The first call counts.
    func place(_ upstream: Upstream, caller: RawSpan, by worker: Worker, brought: TraceContext? = nil) {
        guard !isPlaced else { return }
        isPlaced = true
        if let brought {
            linkHead(to: brought)
            // A context in the message brings its own baggage, or none.
            if baggage.isEmpty { readBaggage() }
            placeInRun(brought, named: readRunName(upstream.runHeaders, worker.counters), scope: caller, by: worker)
        } else {
            let inHead = readContext()
            readBaggage()
            placeInRun(inHead, named: readRunName(upstream.runHeaders, worker.counters), scope: caller, by: worker)
        }
        describeRequest(upstream)
    }

    /// The caller's trace context: nil unless there is exactly one valid `traceparent` (W3C Trace Context §3.2).
    private func readContext() -> TraceContext? {
        guard let context = contextInHead else { return nil }
        readTraceState(into: &traceState)
        return context
    }

    /// The same, without its state.
    var contextInHead: TraceContext? {
        let request = request
        guard let index = request.index(of: .traceparent), request.index(of: .traceparent, from: index + 1) == nil else { return nil }
        return TraceContext(traceparent: request.value(index))
    }

    private func readTraceState(into state: inout TraceState) {
        let request = request
        var next = request.index(of: .tracestate)
        while let index = next {
            state.append(request.value(index))
            next = request.index(of: .tracestate, from: index + 1)
        }
    }

    /// The head may bring a context of its own where the message's wins: the span that sent the request, not the one that asks.
    private func linkHead(to brought: TraceContext) {
        guard let inHead = contextInHead, inHead.traceID != brought.traceID || inHead.spanID != brought.spanID else { return }
        var state = TraceState()
        readTraceState(into: &state)
        span.link(inHead, traceState: state.text)
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
        var run: RunKey?
        if named {
            let name = runName
            run = RunKey(scope: scope, name: unsafe name.span.bytes, salt: worker.settings.runKeySalt)
        } else if let brought, let known = runs.run(of: brought.traceID) {
            run = known.run
            runName = known.name
        }
        let name = runName
        if let brought {
            context = TraceContext(traceID: brought.traceID, spanID: spanID, flags: sampler.flags(brought.traceID, brought: brought.flags))
            span.record.parent = brought.spanID.value
            span.record.parentIsRemote = true
            span.record.linkedBy = LinkedBy.traceparent.rawValue
            if let run {
                let flags = context.flags
                enteredTrace = runs.enter(run, named: unsafe name.span.bytes) { .init(trace: brought.traceID, parent: brought.spanID, rootIsOurs: false, flags: flags) }.trace
            }
        } else if let run {
            let place = runs.enter(run, named: unsafe name.span.bytes) {
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
        if run != nil {
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
        } else if !upstream.isProcess {
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

    /// The span has been recorded: from now on the run may close.
    func leaveRun(_ runs: NamedRuns) {
        guard let trace = enteredTrace else { return }
        enteredTrace = nil
        runs.leave(span.record.run, trace: trace, at: endedAt)
    }

    /// A trace of its own for an answer that belongs to no hop.
    func takeContextForAnswer(_ ids: inout IDGenerator) {
        context = TraceContext.start(with: &ids)
    }
}
