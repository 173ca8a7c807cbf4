import JSON
import Runs
import Store
import Tracing

extension RunSummary {
    /// Writes the members of a RunSummary into an open object.
    func write(to json: inout JSONWriter) {
        json.key("run_id")
        json.string(runID)
        json.strings("aliases", aliases)
        json.strings("trace_ids", traceIDs.map(\.description))
        json.key("name")
        json.string(name)
        json.time("started_at", head.startedAt)
        json.time("ended_at", endedAt)
        json.duration("duration_ms", head.duration)
        json.key("state")
        json.string(state.rawValue)
        json.key("status")
        json.string(status.rawValue)
        json.text("agent", agent)
        json.text("workspace", workspace)
        json.text("conversation_id", conversationID)
        let totals = head.totals
        json.number("hops", totals.hops)
        json.number("llm_calls", totals.llmCalls)
        json.number("tool_calls", totals.toolCalls)
        json.number("agent_calls", totals.agentCalls)
        json.number("errors", totals.errors)
        json.number("finding_count", 0)
        json.tokens(
            input: totals.inputTokens, output: totals.outputTokens, cacheRead: totals.cacheReadTokens, cacheWrite: totals.cacheWriteTokens,
            reasoning: totals.reasoningTokens)
        json.usd("cost_usd", totals.cost)
        json.number("unpriced_hops", totals.unpricedHops)
        json.number("unmetered_hops", totals.unmeteredHops)
        json.strings("models", models)
        json.strings("providers", providers)
        json.strings("tools", tools)
        json.strings("agents", agents)
        json.strings("linked_by", linkedBy.map { "\($0.name)" })
    }

    var json: [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        write(to: &json)
        json.endObject()
        return json.bytes
    }
}

extension RunPage {
    /// `{"runs":[…],"next":…}`
    var json: [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.key("runs")
        json.beginArray()
        for run in runs {
            json.beginObject()
            run.summary.write(to: &json)
            json.endObject()
        }
        json.endArray()
        json.text("next", next?.text)
        json.endObject()
        return json.bytes
    }
}
