public import Tracing

extension OpenRun {
    /// Fills `draft` with the run's own root span: `invoke_agent <agent>`, or `invoke_agent`, from the first hop to the last end,
    /// with the run's totals. They stand under `hopspan.run.*` only: a reader that adds up `gen_ai.usage.*` over a trace must not
    /// meet them twice.
    public func drawRoot(into draft: inout SpanDraft) {
        draft.reset()
        draft.record.traceID = head.rootTrace
        draft.record.span = head.root
        draft.record.run = head.key
        draft.record.runRoot = head.root
        draft.record.startTime = head.rootStartedAt
        draft.record.endTime = max(head.endedAt, head.rootStartedAt)
        draft.record.kind = SpanKind.internal.rawValue
        draft.record.hopKind = HopKind.run.rawValue
        draft.record.linkedBy = (LinkedBy.allCases.first { head.linkedBy & (1 << $0.rawValue) != 0 } ?? .new).rawValue
        draft.record.flags = head.rootFlags
        draft.record.isError = head.isError
        draft.record.runIsNamed = head.isNamed

        draft.set(.operationName, "invoke_agent" as StaticString)
        var isNameless = true
        details.withBytes { texts in
            RunDetails.forEach(in: texts) { kind, text in
                switch kind {
                case .runID: draft.set(.runID, text)
                case .runName: draft.set(.runName, text)
                case .workspace: draft.set(.workspace, text)
                case .agent:
                    isNameless = false
                    draft.setName("invoke_agent", text)
                    draft.set(.agentName, text)
                case .conversation: draft.set(.conversationID, text)
                case .session: draft.set(.sessionID, text)
                default: break
                }
                return true
            }
        }
        if isNameless { draft.setName("invoke_agent") }

        let totals = head.totals
        draft.set(.hops, totals.hops)
        draft.set(.llmCalls, totals.llmCalls)
        draft.set(.errors, totals.errors)
        draft.set(.unpricedHops, totals.unpricedHops)
        draft.set(.unmeteredHops, totals.unmeteredHops)
        draft.set(.runInputTokens, totals.inputTokens)
        draft.set(.runOutputTokens, totals.outputTokens)
        if let cost = totals.cost {
            var text: [UInt8] = []
            text.reserveCapacity(48)
            cost.write(into: &text)
            draft.set(.runCostUSD, text.raw)
        }
    }
}

extension RunKey {
    /// The run id of an unnamed run: its trace id, 32 lower-case hexadecimal digits.
    public var hex: String { TraceID(high: high, low: low).description }
}
